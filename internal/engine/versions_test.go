package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// addVersion adds a version to an event type, as the service of another node does.
func (w *world) addVersion(name, converter string) {
	w.t.Helper()
	t, err := w.store.EventType(w.t.Context(), name)
	must(w.t, err)
	t.Older = append(t.Older, bellwire.OlderVersion{Converter: converter, Since: t.Since})
	t.Since = bellwire.SinceNow
	must(w.t, w.store.ReplaceEventType(w.t.Context(), t))
	if !w.silent {
		w.directory.ForgetCatalogue()
	}
}

// convertBy replaces the converter to version 1 of an event type.
func (w *world) convertBy(name, converter string) {
	w.t.Helper()
	t, err := w.store.EventType(w.t.Context(), name)
	must(w.t, err)
	t.Older = slices.Clone(t.Older)
	t.Older[0].Converter = converter
	must(w.t, w.store.ReplaceEventType(w.t.Context(), t))
	w.directory.ForgetCatalogue()
}

// versioned has the newest version of each type set in the drafts, as the service does.
type versioned struct {
	w      *world
	drafts []engine.Draft
}

func (v versioned) Check(ctx context.Context, _ bool) (int64, error) {
	c, err := v.w.directory.Catalogue(ctx)
	if err != nil {
		return 0, err
	}
	for i := range v.drafts {
		t, _ := c.Type(v.drafts[i].Type)
		v.drafts[i].Version = t.Newest()
	}
	return c.Revision, nil
}

// publishNewest publishes data of the newest version of ping.
func (w *world) publishNewest(data string) bellwire.EventID {
	w.t.Helper()
	drafts := []engine.Draft{{Type: "ping", Data: []byte(data)}}
	receipts, err := w.engine.Publish(w.t.Context(), &engine.Publication{Tenant: "acme", Events: drafts, Checks: versioned{w, drafts}})
	must(w.t, err)
	return receipts[0].Event
}

// data returns what a receiver got as data, one request after the other.
func (r *receiver) data() (all []string) {
	for _, g := range r.got() {
		_, data, _ := strings.Cut(g.body, `"data":`)
		all = append(all, strings.TrimSuffix(data, "}"))
	}
	return all
}

func (w *world) wants(r *receiver, data ...string) {
	w.t.Helper()
	if got := r.data(); fmt.Sprint(got) != fmt.Sprint(data) {
		w.t.Errorf("%s got %q, want %q", r.name, got, data)
	}
}

// Each endpoint gets the version that was the newest when it was created, however many versions come later, and an attempt records
// which.
func TestEndpointsGetTheirVersions(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.endpoint("first")
		w.addVersion("ping", `{"n": data.number}`)
		w.endpoint("second")
		w.addVersion("ping", `{"number": data.value.number}`)
		w.endpoint("third")
		receivers := []*receiver{w.receiver("first", answers(200)), w.receiver("second", answers(200)), w.receiver("third", answers(200))}
		id := w.publishNewest(`{"value": {"number": 1.50}}`)
		w.pass(time.Second)
		w.wants(receivers[0], `{"n":1.50}`)
		w.wants(receivers[1], `{"number":1.50}`)
		w.wants(receivers[2], `{"value": {"number": 1.50}}`)
		e, err := w.store.Event(t.Context(), "acme", id)
		must(t, err)
		if e.Version.Number != 3 {
			t.Errorf("the event has version %+v", e.Version)
		}
		attempts, err := w.store.Attempts(t.Context(), w.deliveries(first.ID)[0].ID, 1)
		must(t, err)
		request := attempts[0].Request
		if request.Version != 1 || request.Dialect != "standard" || request.BodyHash == [32]byte{} {
			t.Errorf("the attempt records %+v", request)
		}
	})
}

// An event of an earlier version is not converted for endpoints that get a later one.
func TestEventsOfEarlierVersionsStayAsTheyAre(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		r := w.receiver("a", answers(200))
		w.publishNewest(`1`)
		w.addVersion("ping", `data + 1`)
		w.publishNewest(`10`)
		w.update(ep.ID, func(ep *bellwire.Endpoint) {
			ep.Status = bellwire.EndpointEnabled
			ep.Versions = map[string]bellwire.Version{"ping": {Number: 2, Since: 1 << 40}}
		})
		w.pass(time.Minute)
		w.wants(r, `1`, `10`)
	})
}

