package engine

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// fault is a reason of this node's own why it cannot send at the moment: neither the event nor the endpoint is to blame.
// The delivery is set back as it was and tried again shortly. It is a label of a metric.
type fault string

const (
	faultDescriptors   fault = "descriptors"   // too many open files
	faultMemory        fault = "memory"        // no memory or buffers left
	faultPorts         fault = "ports"         // no local port left for the endpoint's address
	faultConfiguration fault = "configuration" // the endpoint's dialect or secrets cannot be used on this node
)

// everywhere reports whether the fault is likely to affect other endpoints too.
func (f fault) everywhere() bool { return f == faultDescriptors || f == faultMemory }

// shortage returns which resource the node lacked when a dial failed, empty if err is not such a failure.
func shortage(err error) fault {
	var (
		op *net.OpError
		no syscall.Errno
	)
	if !errors.As(err, &op) || op.Op != "dial" || !errors.As(err, &no) {
		return ""
	}
	switch no {
	case syscall.EMFILE, syscall.ENFILE:
		return faultDescriptors
	case syscall.ENOBUFS, syscall.ENOMEM, syscall.EAGAIN:
		return faultMemory
	case syscall.EADDRNOTAVAIL:
		// Of IPv6 it also means that the node has no address to dial from, so that the receiver cannot be reached at all.
		if to, ok := op.Addr.(*net.TCPAddr); ok && to.IP.To4() != nil {
			return faultPorts
		}
	}
	return ""
}

// lookups resolves names, and remembers the last shortage that kept it from asking a name server: net.DNSError keeps the
// text of a cause and not the cause.
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

// cause returns err, or the shortage behind it if err is a failed lookup and there was a shortage since the given time.
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

// The pauses after a fault double while it lasts: those of an endpoint, and those of the whole node.
const (
	firstFaultPause   = time.Second
	longestFaultPause = 30 * time.Second
	firstNodePause    = 250 * time.Millisecond
	longestNodePause  = 4 * time.Second
)

// faults counts consecutive faults.
type faults struct {
	count int
	until time.Time // nothing is sent before
}

// add notes a fault. One that was under way when the pause began makes it no longer.
func (f *faults) add(now time.Time, first, longest time.Duration) {
	if now.Before(f.until) {
		return
	}
	f.until = now.Add(min(first<<min(f.count, 20), longest))
	f.count++
}

// setBack gives back a delivery that could not be sent through a fault of the node. That counts for nothing: neither as an
// attempt, nor for the endpoint's window and breaker.
func (s *scheduler) setBack(now time.Time, j *job, f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := j.lane
	s.ended(j)
	s.over(l)
	if !j.express() && j.delivery.Sequence > 0 {
		s.park(l) // the ones behind it must not go first
	}
	s.giveBack(l, []*job{j})
	l.faults.add(now, firstFaultPause, longestFaultPause)
	l.quiet = later(l.quiet, l.faults.until)
	if f.everywhere() {
		s.faults.add(now, firstNodePause, longestNodePause)
		poke(s.wakeTimer)
	}
	s.touch(l, now)
	s.dispatch(now)
}
