//go:build !linux

package doctor

// networkFileSystem reports false: this system does not tell.
func networkFileSystem(string) bool { return false }
