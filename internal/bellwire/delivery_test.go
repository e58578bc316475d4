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
		{"a manual retry is acknowledged", bellwire.TriggerManual, acknowledged, 2, 0, twice, 0, succeeded},
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

		{"a manual retry fails", bellwire.TriggerManual, failed, 1, 0, twice, time.Hour, asItWas},
		{"a manual retry fails, and retries are spent", bellwire.TriggerManual, failed, 2, 7, twice, 0, asItWas},
		{"a manual retry finds the endpoint gone", bellwire.TriggerManual, gone, 1, 0, twice, 0, asItWas},
		{"a manual retry is impossible", bellwire.TriggerManual, impossible, 1, 0, twice, 0, asItWas},

		{"failed test", bellwire.TriggerTest, failed, 0, 0, twice, time.Hour, exhausted(bellwire.ReasonTestFailed)},
		{"gone test", bellwire.TriggerTest, gone, 0, 0, twice, 0, exhausted(bellwire.ReasonEndpointGone)},
		{"impossible test", bellwire.TriggerTest, impossible, 0, 0, twice, 0, exhausted(bellwire.ReasonTestFailed)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &bellwire.Delivery{Status: bellwire.DeliveryRetrying, Retries: tc.retries, Sequence: tc.sequence}
			before := *d
			got := d.Decide(tc.trigger, tc.verdict, &bellwire.Target{Endpoint: &bellwire.Endpoint{Retry: tc.policy}}, time.Now(), tc.retryAfter, 0.25)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s:\n%s", tc.name, diff)
			}
			if *d != before {
				t.Errorf("%s: the delivery itself was changed", tc.name)
			}
		})
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
		t.Run(tc.name, func(t *testing.T) {
			d := &bellwire.Delivery{Retries: tc.retries, CreatedAt: taken}
			target := &bellwire.Target{Endpoint: &bellwire.Endpoint{Retry: tc.policy, UpdatedAt: taken.Add(tc.changed)}}
			want := bellwire.Transition{Status: bellwire.DeliveryRetrying, Delay: tc.want}
			if tc.want == 0 {
				want = bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: tc.reason}
			}
			got := d.Decide(bellwire.TriggerSchedule, bellwire.Failed, target, taken.Add(tc.elapsed), tc.retryAfter, 0.5)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s:\n%s", tc.name, diff)
			}
		})
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

