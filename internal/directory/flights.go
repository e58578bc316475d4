package directory

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// loadTimeout bounds a load, which continues for its other callers when the first one leaves.
const loadTimeout = 10 * time.Second

// maxForgotten is the most names in flights.forgotten.
const maxForgotten = 10_000

// flights run loads, and share each among all callers that want the same thing. One load of a thing runs at a time. A second one
// can wait behind it, for callers that came after a change and must not get a value that was read before. d.mu guards them.
type flights struct {
	loads map[string]*loadsOf
	count int // of all things
	// moment is a logical clock that advances each time something is forgotten.
	moment uint64
	// forgotten has the moment at which each thing was last forgotten. A load that began before may have read the old value.
	// It is cleared when no loads are in progress.
	forgotten map[string]uint64
	floor     uint64 // the moment at which forgotten overflowed and was cleared; everything counts as forgotten then
}

// loadsOf holds the loads of one thing.
type loadsOf struct{ running, next *flight }

// flight is one load.
type flight struct {
	load  load
	begun bool
	began uint64 // the moment at which it began
	done  chan struct{}
	value any
	err   error
}

// load reads something. It must call begin before it reads: callers that come until then share its result.
type load func(ctx context.Context, begin func() (moment uint64)) (any, error)

func newFlights() flights {
	return flights{loads: make(map[string]*loadsOf), forgotten: make(map[string]uint64)}
}

// forget records that things were forgotten.
func (f *flights) forget(names ...string) {
	f.moment++
	if f.count == 0 {
		return
	}
	if len(f.forgotten)+len(names) > maxForgotten {
		clear(f.forgotten)
		f.floor = f.moment
	}
	for _, name := range names {
		f.forgotten[name] = f.moment
	}
}

// last returns the moment at which one of the things was last forgotten while loads were in progress.
func (f *flights) last(names ...string) uint64 {
	at := f.floor
	for _, name := range names {
		at = max(at, f.forgotten[name])
	}
	return at
}

// unbegun is a moment for callers that share no load that has begun.
const unbegun = math.MaxUint64

// found waits for a load that join returns. That something was missing when a load began is no answer to a caller that came later,
// because another node may have made it since; then found waits for a load that had not begun. d.mu is held, and found unlocks it.
func found[V any](ctx context.Context, d *Directory, name string, since uint64, load load) (V, error) {
	f := d.join(ctx, name, since, load)
	late := f.begun
	d.mu.Unlock()
	v, err := wait[V](ctx, f)
	if !late || bellwire.CodeOf(err) != bellwire.CodeNotFound {
		return v, err
	}
	d.mu.Lock()
	f = d.join(ctx, name, unbegun, load)
	d.mu.Unlock()
	return wait[V](ctx, f)
}

// join returns a load that did not begin before the moment since, and starts or queues one if there is none. d.mu is held.
func (d *Directory) join(ctx context.Context, name string, since uint64, load load) *flight {
	of := d.flights.loads[name]
	if of == nil {
		of = &loadsOf{running: d.newFlight(load)}
		d.flights.loads[name] = of
		go d.runLoads(context.WithoutCancel(ctx), name, of)
		return of.running
	}
	if !of.running.begun || of.running.began >= since {
		return of.running
	}
	if of.next == nil {
		of.next = d.newFlight(load)
	}
	return of.next
}

func (d *Directory) newFlight(load load) *flight {
	d.flights.count++
	return &flight{load: load, done: make(chan struct{})}
}

// runLoads runs the loads of one thing one after the other, until none is left.
func (d *Directory) runLoads(ctx context.Context, name string, of *loadsOf) {
	for f := of.running; f != nil; f = d.endLoad(name, of) {
		ctx, cancel := context.WithTimeout(ctx, loadTimeout)
		f.value, f.err = f.load(ctx, func() uint64 {
			d.mu.Lock()
			defer d.mu.Unlock()
			f.begun, f.began = true, d.flights.moment
			return f.began
		})
		cancel()
		close(f.done)
	}
}

// endLoad ends the running load, and returns the next one of its thing, or nil.
func (d *Directory) endLoad(name string, of *loadsOf) *flight {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flights.count--
	if d.flights.count == 0 {
		clear(d.flights.forgotten)
		d.flights.floor = 0
	}
	of.running, of.next = of.next, nil
	if of.running == nil {
		delete(d.flights.loads, name)
	}
	return of.running
}

// wait waits for a load. It returns early if ctx ends, and the load continues for other callers.
func wait[V any](ctx context.Context, f *flight) (V, error) {
	select {
	case <-f.done:
		v, _ := f.value.(V)
		return v, f.err
	case <-ctx.Done():
		var none V
		return none, leftError(ctx.Err())
	}
}

// leftError returns the error for a context that ended before a load did.
func leftError(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return bellwire.Wrap(bellwire.CodeUnavailable, err, "the configuration could not be read in time; try again")
	}
	return bellwire.Wrap(bellwire.CodeCanceled, err, "the caller disconnected before the configuration was read")
}
