//go:build !linux

package sqlite

import "os"

// lockFile does nothing: on these systems a lock on the whole file shuts out SQLite's own. The lock file is all there is.
func lockFile(*os.File) (held bool, err error) { return true, nil }

// names returns 1: other names are not looked for on these systems.
func names(os.FileInfo) uint64 { return 1 }
