//go:build !unix

package sqlite

import "io/fs"

// giveTo does nothing: here a new file belongs to whom its folder says.
func giveTo(fs.FileInfo, ...string) (string, error) { return "", nil }
