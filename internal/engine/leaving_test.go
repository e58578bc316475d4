package engine

import (
	"context"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// slowStore takes long for an append.
type slowStore struct{ Store }

func (slowStore) AppendEvents(context.Context, []*bellwire.Append) ([]bellwire.AppendResult, error) {
	time.Sleep(50 * time.Millisecond)
	return []bellwire.AppendResult{{Events: make([]bellwire.AppendedEvent, 1)}}, nil
}

type emptyDirectory struct{ Directory }

func (emptyDirectory) Subscriptions(context.Context, string) (bellwire.Subscriptions, int64, error) {
	return noSubscriptions{}, 1, nil
}

type noSubscriptions struct{}

func (noSubscriptions) Recipients(context.Context, []bellwire.NewEvent, [][]*bellwire.Target, bellwire.Observer) error {
	return nil
}
func (noSubscriptions) JobFilter(string) (bellwire.JobFilter, error) { return nil, nil }
func (noSubscriptions) Sift(context.Context, bellwire.Sieve, *bellwire.Selected) (int, error) {
	return 0, nil
}
func (noSubscriptions) Targets() []*bellwire.Target { return nil }

func (noSubscriptions) Match(string) []*bellwire.Target { return nil }

// A publisher that leaves does not touch the result, which the batcher is about to write: the race detector sees it.
func TestPublisherThatLeaves(t *testing.T) {
	t.Parallel()
	scheduler := lanes.New(lanes.Config{
		MaxInFlight: 1, MaxQueued: 1, MaxBytes: 1, Start: func(*lanes.Task) {}, Release: func([]*lanes.Task) {}, WakeClaimer: func() {},
	})
	b := newBatcher(batcherDeps{
		store: slowStore{}, scheduler: scheduler, observer: bellwire.NopObserver{}, clock: time.Now, ids: new(bellwire.Sequence), deferred: func() {}, forwarder: new(forwarder),
		commits: new(commitTimer),
	}, ordinaryBytes)
	p := &publisher{directory: emptyDirectory{}, scheduler: scheduler, observer: bellwire.NopObserver{}, gate: new(gate), batcher: b}
	p.gate.set(true)
	ended := make(chan struct{})
	go func() {
		b.run(t.Context())
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	s := submissionOf("acme", 1)
	s.targets, s.done = make([][]*bellwire.Target, 1), make(chan struct{}, 1)
	if err := p.publish(ctx, "acme", s, nil); bellwire.CodeOf(err) != bellwire.CodeCanceled {
		t.Errorf("got %v", err)
	}
	b.close()
	<-ended
}
