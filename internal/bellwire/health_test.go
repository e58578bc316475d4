package bellwire_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestHealthStates plays histories of attempts: + is acknowledged, - fails, x fails and ends its delivery, _ is a minute without
// an attempt, c a change of the endpoint that can have mended it. The attempts are one second apart.
func TestHealthStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		history string
		want    bellwire.HealthState
		since   int // the character at which the state began
	}{
		{"", bellwire.HealthHealthy, -1},
		{"+", bellwire.HealthHealthy, 0},
		{"+-", bellwire.HealthHealthy, 0},
		{"+--", bellwire.HealthHealthy, 0},
		{"-", bellwire.HealthFailing, 0}, // nothing was ever acknowledged
		{"-+", bellwire.HealthRecovering, 1},
		{"-+-", bellwire.HealthFailing, 2},
		{"c-", bellwire.HealthFailing, 1},
		{"+---", bellwire.HealthFailing, 1},
		{"+------", bellwire.HealthFailing, 1},
		{"+x", bellwire.HealthFailing, 1},
		{"+-+-+-+-", bellwire.HealthHealthy, 0},
		{"+--+--+--", bellwire.HealthHealthy, 0},
		{"---+", bellwire.HealthRecovering, 3},
		{"---++", bellwire.HealthRecovering, 3},
		{"---+++", bellwire.HealthHealthy, 5},
		{"---+_+", bellwire.HealthHealthy, 5},
		{"---+-", bellwire.HealthFailing, 4},
		{"---++-++", bellwire.HealthRecovering, 6},
		{"---c", bellwire.HealthRecovering, 3},
		{"---c_+", bellwire.HealthRecovering, 5},
		{"---c_+++", bellwire.HealthHealthy, 7},
		{"---c-", bellwire.HealthFailing, 4},
		{"+--c--", bellwire.HealthHealthy, 0},
	} {
		t.Run(c.history, func(t *testing.T) {
			t.Parallel()
			h, at := bellwire.Health{State: bellwire.HealthHealthy}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			times := make([]time.Time, len(c.history))
			for i, char := range c.history {
				at = at.Add(time.Second)
				times[i] = at
				r := &bellwire.Result{
					Attempt: &bellwire.Attempt{Error: "it broke"}, Trigger: bellwire.TriggerSchedule, EndedAt: at,
					Transition: bellwire.Transition{Status: bellwire.DeliveryRetrying},
				}
				switch char {
				case '+':
					r.Transition.Status = bellwire.DeliverySucceeded
				case 'x':
					r.Transition.Status = bellwire.DeliveryExhausted
				case '_':
					at = at.Add(time.Minute)
					continue
				case 'c':
					h.Restart(at, true)
					continue
				}
				h.Record(r, true, r.Transition.Status)
			}
			var since time.Time
			if c.since >= 0 {
				since = times[c.since]
			}
			if h.State != c.want || !h.Since.Equal(since) {
				t.Errorf("it is %s since %s, want %s since %s", h.State, h.Since, c.want, since)
			}
		})
	}
}

func TestHealthHasAReason(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, h := range map[string]bellwire.Health{
		"no attempt was made yet":                  {State: bellwire.HealthHealthy},
		"no attempt was made in the last 24 hours": {State: bellwire.HealthHealthy, LastFailureAt: at.Add(-25 * time.Hour)},
		"1 attempt failed at 2026-01-02T03:04:05Z: it broke": {
			State: bellwire.HealthHealthy, Failures: 1, FirstFailureAt: at, LastFailureAt: at, LastError: "it broke",
		},
		"1,200 attempts in a row failed since 2026-01-02T03:04:05Z; the last error: it broke": {
			State: bellwire.HealthFailing, Failures: 1200, Since: at, LastError: "it broke",
		},
		"1 of 3 attempts in a row acknowledged since the endpoint failed":                         {State: bellwire.HealthRecovering, Successes: 1},
		"the endpoint was changed after it had failed, and has not acknowledged an attempt since": {State: bellwire.HealthRecovering},
	} {
		shown := bellwire.EndpointHealth{Health: h}.At(at)
		if got := shown.Reason(); got != want {
			t.Errorf("the reason is %q, want %q", got, want)
		}
	}
	h := bellwire.EndpointHealth{Health: bellwire.Health{State: bellwire.HealthHealthy, LastSuccessAt: at}}.At(at)
	if h.Reason() != "" || strings.Contains(string(h.State), "idle") {
		t.Errorf("a healthy endpoint is %s because %q", h.State, h.Reason())
	}
}

// A 410 that was sent to the endpoint as it was before a change ends neither the endpoint nor the delivery: it is one failure.
func TestGoneBeforeAChangeIsOneFailure(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	gone := &bellwire.Result{
		Attempt: &bellwire.Attempt{Error: "it answered 410"}, Trigger: bellwire.TriggerSchedule, EndedAt: at,
		Transition: bellwire.Transition{Status: bellwire.DeliveryCanceled}, Otherwise: bellwire.Transition{Status: bellwire.DeliveryRetrying},
	}
	for status, want := range map[bellwire.DeliveryStatus]bellwire.HealthState{
		bellwire.DeliveryCanceled: bellwire.HealthFailing, bellwire.DeliveryRetrying: bellwire.HealthHealthy,
	} {
		h := bellwire.Health{State: bellwire.HealthHealthy, LastSuccessAt: at.Add(-time.Hour)}
		if h.Record(gone, true, status); h.State != want || h.Failures != 1 {
			t.Errorf("after a 410 with which the delivery is %s, it is %s with %d failures; want %s", status, h.State, h.Failures, want)
		}
	}
}