// A retry is made in the version that the endpoint has been moved to.
func TestRetriesFollowAMove(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ep := w.endpoint("a")
		w.addVersion("ping", `{"old": data}`)
		r := w.receiver("a", answers(500, 200))
		w.publishNewest(`7`)
		w.pass(time.Second)
		w.wants(r, `{"old":7}`)
		w.update(ep.ID, func(ep *bellwire.Endpoint) {
			kind, err := w.store.EventType(t.Context(), "ping")
			must(t, err)
			ep.Versions = map[string]bellwire.Version{"ping": kind.Newest()}
		})
		w.pass(time.Minute)
		w.wants(r, `{"old":7}`, `7`)
	})
}

// A converter that fails ends the delivery at once, with its reason, and no other.
func TestFailingConvertersHarmOneDelivery(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Ordering = bellwire.OrderingFIFO })
		w.addVersion("ping", `data.name`)
		w.endpoint("b")
		older, newest := w.receiver("a", answers(200)), w.receiver("b", answers(200))
		w.publishNewest(`{"name": "x"}`)
		w.publishNewest(`{"title": "y"}`)
		w.publishNewest(`{"name": "z"}`)
		w.pass(time.Second)
		w.wants(older, `"x"`, `"z"`)
		if n := len(newest.got()); n != 3 {
			t.Errorf("the other endpoint got %d events", n)
		}
		d := w.deliveries(ep.ID)[1]
		const want = `the data cannot be converted to version 1 of event type "ping": data.name does not exist`
		if d.Status != bellwire.DeliveryExhausted || d.Reason != want || d.Attempts != 0 {
			t.Errorf("the delivery is %s after %d attempts: %s", d.Status, d.Attempts, d.Reason)
		}
	})
}

// An event whose type was deleted, and perhaps made again, is delivered as it was published: there is nothing to convert it with.
func TestEventsOfDeletedTypesAreDelivered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		w.addVersion("ping", `{"old": data}`)
		r := w.receiver("a", answers(200))
		w.publishNewest(`1`)
		must(t, w.store.DeleteEventType(t.Context(), "ping"))
		w.directory.ForgetCatalogue()
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointEnabled })
		w.pass(time.Minute)
		w.wants(r, `1`)

		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		_, err := w.store.PutEventType(t.Context(), &bellwire.EventType{Name: "ping", CreatedAt: now(), UpdatedAt: now()})
		must(t, err)
		w.addVersion("ping", `{"other": data}`)
		w.publishNewest(`2`)
		must(t, w.store.DeleteEventType(t.Context(), "ping"))
		_, err = w.store.PutEventType(t.Context(), &bellwire.EventType{Name: "ping", CreatedAt: now(), UpdatedAt: now()})
		must(t, err)
		w.addVersion("ping", `{"unrelated": data}`)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointEnabled })
		w.pass(time.Minute)
		w.wants(r, `1`, `2`)
	})
}

// A node that has not heard of a version reads it when it delivers an event of it.
func TestAStaleCatalogueIsReadAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.endpoint("a")
		r := w.receiver("a", answers(200))
		_, err := w.directory.Catalogue(t.Context())
		must(t, err)
		w.silent = true
		w.addVersion("ping", `{"old": data}`)
		kind, err := w.store.EventType(t.Context(), "ping")
		must(t, err)
		// The other node has published it.
		_, err = w.engine.Publish(t.Context(), &engine.Publication{
			Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte(`1`), Version: kind.Newest()}},
		})
		must(t, err)
		w.pass(time.Second)
		w.wants(r, `{"old":1}`)
	})
}

// counting counts the conversions of a directory.
type countingDirectory struct {
	engine.Directory
	converted *atomic.Int64
}

func (d countingDirectory) Subscriptions(ctx context.Context, tenant string) (bellwire.Subscriptions, int64, error) {
	s, revision, err := d.Directory.Subscriptions(ctx, tenant)
	return countingSubscriptions{s, d.converted}, revision, err
}

type countingSubscriptions struct {
	bellwire.Subscriptions
	converted *atomic.Int64
}

func (s countingSubscriptions) Recipients(ctx context.Context, events []bellwire.NewEvent, targets [][]*bellwire.Target, o bellwire.Observer) error {
	err := s.Subscriptions.Recipients(ctx, events, targets, o)
	for i := range targets {
		counted := make([]*bellwire.Target, len(targets[i]))
		for k, target := range targets[i] {
			other := *target
			other.Versions = countingVersions{target.Versions, s.converted}
			counted[k] = &other
		}
		targets[i] = counted
	}
	return err
}

