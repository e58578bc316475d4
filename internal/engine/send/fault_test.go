package send

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

func dialFailed(to net.Addr, call string, no syscall.Errno) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: to, Err: os.NewSyscallError(call, no)}
}

var (
	toV4 = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	toV6 = &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 443}
)

func TestShortagesAreFaultsOfTheNode(t *testing.T) {
	t.Parallel()
	cases := []struct {
		err  error
		want Fault
	}{
		{dialFailed(toV4, "socket", syscall.EMFILE), FaultDescriptors},
		{dialFailed(toV6, "socket", syscall.ENFILE), FaultDescriptors},
		{dialFailed(toV4, "socket", syscall.ENOBUFS), FaultMemory},
		{dialFailed(toV4, "connect", syscall.ENOMEM), FaultMemory},
		{dialFailed(toV4, "connect", syscall.EAGAIN), FaultMemory},
		{dialFailed(toV4, "connect", syscall.EADDRNOTAVAIL), FaultPorts},
		{dialFailed(toV6, "connect", syscall.EADDRNOTAVAIL), ""}, // there may be no IPv6 here
		{dialFailed(toV4, "connect", syscall.ECONNREFUSED), ""},
		{dialFailed(toV4, "connect", syscall.ENETUNREACH), ""},
		{&net.OpError{Op: "write", Addr: toV4, Err: os.NewSyscallError("write", syscall.ENOBUFS)}, ""}, // something may have been sent
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, ""},
		{errors.New("too many open files"), ""},
		{nil, ""},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.err), func(t *testing.T) {
			if got := shortage(c.err); got != c.want {
				t.Errorf("%v: %q, want %q", c.err, got, c.want)
			}
			if c.err == nil {
				return
			}
			dial := func(context.Context, string, string) (net.Conn, error) { return nil, c.err }
			r := attempt(t, dial, nil, "http://receiver.test/")
			if r.Fault != c.want || r.Verdict == bellwire.Acknowledged {
				t.Errorf("an attempt that ends with %v: %q, want %q", c.err, r.Fault, c.want)
			}
		})
	}
}

// A name that cannot be resolved because the DNS server cannot be dialled is the node's fault too.
func TestShortageInTheResolver(t *testing.T) {
	t.Parallel()
	var no syscall.Errno
	names := &lookups{dialer: net.Dialer{Control: func(string, string, syscall.RawConn) error { return no }}}
	dial := guarded(newDialer(destination.New(destination.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})), names)
	no = syscall.EMFILE
	if r := attempt(t, dial, nil, "http://receiver.invalid/"); r.Fault != FaultDescriptors {
		t.Errorf("%q, %q: %s", r.Fault, r.Attempt.Outcome, r.Attempt.Error)
	}
	no = syscall.ECONNREFUSED
	if r := attempt(t, dial, nil, "http://receiver.invalid/"); r.Fault != "" || r.Attempt.Outcome != bellwire.OutcomeDNS {
		t.Errorf("%q, %q: %s", r.Fault, r.Attempt.Outcome, r.Attempt.Error)
	}
}
