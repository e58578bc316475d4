package bench

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// load is a series of events to publish, in the order of their numbers.
type load struct {
	first, end int // numbers of the events
	publishers int
	batch      int
	rate       int                 // events a second; 0: as many as possible
	target     func(event int) int // endpoint
	node       func(event int) int // that is published to

	next    atomic.Int64 // number of the next event
	stopped atomic.Bool  // set to publish no more events
	refused atomic.Int64 // publishes answered 503, and repeated

	mu      sync.Mutex
	answers []time.Duration // from publish to its answer
}

// load returns the configured load of the events with the given numbers.
func (b *benchmark) load(first, end int) *load {
	o := b.options
	l := &load{first: first, end: end, publishers: o.Publishers, batch: o.Batch, rate: o.Rate}
	// The endpoints take turns, batch by batch.
	l.target = func(event int) int { return event / l.batch % o.Endpoints }
	// Each endpoint's events go to all nodes in turn.
	l.node = func(event int) int { return (event/l.batch + event/l.batch/o.Endpoints) % o.Nodes }
	l.next.Store(int64(first))
	return l
}

// published returns the number of published events. It must be called after publish has returned.
func (l *load) published() int { return min(int(l.next.Load()), l.end) - l.first }

// expected counts the deliveries of a published load that must arrive.
func (b *benchmark) expected(l *load) int {
	n := 0
	for i := range l.published() {
		if b.options.acknowledges(l.target(l.first + i)) {
			n++
		}
	}
	return n
}

// pad returns the padding for the configured size of data.
func (b *benchmark) pad() []byte { return bytes.Repeat([]byte("x"), b.options.Size-minData) }

// publish publishes a load.
func (b *benchmark) publish(ctx context.Context, l *load) error {
	pad := b.pad()
	started := time.Now()
	return parallel(l.publishers, func() error {
		p := newPoster(ctx, b.client)
		var body []byte
		var answers []time.Duration
		for !l.stopped.Load() {
			first := int(l.next.Add(int64(l.batch))) - l.batch
			if first >= l.end {
				break
			}
			if l.rate > 0 {
				time.Sleep(time.Until(started.Add(time.Duration(first-l.first) * time.Second / time.Duration(l.rate))))
			}
			now := time.Now()
			to := b.tenants[l.node(first)][l.target(first)]
			if l.batch == 1 {
				body = appendEvent(body[:0], first, b.options.Keys, now, pad)
			} else {
				to = to.JoinPath("batch")
				body = appendBatch(body[:0], first, min(first+l.batch, l.end), b.options.Keys, now, pad)
			}
			if err := l.post(p, to, body); err != nil {
				return err
			}
			answers = append(answers, time.Since(now))
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.answers = append(l.answers, answers...)
		return nil
	})
}

// refusedPause is the time that a publisher waits after an answer of 503.
const refusedPause = 10 * time.Millisecond

// post publishes until it is accepted.
func (l *load) post(p *poster, to *url.URL, body []byte) error {
	for {
		err := p.post(to, body, http.StatusAccepted)
		var unexpected *unexpectedStatus
		if !errors.As(err, &unexpected) || unexpected.status != http.StatusServiceUnavailable {
			return err
		}
		l.refused.Add(1)
		select {
		case <-time.After(refusedPause):
		case <-p.request.Context().Done():
			return err
		}
	}
}
