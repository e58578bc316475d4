package engine_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/testenv"
)

// Three nodes publish for each other while messages between them are lost and late, answers are lost, claims and commits have no
// known outcome and, in some runs, shards move or a node dies. Every delivery is sent, none twice unless a shard moved or a node died,
// FIFO endpoints receive their events in order, and endpoints ordered by key those of each key.
func TestForwardsInAnySchedule(t *testing.T) {
	testenv.Long(t)
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) { forwardAtRandom(t, seed, moves(seed)) })
	}
}

// moves says what happens to shards.
type moves int

const (
	nothingMoves moves = iota
	alsoNothing
	shardsMove
	aNodeDies
)

func forwardAtRandom(t *testing.T, seed uint64, what moves) {
	inCluster(t, 3, func(t *testing.T, c *cluster) {
		r := rand.New(rand.NewPCG(seed, 1)) // #nosec G404 -- the schedule is to be repeatable
		receivers, ids, ofKeys := make([]*receiver, 6), make([][]bellwire.EventID, 6), make([]map[string][]string, 6)
		_, err := c.store.PutEventType(t.Context(), &bellwire.EventType{Name: "unused", CreatedAt: now(), UpdatedAt: now()})
		must(t, err)
		for i := range receivers {
			failing := i >= 4 // which retries
			slow := time.Duration(r.IntN(20)) * time.Millisecond
			receivers[i] = c.receiver(fmt.Sprint("r", i), func(n int, w http.ResponseWriter, _ *http.Request) {
				time.Sleep(slow)
				if failing && n%7 == 3 {
					w.WriteHeader(http.StatusInternalServerError)
				}
			})
			ofKeys[i] = make(map[string][]string)
			name := fmt.Sprintf("ping%d", i)
			_, err := c.store.PutEventType(t.Context(), &bellwire.EventType{Name: name, CreatedAt: now(), UpdatedAt: now()})
			must(t, err)
			c.endpointOf(i%3, fmt.Sprint("r", i), func(ep *bellwire.Endpoint) {
				ep.Events = []string{name}
				ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(5 * time.Second), Count: 100}
				switch {
				case i%2 == 0:
					ep.Ordering = bellwire.OrderingFIFO
				case i >= 3:
					ep.Ordering = bellwire.OrderingKey
				}
			})
		}
		c.tell(-1, bellwire.Notification{Configuration: true})
		c.pass(time.Second)
		c.injectFaults(r)
		for step := range 400 {
			i := r.IntN(len(receivers))
			n := c.nodes[r.IntN(len(c.nodes))]
			if n.dead.Load() {
				continue
			}
			key := fmt.Sprint(r.IntN(3))
			receipts, err := n.engine.Publish(t.Context(), &engine.Publication{
				Tenant: "acme", Events: []engine.Draft{{Type: fmt.Sprintf("ping%d", i), Data: fmt.Appendf(nil, "%d", step), OrderingKey: key}},
			})
			if err == nil {
				ids[i] = append(ids[i], receipts[0].Event)
				ofKeys[i][key] = append(ofKeys[i][key], receipts[0].Event.String())
			}
			switch {
			case what == shardsMove && r.IntN(60) == 0:
				c.move(r.IntN(bellwire.Shards), r.IntN(3))
				c.tell(-1, bellwire.Notification{Leases: true})
			case what == shardsMove && r.IntN(30) == 0:
				c.moveOf(r)
			case what == aNodeDies && step == 200:
				c.nodes[2].crash()
			}
			if r.IntN(3) == 0 {
				time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
			}
		}
		c.stopFaults()
		c.pass(10 * time.Minute)
		for i, re := range receivers {
			got := re.ids()
			for _, id := range texts(ids[i]) {
				if !slices.Contains(got, id) {
					t.Errorf("the receiver %d did not get %s", i, id)
				}
			}
			failures := 0
			if i >= 4 {
				failures = (len(re.got()) + 4) / 7
			}
			if extra := len(re.got()) - len(got) - failures; extra > 0 && what < shardsMove {
				t.Errorf("the receiver %d got %d events in %d requests, of which %d failed", i, len(got), len(re.got()), failures)
			}
			if i == 3 || i == 5 {
				inKeyOrder(t, ofKeys[i], slices.DeleteFunc(slices.Clone(got), func(id string) bool { return !slices.Contains(texts(ids[i]), id) }))
			}
			if i%2 == 0 {
				acknowledged := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return !slices.Contains(texts(ids[i]), id) })
				if diff := cmp.Diff(texts(ids[i]), acknowledged); diff != "" {
					t.Errorf("the receiver %d: order of first receipt (-want +got): %s", i, diff)
				}
			}
		}
	})
}

// injectFaults makes things go wrong at random.
func (c *cluster) injectFaults(r *rand.Rand) {
	for _, n := range c.nodes {
		own := rand.New(rand.NewPCG(r.Uint64(), 2)) // #nosec G404 -- the schedule is to be repeatable
		loss, answerLoss := own.Float64()*0.2, own.Float64()*0.2
		n.link.change(func() (delay time.Duration, lost, answerLost bool) {
			switch p := own.Float64(); {
			case p < 0.05:
				delay = time.Duration(own.IntN(8000)) * time.Millisecond
			case p < 0.5:
				delay = time.Duration(own.IntN(30)) * time.Millisecond
			}
			return delay, chance(own, loss), chance(own, answerLoss)
		})
		claims := rand.New(rand.NewPCG(r.Uint64(), 3)) // #nosec G404 -- the schedule is to be repeatable
		n.fail(func() error {
			time.Sleep(time.Duration(claims.IntN(25)) * time.Millisecond) // arrivals come meanwhile
			if chance(claims, 0.1) {
				return unknown()
			}
			return nil
		})
	}
}

// stopFaults ends that.
func (c *cluster) stopFaults() {
	for _, n := range c.nodes {
		n.link.change(nil)
		n.fail(nil)
	}
}

// moveOf moves the shard of one of the endpoints.
func (c *cluster) moveOf(r *rand.Rand) {
	list, err := c.store.Endpoints(c.t.Context(), bellwire.EndpointFilter{Tenant: "acme"}, bellwire.Page{Limit: 100})
	must(c.t, err)
	c.move(bellwire.ShardOf(list.Items[r.IntN(len(list.Items))].ID), r.IntN(3))
	c.tell(-1, bellwire.Notification{Leases: true})
}