// A failure from before a change of the endpoint, which is recorded after it, is not held against the endpoint.
func TestFailureBeforeAChangeDoesNotCount(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h := bellwire.Health{State: bellwire.HealthFailing, Failures: 3, LastSuccessAt: at.Add(-time.Hour)}
	h.Restart(at, true)
	fails := func(at time.Time) {
		h.Record(&bellwire.Result{Attempt: &bellwire.Attempt{Error: "it broke"}, Trigger: bellwire.TriggerSchedule, EndedAt: at}, true, bellwire.DeliveryRetrying)
	}
	fails(at.Add(-time.Second))
	if h.State != bellwire.HealthRecovering || h.Failures != 0 {
		t.Errorf("after a failure before the change it is %s with %d failures", h.State, h.Failures)
	}
	fails(at.Add(time.Second))
	if h.State != bellwire.HealthFailing || h.Failures != 1 {
		t.Errorf("after a failure behind the change it is %s with %d failures", h.State, h.Failures)
	}
}

func TestHealthKnowsTheLastAttempt(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	record := func(h *bellwire.Health, outcome bellwire.Outcome, problem string) {
		at = at.Add(time.Second)
		to := bellwire.Transition{Status: bellwire.DeliveryRetrying}
		if outcome == bellwire.OutcomeOK {
			to.Status = bellwire.DeliverySucceeded
		}
		h.Record(&bellwire.Result{
			Attempt: &bellwire.Attempt{Outcome: outcome, Error: problem}, Trigger: bellwire.TriggerSchedule, EndedAt: at, Transition: to,
		}, true, to.Status)
	}
	var h bellwire.Health
	want := func(when string, outcome bellwire.Outcome, problem string) {
		t.Helper()
		if gotOutcome, gotProblem := h.Last(); gotOutcome != outcome || gotProblem != problem {
			t.Errorf("%s, the last attempt is %q and %q, want %q and %q", when, gotOutcome, gotProblem, outcome, problem)
		}
	}
	want("before any", "", "")
	record(&h, bellwire.OutcomeTimeout, "it was slow")
	want("after a failure", bellwire.OutcomeTimeout, "it was slow")
	h.Restart(at, true)
	want("after a change of the endpoint", bellwire.OutcomeTimeout, "it was slow")
	record(&h, bellwire.OutcomeOK, "")
	want("after a success", bellwire.OutcomeOK, "")
	record(&h, bellwire.OutcomeDNS, "it has no address")
	want("after another failure", bellwire.OutcomeDNS, "it has no address")
	h.LastOutcome = ""
	want("after a failure that an older version has stored", "", "it has no address")
}

// TestAutoDisable plays the examples of docs/delivery.md, which state the rule, each for 300 hours.
func TestAutoDisable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/delivery.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| `auto_disable_after` | attempts | disabled at |\n| --- | --- | --- |\n")
	if !found {
		t.Fatal("the page has no examples")
	}
	rows := 0
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows++
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			if got := disabledAt(t, cells[0], cells[1]); got != cells[2] {
				t.Errorf("disabled at %s, want %s", got, cells[2])
			}
		})
	}
	if rows < 10 {
		t.Errorf("%d examples were found", rows)
	}
}

// clauseOfExample is "A fails at 1h", or "A fails every 1h" with a first and a last time.
var clauseOfExample = regexp.MustCompile(`^[ABC] ?(fails|succeeds) (?:at (\S+)|every (\S+?)(?: from (\S+))?(?: until (\S+))?)$`)

// disabledAt returns when the attempts of an example disable an endpoint, from the first one, or "never".
func disabledAt(t *testing.T, after, example string) string {
	t.Helper()
	const end, most = 300 * time.Hour, 1000 // of attempts that have no last one
	parse := func(text, otherwise string) time.Duration {
		if text == "" {
			text = otherwise
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var attempts []*bellwire.Result
	for i, clause := range strings.Split(example, "; ") {
		m := clauseOfExample.FindStringSubmatch(clause)
		if m == nil {
			t.Fatalf("%q cannot be read", clause)
		}
		status := bellwire.DeliveryRetrying
		if m[1] == "succeeds" {
			status = bellwire.DeliverySucceeded
		}
		first, step := parse(m[2], "0s"), end
		last := first
		if m[3] != "" {
			step, first = parse(m[3], ""), parse(m[4], "0s")
			last = parse(m[5], min(end, first+most*step).String())
		}
		for at := first; at <= last; at += step {
			attempts = append(attempts, &bellwire.Result{
				Attempt: &bellwire.Attempt{Error: "it broke"}, Trigger: bellwire.TriggerSchedule, EndedAt: start.Add(at),
				Delivery:   bellwire.DeliveryOf(bellwire.EventID{byte(i)}, 3),
				Transition: bellwire.Transition{Status: status},
				Health:     bellwire.HealthNote{DisableAfter: parse(after, "")},
			})
		}
	}
	slices.SortStableFunc(attempts, func(a, b *bellwire.Result) int { return a.EndedAt.Compare(b.EndedAt) })
	h := bellwire.Health{State: bellwire.HealthHealthy}
	for _, r := range attempts {
		if h.Record(r, true, r.Transition.Status) {
			return bellwire.Duration(r.EndedAt.Sub(start)).String()
		}
	}
	return "never"
}
