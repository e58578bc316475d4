//go:build unix

package engine

import (
	"errors"
	"syscall"
)

// peek reports whether something has arrived on a connection that nobody has read yet, and whether the other side has
// ended it. It does not wait.
func peek(socket syscall.RawConn) (arrived, ended bool) {
	var one [1]byte
	err := socket.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK) // the runtime's sockets do not block
		switch {
		case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR):
		case err != nil || n == 0:
			ended = true
		default:
			arrived = true
		}
	})
	return arrived, ended || err != nil
}
