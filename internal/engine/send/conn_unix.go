//go:build unix

package send

import (
	"errors"
	"sync"
	"syscall"
)

// peek reports whether unread data has arrived on a connection, and whether the peer has closed it. It does not block.
func peek(socket syscall.RawConn) (arrived, ended bool) {
	p := peeks.Get().(*peeking)
	defer peeks.Put(p)
	if err := socket.Control(p.look); err != nil {
		return false, true
	}
	again := errors.Is(p.err, syscall.EAGAIN) || errors.Is(p.err, syscall.EINTR)
	return p.err == nil && p.n > 0, p.err == nil && p.n == 0 || p.err != nil && !again
}

// peeking is the state of one peek. It is pooled, because there is a peek before each request on a kept connection.
type peeking struct {
	look func(fd uintptr)
	one  [1]byte
	n    int
	err  error
}

var peeks = sync.Pool{New: func() any {
	p := new(peeking)
	p.look = func(fd uintptr) {
		p.n, _, p.err = syscall.Recvfrom(int(fd), p.one[:], syscall.MSG_PEEK) // the runtime's sockets do not block
	}
	return p
}}
