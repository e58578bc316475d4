package rollup

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestQuantilesAreNearlyRight compares quantiles of sketches that were added up in parts, encoded and read again with the
// durations themselves.
func TestQuantilesAreNearlyRight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		durations := rapid.SliceOfN(rapid.Int64Range(int64(shortest), int64(2*time.Hour)), 1, 200).Draw(t, "durations")
		parts := make([]sketch, 3)
		for i, d := range durations {
			parts[i%3].add(bucketOf(time.Duration(d)), 1)
		}
		var whole sketch
		for _, part := range parts {
			r := &reader{data: part.encode(nil)}
			whole.merge(r.sketch())
			if err := r.err(); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(durations)
		if whole.count() != uint64(len(durations)) {
			t.Fatalf("%d of %d durations are counted", whole.count(), len(durations))
		}
		for _, share := range []float64{.01, .5, .99, 1} {
			want := float64(durations[int(math.Ceil(share*float64(len(durations))))-1])
			if got := float64(whole.quantile(share)); math.Abs(got-want) > .05*want {
				t.Errorf("quantile %g is %s, want %s", share, time.Duration(got), time.Duration(want))
			}
		}
	})
}

func TestQuantilesOfExtremes(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]time.Duration{0: shortest, time.Nanosecond: shortest, -time.Second: shortest, 1000 * time.Hour: middleOf(buckets - 1)} {
		var s sketch
		s.add(bucketOf(d), 1)
		if got := s.quantile(.5); got != want {
			t.Errorf("%s is shown as %s, want %s", d, got, want)
		}
	}
	if got := (sketch)(nil).quantile(.5); got != 0 {
		t.Errorf("the median of nothing is %s", got)
	}
}

// TestEveryOutcomeHasANumber keeps the numbers as they are stored.
func TestEveryOutcomeHasANumber(t *testing.T) {
	t.Parallel()
	for want, o := range []bellwire.Outcome{"ok", "status", "blocked", "dns", "connect", "tls", "timeout", "reset", "protocol"} {
		if n := outcomeNumber(o); n != want {
			t.Errorf("%s has the number %d, want %d", o, n, want)
		}
	}
}

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func attempt(endpoint, eventType string, outcome bellwire.Outcome) *bellwire.Result {
	return &bellwire.Result{
		Endpoint: endpoint, EventType: eventType, EndedAt: at, Trigger: bellwire.TriggerSchedule,
		Attempt: &bellwire.Attempt{Outcome: outcome, Timings: bellwire.Timings{Total: time.Second}},
	}
}

// TestDeltaCountsOnlyPlaces leaves out attempts that turned out not to be stored.
func TestDeltaCountsOnlyPlaces(t *testing.T) {
	t.Parallel()
	var d Delta
	for range 2 { // a delta is used again
		d.Reset()
		for _, endpoint := range []string{"a", "b", "a"} {
			d.Attempt(attempt(endpoint, "t", bellwire.OutcomeOK))
		}
	}
	for want, indexes := range map[uint64][]int16{3: nil, 2: {0, 1}, 1: {2}} {
		sum := NewSum()
		if err := sum.Add(d.Encode(), indexes); err != nil {
			t.Fatal(err)
		}
		b := sum.Buckets(map[string]Owner{"a": {Tenant: 1}, "b": {Tenant: 1}}, map[int64]bool{1: true})[Key{1, bellwire.Day, bellwire.Day.Begin(at)}]
		if got := b.views[ByNothing].group(name{}).weight(); got != want {
			t.Errorf("indexes %v count %d attempts, want %d", indexes, got, want)
		}
	}
}

// TestDeltaKeepsLongDurations counts attempts whose buckets do not fit in seven bits.
func TestDeltaKeepsLongDurations(t *testing.T) {
	t.Parallel()
	for _, took := range []time.Duration{0, 19 * time.Second, 20 * time.Second, time.Minute, 1000 * time.Hour} {
		var d Delta
		r := attempt("a", "t", bellwire.OutcomeTimeout)
		r.Attempt.Timings.Total = took
		d.Attempt(r)
		d.Attempt(attempt("b", "t", bellwire.OutcomeOK))
		sum := NewSum()
		if err := sum.Add(d.Encode(), nil); err != nil {
			t.Errorf("%s: %v", took, err)
			continue
		}
		durations := sum.attempts[d.attempts.kinds[0]]
		if durations == nil || durations.count() != 1 || durations.quantile(1) != middleOf(bucketOf(took)) {
			t.Errorf("%s is counted as %v", took, durations)
		}
	}
}

