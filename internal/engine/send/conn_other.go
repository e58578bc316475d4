//go:build !unix

package send

import "syscall"

// peek is not implemented here: a connection that the peer has closed fails when it is used.
func peek(syscall.RawConn) (arrived, ended bool) { return false, false }
