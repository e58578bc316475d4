package bellwire_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	const (
		acknowledged = bellwire.Acknowledged
		failed       = bellwire.Failed
		gone         = bellwire.Gone
		impossible   = bellwire.Impossible
	)
	var (
		asItWas   = bellwire.Transition{}
		succeeded = bellwire.Transition{Status: bellwire.DeliverySucceeded}
		after     = func(d time.Duration) bellwire.Transition {
			return bellwire.Transition{Status: bellwire.DeliveryRetrying, Delay: d}
		}
		exhausted = func(reason string) bellwire.Transition {
			return bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: reason}
		}
		canceled = bellwire.Transition{Status: bellwire.DeliveryCanceled, Reason: bellwire.ReasonEndpointGone}
		twice    = bellwire.RetryPolicy{Schedule: []bellwire.Duration{duration(10 * time.Second), duration(time.Minute)}}
		jittered = bellwire.RetryPolicy{Schedule: twice.Schedule, Jitter: 1}
		never    = bellwire.RetryPolicy{}
	)
	for _, tc := range []struct {
		name       string
		trigger    bellwire.Trigger
		verdict    bellwire.Verdict
		retries    int
		sequence   int64
		policy     bellwire.RetryPolicy
		retryAfter time.Duration
		want       bellwire.Transition
	}{
		{"acknowledged at once", bellwire.TriggerSchedule, acknowledged, 0, 0, twice, 0, succeeded},
		{"acknowledged in the end", bellwire.TriggerSchedule, acknowledged, 2, 7, twice, time.Hour, succeeded},
		{"acknowledged by hand", bellwire.TriggerManual, acknowledged, 2, 0, twice, 0, succeeded},
		{"acknowledged test", bellwire.TriggerTest, acknowledged, 0, 0, never, 0, succeeded},

		{"first failure", bellwire.TriggerSchedule, failed, 0, 0, twice, 0, after(10 * time.Second)},
		{"second failure", bellwire.TriggerSchedule, failed, 1, 0, twice, 0, after(time.Minute)},
		{"last failure", bellwire.TriggerSchedule, failed, 2, 0, twice, 0, exhausted(bellwire.ReasonRetriesSpent)},
		{"last failure in order", bellwire.TriggerSchedule, failed, 2, 7, twice, 0, exhausted(bellwire.ReasonSkipped)},
		{"failure without retries", bellwire.TriggerSchedule, failed, 0, 0, never, 0, exhausted(bellwire.ReasonRetriesSpent)},
		{"receiver asks for longer", bellwire.TriggerSchedule, failed, 0, 0, twice, time.Hour, after(time.Hour)},
		{"receiver asks for shorter", bellwire.TriggerSchedule, failed, 1, 0, twice, time.Second, after(time.Minute)},
		{"receiver asks after the last", bellwire.TriggerSchedule, failed, 2, 0, twice, time.Hour, exhausted(bellwire.ReasonRetriesSpent)},
		{"failure with jitter", bellwire.TriggerSchedule, failed, 0, 0, jittered, 0, after(7500 * time.Millisecond)},
		{"policy made shorter meanwhile", bellwire.TriggerSchedule, failed, 50, 0, twice, 0, exhausted(bellwire.ReasonRetriesSpent)},

		{"gone", bellwire.TriggerSchedule, gone, 0, 0, twice, 0, canceled},
		{"gone at the last attempt", bellwire.TriggerSchedule, gone, 2, 7, twice, 0, canceled},
		{"impossible", bellwire.TriggerSchedule, impossible, 0, 0, twice, 0, exhausted("")},
		{"impossible in order", bellwire.TriggerSchedule, impossible, 0, 7, twice, 0, exhausted("")},

		{"failed by hand", bellwire.TriggerManual, failed, 1, 0, twice, time.Hour, asItWas},
		{"failed by hand, retries spent", bellwire.TriggerManual, failed, 2, 7, twice, 0, asItWas},
		{"gone by hand", bellwire.TriggerManual, gone, 1, 0, twice, 0, asItWas},
		{"impossible by hand", bellwire.TriggerManual, impossible, 1, 0, twice, 0, asItWas},

		{"failed test", bellwire.TriggerTest, failed, 0, 0, twice, time.Hour, exhausted(bellwire.ReasonTestFailed)},
		{"gone test", bellwire.TriggerTest, gone, 0, 0, twice, 0, exhausted(bellwire.ReasonEndpointGone)},
		{"impossible test", bellwire.TriggerTest, impossible, 0, 0, twice, 0, exhausted(bellwire.ReasonTestFailed)},
	} {
		d := &bellwire.Delivery{Status: bellwire.DeliveryRetrying, Retries: tc.retries, Sequence: tc.sequence}
		before := *d
		got := d.Decide(tc.trigger, tc.verdict, &bellwire.Endpoint{Retry: tc.policy}, time.Now(), tc.retryAfter, 0.25)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s:\n%s", tc.name, diff)
		}
		if *d != before {
			t.Errorf("%s: the delivery itself was changed", tc.name)
		}
	}
}