type countingVersions struct {
	bellwire.Versions
	converted *atomic.Int64
}

func (v countingVersions) Conversion(ctx context.Context, ep *bellwire.Endpoint, e *bellwire.Event) (bellwire.Conversion, error) {
	c, err := v.Versions.Conversion(ctx, ep, e)
	if c == nil {
		return nil, err
	}
	return countingConversion{c, v.converted}, err
}

type countingConversion struct {
	bellwire.Conversion
	converted *atomic.Int64
}

func (c countingConversion) Convert(e *bellwire.Event) (*bellwire.Event, int, error) {
	c.converted.Add(1)
	return c.Conversion.Convert(e)
}

// An event is converted once for all the endpoints that get the same version of it.
func TestFanOutConvertsOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var receivers []*receiver
		for i := range 20 {
			name := fmt.Sprint("r", i)
			w.endpoint(name)
			receivers = append(receivers, w.receiver(name, answers(200)))
			if i == 9 {
				w.addVersion("ping", `{"first": data.second}`)
			}
		}
		w.addVersion("ping", `{"second": data}`)
		w.stop()
		var converted atomic.Int64
		w.around = func(d engine.Directory) engine.Directory { return countingDirectory{d, &converted} }
		w.start()
		w.publishNewest(`3`)
		w.pass(time.Second)
		for i, r := range receivers {
			if i < 10 {
				w.wants(r, `{"first":3}`)
			} else {
				w.wants(r, `{"second":3}`)
			}
		}
		if n := converted.Load(); n != 2 {
			t.Errorf("the event was converted %d times for two versions", n)
		}
	})
}

// A converter that was replaced is used from then on, also for events that are in memory because another endpoint hangs, and for those
// that the one before could not convert.
func TestReplacedConvertersAreUsed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ep := w.endpoint("a", every(5*time.Second, 1))
		r := w.receiver("a", answers(500, 200))
		w.addVersion("ping", `{"wrong": data}`)
		w.hanging(1)
		w.publishNewest(`7`)
		w.pass(time.Second)
		w.convertBy("ping", `data.missing`)
		w.publishNewest(`8`)
		w.pass(time.Second)
		w.convertBy("ping", `{"right": data}`)
		failed := w.deliveries(ep.ID)[1]
		if failed.Status != bellwire.DeliveryExhausted || failed.Attempts != 0 {
			t.Fatalf("the delivery that cannot be converted is %s after %d attempts", failed.Status, failed.Attempts)
		}
		_, err := w.store.RestartDelivery(t.Context(), failed.Tenant, failed.ID, now())
		must(t, err)
		w.engine.Refresh(ep.ID)
		w.pass(time.Second)
		w.wants(r, `{"wrong":7}`, `{"right":8}`)
		w.pass(5 * time.Second)
		w.wants(r, `{"wrong":7}`, `{"right":8}`, `{"right":7}`)
	})
}

// A filter sees the data that its endpoint gets.
func TestFiltersSeeTheVersion(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Filter, ep.OnError = "data.old > 5", bellwire.OnErrorSkip })
		w.addVersion("ping", `{"old": data.new}`)
		r := w.receiver("a", answers(200))
		w.publishNewest(`{"new": 4}`)
		w.publishNewest(`{"new": 6}`)
		w.publishNewest(`{}`) // cannot be converted, so that the filter has no answer
		w.pass(time.Second)
		w.wants(r, `{"old":6}`)
	})
}

// What was published inside the database before a version was added is checked against the schema of that moment.
func TestUnmatchedEventsKeepTheirVersion(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := withOutbox(w)
		w.endpoint("a")
		r := w.receiver("a", answers(200))
		putSchema(t, w, `{"type": "number"}`)
		kind, err := w.store.EventType(t.Context(), "ping")
		must(t, err)
		kind.Older = []bellwire.OlderVersion{{Schema: kind.Schema, Converter: "data.n"}}
		kind.Since, kind.Schema = bellwire.SinceNow, []byte(`{"type": "object"}`)
		must(t, w.store.ReplaceEventType(t.Context(), kind))
		w.directory.ForgetCatalogue()
		in.put(`1`)
		w.pass(2 * time.Second)
		w.wants(r, `1`)
	})
}
