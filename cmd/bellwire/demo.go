package main

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/demo"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/store/sqlite"
	"github.com/bellwire/bellwire/internal/telemetry"
)

type demoCommand struct {
	Once     bool   `help:"End when every delivery has been verified; exit code 0 only then."`
	LogLevel string `default:"error" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Minimum level of the server's log records that are shown: debug, info, warn or error."`
}

// Help is shown below the options.
func (c *demoCommand) Help() string {
	return `Starts a server on a temporary database, and receivers that verify the signatures of real payloads in every dialect.
One receiver fails twice before it accepts. Everything is removed at the end.

Without --once, events go on for three customers, one of whose endpoints is down, one slow, and one failing now and then.
A link signs you in to the console, where you can watch them. What came before is made up: charts show thirty days, and lists
some events of the last three.

  bellwire demo           look around in the console until Ctrl-C
  bellwire demo --once    for scripts`
}

// Run follows an event from end to end.
func (c *demoCommand) Run(ctx context.Context, std streams) (err error) {
	dir, err := os.MkdirTemp("", "bellwire-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := demoSettings(dir, c.LogLevel)
	srv, err := openServer(ctx, s, given{}, s.logger(std.err))
	if err != nil {
		return err
	}
	if err := srv.start(ctx); err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- srv.run(serving) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	return demo.Play(ctx, demo.Config{
		URL: srv.url(), Key: srv.adminKey, Out: std.out, Colour: isTerminal(std.out), Once: c.Once,
		Past: func(ctx context.Context, past iter.Seq[demo.Counted]) error { return countPast(ctx, srv.store, past) },
		Recent: func(ctx context.Context, sent []demo.Sent) error {
			return storeRecent(ctx, srv, sent)
		},
	})
}

// countPast puts the demonstration's past into the statistics.
func countPast(ctx context.Context, store bellwire.Store, past iter.Seq[demo.Counted]) error {
	err := store.(*sqlite.Store).CountPast(ctx, func(yield func(bellwire.Counted) bool) {
		for c := range past {
			if !yield(bellwire.Counted{At: c.At, Tenant: c.Tenant, Endpoint: c.Endpoint, Type: c.Type, Outcome: bellwire.Outcome(c.Outcome), Took: c.Took}) {
				return
			}
		}
	})
	for moved := 1; err == nil && moved > 0; {
		moved, err = store.RollUp(ctx, limits.StatisticsLargestStep)
	}
	return err
}

// recentChunk is how many events or attempts of the last days are stored in one transaction.
const recentChunk = 500

// storeRecent stores events of the demonstration's last days, and what became of them, as if this node had sent them.
func storeRecent(ctx context.Context, srv *server, sent []demo.Sent) error {
	if err := srv.store.(*sqlite.Store).Backdate(ctx, time.Now().AddDate(0, 0, -demo.PastDays)); err != nil {
		return err
	}
	leases, err := srv.store.RenewLeases(ctx, srv.node())
	if err != nil {
		return err
	}
	var results []*bellwire.Result
	for chunk := range slices.Chunk(sent, recentChunk) {
		appends := make([]*bellwire.Append, len(chunk))
		for i, s := range chunk {
			event := recentEvent(s, leases)
			appends[i] = &bellwire.Append{Events: []*bellwire.NewEvent{event}}
			ended, err := recentResults(ctx, srv, s, event)
			if err != nil {
				return err
			}
			results = append(results, ended...)
		}
		if _, err := srv.store.AppendEvents(ctx, appends); err != nil {
			return err
		}
	}
	slices.SortStableFunc(results, func(a, b *bellwire.Result) int { return a.EndedAt.Compare(b.EndedAt) })
	for chunk := range slices.Chunk(results, recentChunk) {
		if _, err := srv.store.RecordResults(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// recentEvent returns an event of the last days. Its deliveries are claimed, but for those that wait.
func recentEvent(s demo.Sent, leases *bellwire.Leases) *bellwire.NewEvent {
	at := bellwire.StoredTime(s.At)
	e := &bellwire.NewEvent{
		Event: bellwire.Event{
			ID: bellwire.NewID[bellwire.EventKind](at), Tenant: s.Tenant, Type: s.Type, Data: s.Data, IdempotencyKey: s.ID,
			CreatedAt: at, Deliveries: len(s.Deliveries),
		},
		Digest: bellwire.Digest(s.Type, s.Data),
	}
	for i, d := range s.Deliveries {
		n := bellwire.NewDelivery{ID: bellwire.DeliveryOf(e.Event.ID, i), Endpoint: d.Endpoint}
		if len(d.Attempts) > 0 {
			n.Epoch = leases.Epochs[bellwire.ShardOf(d.Endpoint)]
		}
		e.Deliveries = append(e.Deliveries, n)
	}
	return e
}

// recentResults returns the attempts to deliver an event of the last days. The last one of each delivery ends it; the others leave it
// claimed.
func recentResults(ctx context.Context, srv *server, s demo.Sent, e *bellwire.NewEvent) (results []*bellwire.Result, err error) {
	for i, d := range s.Deliveries {
		t, err := srv.directory.Target(ctx, d.Endpoint)
		if err != nil {
			return nil, err
		}
		for n, a := range d.Attempts {
			r := &bellwire.Result{
				Delivery: e.Deliveries[i].ID, EventType: s.Type, Trigger: bellwire.TriggerSchedule, Epoch: e.Deliveries[i].Epoch,
				EndedAt: bellwire.StoredTime(a.At), Endpoint: d.Endpoint, EndpointRevision: t.Endpoint.Revision,
				Health: bellwire.HealthNote{Kind: bellwire.HealthCounts, DisableAfter: t.Endpoint.AutoDisableAfter},
			}
			if r.Attempt, err = recentAttempt(t, &e.Event, r, a); err != nil {
				return nil, err
			}
			switch {
			case a.Outcome == string(bellwire.OutcomeOK):
				r.Transition.Status = bellwire.DeliverySucceeded
			case n == len(d.Attempts)-1:
				r.Transition = bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: bellwire.ReasonRetriesSpent}
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// recentAttempt returns an attempt with the request that the endpoint's dialect would have made.
func recentAttempt(t *bellwire.Target, e *bellwire.Event, r *bellwire.Result, a demo.Attempted) (*bellwire.Attempt, error) {
	at := bellwire.StoredTime(a.At.Add(-a.Took))
	m := &bellwire.Message{Event: e, Delivery: r.Delivery, SentAt: at}
	body, err := t.Renderer.AppendBody(nil, m)
	if err != nil {
		return nil, err
	}
	headers := make(http.Header)
	t.Renderer.SetHeaders(headers, m, body)
	made := &bellwire.Attempt{
		ID: bellwire.NewID[bellwire.AttemptKind](at), Delivery: r.Delivery, Trigger: r.Trigger, StartedAt: at,
		Timings: bellwire.Timings{FirstByte: a.Took, Total: a.Took}, Outcome: bellwire.Outcome(a.Outcome), Error: a.Error,
		Request: bellwire.AttemptRequest{URL: t.Endpoint.URL, BodyBytes: len(body)},
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		made.Request.Headers = append(made.Request.Headers, bellwire.Header{Name: strings.ToLower(name), Value: strings.Join(headers[name], ", ")})
	}
	if a.Status > 0 {
		made.Response = &bellwire.AttemptResponse{
			Status: a.Status, Body: []byte(a.Response), Headers: []bellwire.Header{{Name: "date", Value: a.At.UTC().Format(http.TimeFormat)}},
		}
	}
	return made, nil
}

func demoSettings(dir, logLevel string) *settings {
	return &settings{
		Listen: "127.0.0.1:0", DrainTimeout: 5 * time.Second,
		storage:      storage{DatabaseURL: databaseURL{path: filepath.Join(dir, "bellwire.db")}},
		AllowNetwork: []network{{netip.MustParsePrefix("127.0.0.0/8")}},
		Limits:       []limitValue{{limits.MinRetryDelay, 0.2}}, // retries must not keep anybody waiting
		LogFormat:    telemetry.FormatText, LogLevel: logLevel, MaxEventBytes: service.DefaultMaxEventBytes,
	}
}
