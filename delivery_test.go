package bellwire_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire"
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
		got := d.Decide(tc.trigger, tc.verdict, tc.policy, tc.retryAfter, 0.25)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s:\n%s", tc.name, diff)
		}
		if *d != before {
			t.Errorf("%s: the delivery itself was changed", tc.name)
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
