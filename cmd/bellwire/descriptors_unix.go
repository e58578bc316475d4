//go:build unix

package main

import (
	"math"
	"os/signal"
	"syscall"
)

// outliveFileSizeLimit makes a write beyond the limit on file sizes (ulimit -f, LimitFSIZE) fail instead of ending the
// process, so that the server can report it.
func outliveFileSizeLimit() { signal.Ignore(syscall.SIGXFSZ) }

// descriptors returns how many files and connections this process may open. Go raises the soft limit to the hard one.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt // unknown, so assumed to be enough
	}
	return int(min(uint64(limit.Cur), math.MaxInt))
}