// max_elapsed is real time since the event was taken, or since the endpoint was changed; it shortens the last delay.
func TestDecideEndsAtMaxElapsed(t *testing.T) {
	t.Parallel()
	taken := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	hourly := bellwire.RetryPolicy{Initial: duration(time.Hour), Factor: 1, MaxElapsed: duration(5 * time.Hour)}
	for _, tc := range []struct {
		name       string
		policy     bellwire.RetryPolicy
		retries    int
		elapsed    time.Duration // since the event was taken
		changed    time.Duration // the same of the endpoint's last change
		retryAfter time.Duration
		want       time.Duration // until the next retry; 0: there is none
		reason     string
	}{
		{"in time", hourly, 0, time.Second, 0, 0, time.Hour, ""},
		{"the last that fits", hourly, 4, 4*time.Hour + time.Minute, 0, 0, 59 * time.Minute, ""},
		{"after a long wait", hourly, 1, 5*time.Hour - time.Second, 0, 0, time.Second, ""},
		{"at the end", hourly, 1, 5 * time.Hour, 0, 0, 0, bellwire.ReasonTimeOver},
		{"long after the end", hourly, 0, 100 * time.Hour, 0, 0, 0, bellwire.ReasonTimeOver},
		{"after a change of the endpoint", hourly, 1, 100 * time.Hour, 99 * time.Hour, 0, time.Hour, ""},
		{"long after a change of the endpoint", hourly, 1, 100 * time.Hour, 95 * time.Hour, 0, 0, bellwire.ReasonTimeOver},
		{"an endpoint changed before", hourly, 1, time.Hour, -time.Hour, 0, time.Hour, ""},
		{"the receiver asks for longer", hourly, 4, 5*time.Hour - time.Second, 0, time.Hour, time.Hour, ""},
		{"retries spent", hourly, 5, time.Hour, 0, 0, 0, bellwire.ReasonRetriesSpent},
		{"a fixed interval has no end", bellwire.RetryPolicy{Interval: duration(time.Second), Count: 9}, 8, 1000 * time.Hour, 0, 0, time.Second, ""},
		{"a schedule has no end", bellwire.RetryPolicy{Schedule: []bellwire.Duration{duration(time.Second)}}, 0, 1000 * time.Hour, 0, 0, time.Second, ""},
	} {
		d := &bellwire.Delivery{Retries: tc.retries, CreatedAt: taken}
		ep := &bellwire.Endpoint{Retry: tc.policy, UpdatedAt: taken.Add(tc.changed)}
		want := bellwire.Transition{Status: bellwire.DeliveryRetrying, Delay: tc.want}
		if tc.want == 0 {
			want = bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: tc.reason}
		}
		got := d.Decide(bellwire.TriggerSchedule, bellwire.Failed, ep, taken.Add(tc.elapsed), tc.retryAfter, 0.5)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", tc.name, diff)
		}
	}
}

func TestOpenStatuses(t *testing.T) {
	t.Parallel()
	open := map[bellwire.DeliveryStatus]bool{bellwire.DeliveryPending: true, bellwire.DeliveryRetrying: true}
	if len(bellwire.DeliveryStatuses) != 5 {
		t.Errorf("there are %d statuses", len(bellwire.DeliveryStatuses))
	}
	for _, status := range bellwire.DeliveryStatuses {
		if status.Open() != open[status] {
			t.Errorf("%s is open: %t", status, status.Open())
		}
	}
}

func TestTimeOfAnEvent(t *testing.T) {
	t.Parallel()
	taken := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	e := bellwire.Event{CreatedAt: taken}
	if !e.Time().Equal(taken) {
		t.Errorf("without the publisher's word it is %s", e.Time())
	}
	e.OccurredAt = taken.Add(-time.Hour)
	if !e.Time().Equal(taken.Add(-time.Hour)) {
		t.Errorf("by the publisher's word it is %s", e.Time())
	}
}
