//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// outliveFileSizeLimit has a write beyond a limit on the size of files (ulimit -f, LimitFSIZE) fail, instead of ending
// the process: the server can answer that it cannot write.
func outliveFileSizeLimit() { signal.Ignore(syscall.SIGXFSZ) }
