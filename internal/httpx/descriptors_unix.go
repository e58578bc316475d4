//go:build unix

package httpx

import (
	"math"
	"syscall"
)

// descriptors is how many files and connections this process may have open.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt // what cannot be asked is not known to be short
	}
	return int(min(uint64(limit.Cur), math.MaxInt))
}
