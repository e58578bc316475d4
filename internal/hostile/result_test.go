package hostile

import (
	"slices"
	"testing"
	"time"
)

// calmFigures are those of a good day.
func calmFigures() Figures {
	s := Spread{Count: 100, P50: 1, P99: 5, Worst: 20}
	return Figures{Publish: s, Delivery: s, Retry: s, Lists: s, Newcomer: s, SignUp: s, Ready: 1}
}

// Values just within a bound pass, and values just beyond it fail.
func TestBounds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Result)
		missed []string
	}{
		"as calm":          {func(*Result) {}, nil},
		"twice the median": {func(r *Result) { r.Attacked.Publish.P50 = 2 }, nil},
		"more than twice":  {func(r *Result) { r.Attacked.Publish.P50 = 2.1 }, []string{"publish answer p50"}},
		"p99 within":       {func(r *Result) { r.Attacked.Delivery.P99 = 60 }, nil},
		"p99 beyond":       {func(r *Result) { r.Attacked.Delivery.P99 = 60.1 }, []string{"delivery p99"}},
		"worst within":     {func(r *Result) { r.Attacked.Lists.Worst = 1000 }, nil},
		"worst beyond":     {func(r *Result) { r.Attacked.Lists.Worst = 1000.1 }, []string{"lists worst"}},
		"late retries":     {func(r *Result) { r.Attacked.Retry = Spread{P50: 500, P99: 500, Worst: 2000} }, []string{"retry lateness worst"}},
		"newcomer":         {func(r *Result) { r.Attacked.Newcomer.Worst = 1001 }, []string{"newcomer's delivery worst"}},
		"sign-up":          {func(r *Result) { r.Attacked.SignUp.Worst = 1001 }, []string{"newcomer's sign-up worst"}},
		"not ready once":   {func(r *Result) { r.Attacked.Ready = 0.99 }, []string{"share not ready"}},
		"refused once":     {func(r *Result) { r.Attacked.Refused = map[string]int{"503": 1} }, []string{"refused"}},
		"one not there":    {func(r *Result) { r.Attacked.Missing = 1 }, []string{"not delivered"}},
		"memory within":    {func(r *Result) { r.ServerMemory = 400 << 20 }, nil},
		"memory beyond":    {func(r *Result) { r.ServerMemory = 400<<20 + 1 }, []string{"memory"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calm, attacked := calmFigures(), calmFigures()
			r := &Result{Calm: &calm, Attacked: &attacked, Answers: &Answers{}}
			test.change(r)
			r.Evaluate()
			if got := r.Missed(); !slices.Equal(got, test.missed) {
				t.Errorf("missed %q, want %q", got, test.missed)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	var durations []time.Duration
	for i := range 200 {
		durations = append(durations, time.Duration(200-i)*time.Millisecond)
	}
	want := Spread{Count: 200, P50: 101, P99: 199, Worst: 200}
	if got := spread(durations); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := spread(nil); got != (Spread{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

// An event that did not arrive counts as late for the whole time that the bench waited for it. An event that needed two
// attempts counts as late from the retry policy's delay on.
func TestFigures(t *testing.T) {
	t.Parallel()
	start := time.Now()
	after := func(d time.Duration) time.Time { return start.Add(d) }
	r := &record{newcomers: []int{3}}
	r.request(&r.publishes, time.Millisecond, nil)
	r.request(&r.publishes, 2*time.Millisecond, &refusal{what: "503", why: "no"})
	r.probe(isReady)
	r.probe("timeout")
	f := r.figures(map[int]*arrival{
		1: {published: start, done: after(2 * time.Millisecond)},
		2: {published: start, first: after(4 * time.Millisecond), done: after(retryDelay + 10*time.Millisecond)},
		3: {published: start, done: after(7 * time.Millisecond)},
		4: {published: start},
	}, after(time.Minute))
	if f.Publish.Count != 2 || f.Refused["503"] != 1 || f.Ready != 0.5 || f.Missing != 1 {
		t.Errorf("%+v", f)
	}
	if f.Delivery != (Spread{Count: 3, P50: 4, P99: 60_000, Worst: 60_000}) {
		t.Errorf("deliveries %+v", f.Delivery)
	}
	if f.Retry != (Spread{Count: 1, P50: 6, P99: 6, Worst: 6}) || f.Newcomer.Worst != 7 {
		t.Errorf("retries %+v, newcomers %+v", f.Retry, f.Newcomer)
	}
}