// TestDeltaIsCut adds events and attempts, and removes those after a mark.
func TestDeltaIsCut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var d Delta
		add := func(into *Delta, names []string) {
			for _, name := range names {
				into.Publish(int64(len(name)), &bellwire.Event{Type: name}, at)
				into.Attempt(attempt(name, name, bellwire.OutcomeOK))
			}
		}
		names := rapid.SliceOf(rapid.StringMatching("[ab]{1,3}"))
		var want []string
		for range rapid.IntRange(1, 5).Draw(t, "rounds") {
			mark, kept := d.Mark(), names.Draw(t, "kept")
			add(&d, names.Draw(t, "cut"))
			d.Cut(mark)
			add(&d, kept)
			want = append(want, kept...)
		}
		var whole Delta
		add(&whole, want)
		if d.Len() != 2*len(want) || !bytes.Equal(d.Encode(), whole.Encode()) {
			t.Errorf("the delta counts %d and is %x, want %d and %x", d.Len(), d.Encode(), 2*len(want), whole.Encode())
		}
	})
}

// TestFoldingKeepsSums adds many groups in several steps. Whatever is taken together, the sums stay.
func TestFoldingKeepsSums(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		stored := NewBucket().Encode()
		var published, attempts uint64
		for range rapid.IntRange(1, 5).Draw(t, "steps") {
			var d Delta
			for range rapid.IntRange(0, 120).Draw(t, "attempts") {
				n := rapid.IntRange(0, 150).Draw(t, "n")
				d.Attempt(attempt(fmt.Sprint("ep_", n), fmt.Sprint("type", n%130), outcomes[n%len(outcomes)]))
				attempts++
			}
			for range rapid.IntRange(0, 120).Draw(t, "events") {
				d.Publish(1, &bellwire.Event{Type: fmt.Sprint("type", rapid.IntRange(0, 150).Draw(t, "type"))}, at)
				published++
			}
			sum := NewSum()
			if err := sum.Add(d.Encode(), nil); err != nil {
				t.Fatal(err)
			}
			owners := make(map[string]Owner)
			for _, id := range sum.Endpoints() {
				owners[id] = Owner{1, "standard"}
			}
			b := sum.Buckets(owners, map[int64]bool{1: true})[Key{1, bellwire.Hour, at}]
			if b == nil {
				continue
			}
			if err := b.Merge(stored); err != nil {
				t.Fatal(err)
			}
			stored = b.Encode()
		}
		for _, by := range [][]bellwire.Dimension{nil, {bellwire.ByEndpoint}, {bellwire.ByType}, {bellwire.ByDialect}, bellwire.Dimensions} {
			rows, err := Answer(by, []Stored{{At: at, View: stored[ViewFor(by)]}})
			if err != nil {
				t.Fatal(err)
			}
			var sum bellwire.StatisticsRow
			names := make(map[string]bool)
			for _, r := range rows {
				sum.Attempts += r.Attempts
				sum.Published += r.Published
				names[r.Endpoint+" "+r.Type] = true
			}
			if sum.Attempts != attempts || len(by) == 0 && sum.Published != published || len(names) > MaxGroups+1 {
				t.Errorf("by %v: %d attempts of %d, %d events of %d, in %d groups", by, sum.Attempts, attempts, sum.Published, published, len(names))
			}
		}
	})
}

// TestAnswersAreBounded asks for so many intervals that only some groups have rows of their own.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	b := NewBucket()
	for n := range MaxGroups {
		for range n + 1 {
			b.attempt(name{endpoint: fmt.Sprintf("ep_%02d", n)}, 0, sketch{0: 1})
		}
	}
	view := b.Encode()[ByEndpoint]
	var stored []Stored
	for n := range 750 {
		stored = append(stored, Stored{At: at.Add(time.Duration(n) * time.Hour), View: view})
	}
	rows, err := Answer([]bellwire.Dimension{bellwire.ByEndpoint}, stored)
	if err != nil {
		t.Fatal(err)
	}
	const kept = maxRows / 750
	if len(rows) != 750*(kept+1) {
		t.Errorf("%d rows, want %d groups and the others in each interval", len(rows), kept)
	}
	last := rows[kept]
	want := bellwire.StatisticsGroup{Others: true}
	if diff := cmp.Diff(want, last.StatisticsGroup); diff != "" || last.Attempts != (MaxGroups-kept)*(MaxGroups-kept+1)/2 {
		t.Errorf("the last row of an interval counts %d attempts: %s", last.Attempts, diff)
	}
}

