package send

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// Fault is a condition of this node that keeps it from sending: neither the event nor the endpoint is to blame. It is the
// label of a metric.
type Fault string

// The faults of a node.
const (
	FaultDescriptors   Fault = "descriptors"   // too many open files
	FaultMemory        Fault = "memory"        // no memory or buffers left
	FaultPorts         Fault = "ports"         // no local port left for the endpoint's address
	FaultConfiguration Fault = "configuration" // the endpoint's dialect or secrets cannot be used on this node
)

// NodeWide reports whether the fault is likely to affect other endpoints too.
func (f Fault) NodeWide() bool { return f == FaultDescriptors || f == FaultMemory }

// shortage returns the resource that this node lacked when a dial failed, or "" if err is another failure.
func shortage(err error) Fault {
	var (
		op *net.OpError
		no syscall.Errno
	)
	if !errors.As(err, &op) || op.Op != "dial" || !errors.As(err, &no) {
		return ""
	}
	switch no {
	case syscall.EMFILE, syscall.ENFILE:
		return FaultDescriptors
	case syscall.ENOBUFS, syscall.ENOMEM, syscall.EAGAIN:
		return FaultMemory
	case syscall.EADDRNOTAVAIL:
		// Of IPv6 it also means that the node has no address to dial from, so that the receiver cannot be reached at all.
		if to, ok := op.Addr.(*net.TCPAddr); ok && to.IP.To4() != nil {
			return FaultPorts
		}
	}
	return ""
}

// lookups resolves names. It remembers the last shortage that kept it from asking a name server, because net.DNSError keeps
// only the text of its cause.
type lookups struct {
	dialer net.Dialer

	mu      sync.Mutex
	failed  time.Time
	failure error
}

func (l *lookups) resolver() *net.Resolver { return &net.Resolver{PreferGo: true, Dial: l.dial} }

func (l *lookups) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := l.dialer.DialContext(ctx, network, address)
	if shortage(err) != "" {
		l.mu.Lock()
		l.failed, l.failure = time.Now(), err
		l.mu.Unlock()
	}
	return conn, err
}

// cause returns the shortage behind err if err is a failed lookup and there was a shortage since the given time, and err
// otherwise.
func (l *lookups) cause(err error, since time.Time) error {
	var dns *net.DNSError
	if !errors.As(err, &dns) || dns.IsNotFound {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed.Before(since) {
		return err
	}
	return l.failure
}