func TestApply(t *testing.T) {
	t.Parallel()
	const epoch = 7
	var (
		now     = time.Date(2026, 5, 4, 3, 2, 1, 999, time.UTC)
		created = now.Add(-time.Hour)

		success  = bellwire.Transition{Status: bellwire.DeliverySucceeded}
		spent    = bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: bellwire.ReasonRetriesSpent}
		gone     = bellwire.Transition{Status: bellwire.DeliveryCanceled, Reason: bellwire.ReasonEndpointGone}
		retry    = bellwire.Transition{Status: bellwire.DeliveryRetrying, Reason: "the next attempt may be late", Delay: time.Minute}
		schedule = bellwire.Result{Trigger: bellwire.TriggerSchedule, Epoch: epoch, Attempt: new(bellwire.Attempt)}
		manual   = bellwire.Result{Trigger: bellwire.TriggerManual, Epoch: epoch, Attempt: new(bellwire.Attempt)}
		test     = bellwire.Result{Trigger: bellwire.TriggerTest, Epoch: epoch, Attempt: new(bellwire.Attempt)}
		unsent   = bellwire.Result{Trigger: bellwire.TriggerSchedule, Epoch: epoch}
		again    = bellwire.Result{Trigger: bellwire.TriggerSchedule, Epoch: epoch, Attempt: new(bellwire.Attempt), RestartedAt: time.UnixMicro(1)}
		noEpoch  = bellwire.Result{Trigger: bellwire.TriggerSchedule}

		claimed   = bellwire.DeliveryState{Status: bellwire.DeliveryPending, Epoch: epoch, DueAt: created}
		free      = bellwire.DeliveryState{Status: bellwire.DeliveryPending, DueAt: created}
		elsewhere = bellwire.DeliveryState{Status: bellwire.DeliveryRetrying, Epoch: epoch + 1, Attempts: 3, Retries: 2, DueAt: created}
		canceled  = bellwire.DeliveryState{Status: bellwire.DeliveryCanceled, Reason: "because", Attempts: 1, Epoch: epoch}
		succeeded = bellwire.DeliveryState{Status: bellwire.DeliverySucceeded, Attempts: 1, Epoch: epoch}
		tested    = bellwire.DeliveryState{Status: bellwire.DeliveryPending, Manual: bellwire.ManualRetry{Requested: true, Epoch: epoch}}

		requested     = bellwire.ManualRetry{Requested: true}
		claimedManual = bellwire.ManualRetry{Requested: true, Epoch: epoch}
	)
	with := func(r bellwire.Result, t bellwire.Transition) bellwire.Result {
		r.Transition, r.EndedAt = t, now
		return r
	}
	// change returns the state with one attempt more and changes.
	change := func(s bellwire.DeliveryState, f func(*bellwire.DeliveryState)) bellwire.DeliveryState {
		s.Attempts++
		f(&s)
		return s
	}
	ended := func(s bellwire.DeliveryState, t bellwire.Transition) bellwire.DeliveryState {
		return change(s, func(s *bellwire.DeliveryState) {
			s.Status, s.Reason, s.Epoch, s.DueAt = t.Status, t.Reason, 0, time.Time{}
		})
	}
	counted := func(s bellwire.DeliveryState) bellwire.DeliveryState {
		return change(s, func(*bellwire.DeliveryState) {})
	}
	alongside := func(s bellwire.DeliveryState, m bellwire.ManualRetry) bellwire.DeliveryState {
		s.Manual = m
		return s
	}
	asksToDisable := func(r bellwire.Result) bellwire.Result {
		r.Disable, r.Otherwise = true, retry
		return r
	}
	retried := func(s bellwire.DeliveryState) bellwire.DeliveryState {
		return change(s, func(s *bellwire.DeliveryState) {
			s.Status, s.Reason, s.Epoch, s.Retries = bellwire.DeliveryRetrying, retry.Reason, 0, s.Retries+1
			s.DueAt = now.Add(time.Minute).Truncate(time.Microsecond)
		})
	}
	// restarted returns the state of a delivery that was restarted a microsecond later than before, and claimed again.
	restarted := func(s bellwire.DeliveryState) bellwire.DeliveryState {
		before := time.UnixMicro(0)
		if !s.RestartedAt.IsZero() {
			before = s.RestartedAt
		}
		s.Restart(before.Add(time.Microsecond))
		s.Epoch = epoch
		return s
	}
	for _, tc := range []struct {
		name     string
		state    bellwire.DeliveryState
		result   bellwire.Result
		disabled bool
		want     bellwire.DeliveryState
		moved    bool
	}{
		{"success", claimed, with(schedule, success), false, ended(claimed, success), true},
		{"retry", claimed, with(schedule, retry), false, retried(claimed), true},
		{"retries spent", claimed, with(schedule, spent), false, ended(claimed, spent), true},
		{"gone", claimed, with(schedule, gone), false, ended(claimed, gone), true},
		{"no change", claimed, with(schedule, bellwire.Transition{}), false, counted(claimed), false},
		{"unknown status", claimed, with(schedule, bellwire.Transition{Status: "lost"}), false, counted(claimed), false},
		{"no attempt was possible", claimed, with(unsent, spent), false, bellwire.DeliveryState{Status: spent.Status, Reason: spent.Reason}, true},

		{"success of an old epoch", elsewhere, with(schedule, success), false, ended(elsewhere, success), true},
		{"failure of an old epoch", elsewhere, with(schedule, retry), false, counted(elsewhere), false},
		{"success of what is free", free, with(schedule, success), false, ended(free, success), true},
		{"failure of what is free", free, with(schedule, spent), false, counted(free), false},
		{"failure without an epoch", free, with(noEpoch, spent), false, free, false},
		{"late success", canceled, with(schedule, success), false, ended(canceled, success), true},
		{"late failure", canceled, with(schedule, retry), false, counted(canceled), false},
		{"failure after a restart", restarted(claimed), with(schedule, spent), false, counted(restarted(claimed)), false},
		{"success after a restart", restarted(claimed), with(schedule, success), false, ended(restarted(claimed), success), true},
		{"failure of a restarted one", restarted(claimed), with(again, spent), false, ended(restarted(claimed), spent), true},
		{"failure of one restarted twice", restarted(restarted(claimed)), with(again, retry), false, counted(restarted(restarted(claimed))), false},
		{"second success", succeeded, with(schedule, success), false, counted(succeeded), false},

		{"manual success", alongside(claimed, claimedManual), with(manual, success), false, ended(claimed, success), true},
		{"manual failure", alongside(claimed, claimedManual), with(manual, bellwire.Transition{}), false, counted(claimed), false},
		{"manual success after the end", alongside(canceled, claimedManual), with(manual, success), false, ended(canceled, success), true},
		{"manual failure of an old epoch", alongside(claimed, requested), with(manual, bellwire.Transition{}), false, counted(alongside(claimed, requested)), false},
		{"success while a manual retry waits", alongside(claimed, requested), with(schedule, success), false, ended(claimed, success), true},
		{"retries spent while a manual retry waits", alongside(claimed, requested), with(schedule, spent), false, ended(alongside(claimed, requested), spent), true},
		{"gone while a manual retry waits", alongside(claimed, requested), with(schedule, gone), false, ended(claimed, gone), true},
		{"failed test", tested, with(test, spent), false, ended(alongside(tested, bellwire.ManualRetry{}), spent), true},

		{"gone, and disabled", claimed, asksToDisable(with(schedule, gone)), true, ended(claimed, gone), true},
		{"gone, but the endpoint has changed", claimed, asksToDisable(with(schedule, gone)), false, retried(claimed), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := tc.state
			moved := got.Apply(&tc.result, tc.disabled)
			if diff := cmp.Diff(tc.want, got); diff != "" || moved != tc.moved {
				t.Errorf("moved is %t, want %t; the state differs:\n%s", moved, tc.moved, diff)
			}
			disabledFor := ""
			if tc.disabled {
				disabledFor = "so"
			}
			recorded := got.Recorded(moved, disabledFor)
			want := bellwire.Recorded{Status: got.Status, Moved: tc.moved, DisabledFor: disabledFor}
			if got.Status == bellwire.DeliveryRetrying {
				want.DueAt = got.DueAt
			}
			if diff := cmp.Diff(want, recorded); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Stores write AfterPlainSuccess without reading the delivery, so it must not depend on stored values.
func TestPlainSuccess(t *testing.T) {
	t.Parallel()
	r := &bellwire.Result{
		Attempt: new(bellwire.Attempt), Trigger: bellwire.TriggerSchedule, Epoch: 7,
		Transition: bellwire.Transition{Status: bellwire.DeliverySucceeded, Reason: "because"},
	}
	if !r.IsPlainSuccess() {
		t.Fatal("a plain success is not recognized")
	}
	for _, trigger := range []bellwire.Trigger{bellwire.TriggerSchedule, bellwire.TriggerManual, bellwire.TriggerTest} {
		for _, epoch := range []int64{0, 6, 7} {
			r.Trigger = trigger
			got := bellwire.DeliveryState{Status: bellwire.DeliveryPending, Epoch: epoch, DueAt: time.Unix(1, 0)}
			if !got.Apply(r, false) {
				t.Errorf("a %s success of a delivery in epoch %d changes nothing", trigger, epoch)
			}
			if diff := cmp.Diff(r.AfterPlainSuccess(), got); diff != "" {
				t.Error(diff)
			}
		}
	}
	for name, change := range map[string]func(*bellwire.Result){
		"failure": func(r *bellwire.Result) { r.Transition.Status = bellwire.DeliveryExhausted },
		"unsent":  func(r *bellwire.Result) { r.Attempt = nil },
		"disable": func(r *bellwire.Result) { r.Disable = true },
	} {
		other := *r
		if change(&other); other.IsPlainSuccess() {
			t.Errorf("%s: it is taken for a plain success", name)
		}
	}
}

func TestDisableReason(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{"": bellwire.ReasonEndpointGone, "because": "because"} {
		r := &bellwire.Result{Transition: bellwire.Transition{Reason: reason}}
		if got := r.DisableReason(); got != want {
			t.Errorf("with the reason %q it is %q, want %q", reason, got, want)
		}
	}
}