// TestGroupsKeepTheirRareOutcomes asks for as many endpoints as a bucket counts, each of which fails once in ten attempts. None of the
// failures are among the others, and neither are the endpoints that only the second interval has.
func TestGroupsKeepTheirRareOutcomes(t *testing.T) {
	t.Parallel()
	var stored []Stored
	for hour := range 2 {
		b := NewBucket()
		for n := range MaxGroups {
			endpoint := name{endpoint: fmt.Sprintf("ep_%d_%02d", hour, n)}
			b.attempt(endpoint, outcomeNumber(bellwire.OutcomeOK), sketch{0: 9})
			b.attempt(endpoint, outcomeNumber(bellwire.OutcomeTimeout), sketch{0: 1})
		}
		stored = append(stored, Stored{At: at.Add(time.Duration(hour) * time.Hour), View: b.Encode()[ByEndpoint]})
	}
	rows, err := Answer([]bellwire.Dimension{bellwire.ByEndpoint, bellwire.ByOutcome}, stored)
	if err != nil {
		t.Fatal(err)
	}
	attempts := make(map[bellwire.Outcome]int)
	for _, r := range rows {
		if r.Others {
			t.Errorf("%d attempts with the outcome %s are among the others", r.Attempts, r.Outcome)
		}
		attempts[r.Outcome] += int(r.Attempts)
	}
	want := map[bellwire.Outcome]int{bellwire.OutcomeOK: 2 * MaxGroups * 9, bellwire.OutcomeTimeout: 2 * MaxGroups}
	if diff := cmp.Diff(want, attempts); diff != "" || len(rows) != 4*MaxGroups {
		t.Errorf("%d rows, want %d: %s", len(rows), 4*MaxGroups, diff)
	}
}

// TestAnswersByOutcomeAreBounded asks for so many intervals that only some groups have rows of their own, by all their outcomes.
func TestAnswersByOutcomeAreBounded(t *testing.T) {
	t.Parallel()
	b := NewBucket()
	for n := range MaxGroups {
		for i := range outcomes {
			b.attempt(name{endpoint: fmt.Sprintf("ep_%02d", n)}, i, sketch{0: uint64(n + 1)})
		}
	}
	view := b.Encode()[ByEndpoint]
	var stored []Stored
	for n := range 100 {
		stored = append(stored, Stored{At: at.Add(time.Duration(n) * time.Hour), View: view})
	}
	rows, err := Answer([]bellwire.Dimension{bellwire.ByEndpoint, bellwire.ByOutcome}, stored)
	if err != nil {
		t.Fatal(err)
	}
	const kept = maxRows / 100 / len(outcomes)
	if want := 100 * len(outcomes) * (kept + 1); len(rows) != want {
		t.Errorf("%d rows, want %d: by each outcome %d groups and the others", len(rows), want, kept)
	}
}

// TestAnswersByTenantAreBounded asks for more tenants than have rows of their own.
func TestAnswersByTenantAreBounded(t *testing.T) {
	t.Parallel()
	b := NewBucket()
	b.attempt(name{endpoint: "ep"}, 0, sketch{0: 1})
	view := b.Encode()[ByNothing]
	var stored []Stored
	for n := range MaxGroups + 50 {
		stored = append(stored, Stored{Tenant: fmt.Sprint("tenant", n), At: at, View: view})
	}
	rows, err := Answer([]bellwire.Dimension{bellwire.ByTenant}, stored)
	if err != nil || len(rows) != MaxGroups+1 || !rows[MaxGroups].Others || rows[MaxGroups].Attempts != 50 {
		t.Errorf("%d rows, %v; want those of %d tenants and one of 50 others", len(rows), err, MaxGroups)
	}
}

// TestItemsMustBeThere reads numbers of items of two bytes each. Nobody must loop over two billion items that are not there.
func TestItemsMustBeThere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		announced uint64
		rest      int
		want      int
	}{
		{announced: 0, rest: 0, want: 0},
		{announced: 2, rest: 4, want: 2},
		{announced: 2, rest: 5, want: 2},
		{announced: 2, rest: 3, want: 0},
		{announced: math.MaxInt32, rest: 4, want: 0},
		{announced: math.MaxUint64, rest: 4, want: 0},
	} {
		r := &reader{data: append(binary.AppendUvarint(nil, tt.announced), make([]byte, tt.rest)...)}
		if got := r.items(2); got != tt.want || r.broken != (tt.want != int(tt.announced)) {
			t.Errorf("items = %d of %d in %d bytes, broken: %t; want %d", got, tt.announced, tt.rest, r.broken, tt.want)
		}
	}
}

// FuzzRead gives what is read any bytes. It must end, and never panic.
func FuzzRead(f *testing.F) {
	var d Delta
	d.Publish(1, &bellwire.Event{Type: "t"}, at)
	d.Attempt(attempt("ep", "t", bellwire.OutcomeOK))
	f.Add(d.Encode())
	b := NewBucket()
	b.attempt(name{endpoint: "ep"}, 1, sketch{0, 5, 1})
	f.Add(b.Encode()[ByAll])
	f.Add(binary.AppendUvarint(nil, math.MaxInt32))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = NewSum().Add(data, []int16{0, 2})
		if v, err := decodeView(data); err == nil {
			if again, err := decodeView(v.encode()); err != nil || len(again) != len(v) {
				t.Errorf("a view with %d groups is read again with %d: %v", len(v), len(again), err)
			}
		}
	})
}
