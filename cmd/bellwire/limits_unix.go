//go:build unix

package main

import (
	"math"
	"os/signal"
	"syscall"
)

// outliveFileSizeLimit has a write beyond a limit on the size of files (ulimit -f, LimitFSIZE) fail, instead of ending
// the process: the server can answer that it cannot write.
func outliveFileSizeLimit() { signal.Ignore(syscall.SIGXFSZ) }

// descriptors is how many files and connections this process may have open. Go has raised the soft limit to the hard one.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt // what cannot be asked is not known to be short
	}
	return int(min(uint64(limit.Cur), math.MaxInt))
}
