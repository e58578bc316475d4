//go:build !unix

package main

// outliveFileSizeLimit does nothing where no signal tells of such a limit.
func outliveFileSizeLimit() {}
