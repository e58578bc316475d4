package sqlite

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestSpaceIsUsedAgain deletes events again and again: the database stays as large as one round makes it.
func TestSpaceIsUsedAgain(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	check(s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme", CreatedAt: now}))
	pages := func() (n int64) {
		check(s.read(t.Context(), func(c *db) (err error) {
			n, _, err = c.query("PRAGMA page_count").scalar()
			return err
		}))
		return n
	}
	ids, data := new(bellwire.Sequence), make([]byte, 3000)
	var first int64
	for round := range 5 {
		for range 10 {
			a := new(bellwire.Append)
			for range 100 {
				a.Events = append(a.Events, &bellwire.NewEvent{Event: bellwire.Event{
					ID: bellwire.Next[bellwire.EventKind](ids, now), Tenant: "acme", Type: "x", Data: data, CreatedAt: now,
				}})
			}
			_, err := s.AppendEvents(t.Context(), []*bellwire.Append{a})
			check(err)
		}
		if round == 0 {
			first = pages()
		}
		now = now.Add(bellwire.RetentionReview)
		for n := 1; n > 0; {
			var err error
			n, err = s.Purge(t.Context(), now, now, 300)
			check(err)
		}
	}
	if last := pages(); last > first+first/10 {
		t.Errorf("it has grown from %d pages to %d", first, last)
	}
}

// TestPurgeGoesOn has kinds of rows that cannot be deleted: others are.
func TestPurgeGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault string
		keeps time.Duration // events, of which one is an hour old
		want  int
	}{
		"none":                        {"SELECT 1", time.Minute, 2},
		"retentions cannot be read":   {"UPDATE tenants SET limits = '{'", 2 * time.Hour, 1},
		"sessions cannot be written":  {"DROP TABLE sessions", time.Minute, 2},
		"audit entries cannot either": {"DROP TABLE audit", time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
			now := time.Now()
			check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
			check(t, s.AppendAudit(t.Context(), &bellwire.AuditEntry{
				ID: bellwire.NewID[bellwire.AuditKind](now), At: now, LastAt: now, Count: 1, Tenant: "acme", Action: "tenant.update", ExpiresAt: now,
			}, 100))
			id := bellwire.NewID[bellwire.EventKind](now.Add(-time.Hour))
			_, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{{Event: bellwire.Event{ID: id, Tenant: "acme", Type: "x", Data: []byte("1"), CreatedAt: now}}}}})
			check(t, err)
			check(t, s.write(t.Context(), func(w *writer) error { return w.exec(c.fault) }))
			n, err := s.Purge(t.Context(), now, now.Add(-c.keeps), 100)
			if n != c.want || (err == nil) != (name == "none") {
				t.Errorf("%d rows were deleted, want %d: %v", n, c.want, err)
			}
		})
	}
}

// TestWideEventsAreReadInParts has events with thousands of deliveries each: a read does not look for what is open in all of them.
func TestWideEventsAreReadInParts(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	now := time.Now()
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "ep", Tenant: "acme"}, bellwire.ChangeNote{}))
	deliver(t, s, "ep", 10)
	check(t, s.write(t.Context(), func(w *writer) error { return w.exec("UPDATE events SET deliveries = 2000") }))
	end := bellwire.FirstID[bellwire.EventKind](now.Add(time.Hour))
	ofAll, err := s.eventsBetween(t.Context(), bellwire.EventID{}, end, 100)
	check(t, err)
	var tenant int64
	check(t, s.read(t.Context(), func(c *db) (err error) {
		tenant, _, err = c.query("SELECT tenant FROM events").scalar()
		return err
	}))
	ofTenant, err := s.oldEventsOf(t.Context(), tenant, [16]byte{}, end, 100)
	check(t, err)
	if len(ofAll) != 3 || len(ofTenant) != 3 {
		t.Errorf("%d and %d events with 2000 deliveries each were read, want 3", len(ofAll), len(ofTenant))
	}
}

// BenchmarkRetention publishes one event after the other, alone and while old events are deleted as the server does it.
// One operation is one old event, with a delivery and an attempt.
func BenchmarkRetention(b *testing.B) {
	b.Run("alone", func(b *testing.B) {
		benchRetention(b, func(*bench, time.Time) { time.Sleep(10 * time.Second) })
	})
	b.Run("deleting", func(b *testing.B) { benchRetention(b, (*bench).deleteBefore) })
}

func benchRetention(b *testing.B, beside func(*bench, time.Time)) {
	w := newBench(b, 100)
	for n := 0; n < b.N; n += 1000 {
		group := w.group(1000, w.epoch)
		w.append(group)
		_, err := w.store.RecordResults(b.Context(), w.outcomes(group))
		w.check(err)
	}
	before, border := w.fileSize(), time.Now().Add(time.Minute)
	b.ResetTimer()
	done := make(chan struct{})
	go func() {
		defer close(done)
		beside(w, border)
	}()
	took := w.publishUntil(done, border)
	b.StopTimer()
	slices.Sort(took)
	for quantile, name := range map[float64]string{0.5: "p50-ms", 0.99: "p99-ms", 1: "max-ms"} {
		b.ReportMetric(float64(took[int(quantile*float64(len(took)-1))].Microseconds())/1000, name)
	}
	b.ReportMetric(100*float64(w.fileSize()-before)/float64(before), "growth-%")
}

// deleteBefore deletes events in the steps and with the pauses of the server's janitor.
func (w *bench) deleteBefore(border time.Time) {
	for {
		start := time.Now()
		n, err := w.store.Purge(w.Context(), start, border, 300)
		if err != nil {
			w.Error(err)
		}
		if n == 0 {
			return
		}
		time.Sleep(max(time.Since(start), 10*time.Millisecond))
	}
}

// publishUntil publishes events that are not old, and returns how long each took.
func (w *bench) publishUntil(done <-chan struct{}, border time.Time) (took []time.Duration) {
	at := border.Add(time.Second)
	for {
		select {
		case <-done:
			return took
		default:
		}
		e := &bellwire.NewEvent{
			Event: bellwire.Event{ID: bellwire.NewID[bellwire.EventKind](at), Tenant: w.endpoints[0][3:], Type: "x", Data: w.data, CreatedAt: at},
			Deliveries: []bellwire.NewDelivery{
				{ID: bellwire.NewID[bellwire.DeliveryKind](at), Endpoint: w.endpoints[0], Epoch: w.epoch},
			},
		}
		start := time.Now()
		w.append([]*bellwire.Append{{Events: []*bellwire.NewEvent{e}}})
		took = append(took, time.Since(start))
		time.Sleep(time.Millisecond)
	}
}

func (w *bench) fileSize() int64 {
	info, err := os.Stat(w.store.path)
	w.check(err)
	return info.Size()
}
