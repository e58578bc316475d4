package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var statisticsTests = []test{
	{name: "Statistics/CountWhatIsStored", run: statisticsCount},
	{name: "Statistics/CountEachOnce", run: statisticsCountOnce},
	{name: "Statistics/SurviveACrash", need: crashes, run: statisticsCrash},
	{name: "Statistics/SurviveDeletionsAndACrash", need: crashes, run: statisticsPurged},
	{name: "Statistics/LeaveOutWhatIsUndone", need: fills, run: statisticsUndone},
	{name: "Statistics/AreMovedByOneNodeAtATime", run: statisticsNodes},
	{name: "Statistics/TakeSmallGroupsTogether", run: statisticsOthers},
	{name: "Statistics/GoWithTheirTenant", run: statisticsDeleted},
	{name: "Statistics/AreKeptForTheirTime", run: statisticsKept},
	{name: "Statistics/EqualTheSumOfRandomWork", run: statisticsRandom},
}

// statistics moves all deltas, and returns the rows of a tenant.
func (w *world) statistics(tenant string, interval bellwire.Interval, by ...bellwire.Dimension) []bellwire.StatisticsRow {
	w.Helper()
	w.rollUp()
	rows, err := w.store.Statistics(w.ctx, bellwire.StatisticsFilter{
		Tenant: tenant, Since: w.now.Add(-72 * time.Hour), Until: w.now.Add(72 * time.Hour), Interval: interval, By: by,
	})
	w.check(err)
	return rows
}

func (w *world) rollUp() {
	w.Helper()
	for {
		moved, err := w.store.RollUp(w.ctx, 2)
		w.check(err)
		if moved == 0 {
			return
		}
	}
}

// texts writes rows as a test can compare them: what they are of, and published, attempts and successes.
func texts(rows []bellwire.StatisticsRow) []string {
	var all []string
	for _, r := range rows {
		all = append(all, fmt.Sprintf("%s %s %s %s %s %t %d %d/%d", r.At.Format("15:04"), r.Endpoint, r.Type, r.Dialect, r.Outcome, r.Others,
			r.Published, r.Succeeded, r.Attempts))
	}
	return all
}

// lasting makes a result whose attempt took the given time.
func lasting(r *bellwire.Result, took time.Duration, outcome bellwire.Outcome) *bellwire.Result {
	r.Attempt.Timings.Total, r.Attempt.Outcome, r.EventType = took, outcome, "order.paid"
	return r
}

func statisticsCount(w *world) {
	w.now = time.Date(2026, 3, 1, 12, 59, 30, 0, time.UTC)
	t, other := w.tenant(), w.tenant()
	a, b := w.endpoint(t), w.endpoint(t, func(ep *bellwire.Endpoint) { ep.Dialect = "lemon" })
	elsewhere := w.endpoint(other)
	w.publish(a, b)
	w.publish(elsewhere)
	silent := w.event(t.ID)
	silent.Event.Type = "ping"
	w.append(together(silent))
	probe := w.event(t.ID, a)
	probe.Event.Test, probe.Deliveries[0].Manual = true, true
	w.append(together(probe))

	tested := lasting(w.result(w.claim(a, 0).Manual[0].Delivery, success), time.Second, bellwire.OutcomeOK)
	tested.Trigger = bellwire.TriggerTest
	first := lasting(w.result(w.take(a), success), 100*time.Millisecond, bellwire.OutcomeOK)
	failed := lasting(w.result(w.take(b), retryIn(0)), 10*time.Second, bellwire.OutcomeTimeout)
	w.record(tested, first, failed)
	w.tick(time.Minute)
	again := lasting(w.result(w.take(b), success), 10*time.Millisecond, bellwire.OutcomeOK)
	w.record(again, lasting(w.result(w.take(elsewhere), success), time.Millisecond, bellwire.OutcomeOK))

	for _, c := range []struct {
		tenant   string
		interval bellwire.Interval
		by       []bellwire.Dimension
		want     []string
	}{
		{t.ID, bellwire.Minute, nil, []string{"12:59     false 2 1/2", "13:00     false 0 1/1"}},
		{t.ID, bellwire.Hour, nil, []string{"12:00     false 2 1/2", "13:00     false 0 1/1"}},
		{t.ID, bellwire.Day, nil, []string{"00:00     false 2 2/3"}},
		{other.ID, bellwire.Day, nil, []string{"00:00     false 1 1/1"}},
		{"", bellwire.Day, nil, []string{"00:00     false 3 3/4"}},
		{t.ID, bellwire.Day, []bellwire.Dimension{bellwire.ByEndpoint}, []string{
			"00:00 " + a.ID + "    false 0 1/1", "00:00 " + b.ID + "    false 0 1/2",
		}},
		{t.ID, bellwire.Day, []bellwire.Dimension{bellwire.ByType}, []string{
			"00:00  order.paid   false 1 2/3", "00:00  ping   false 1 0/0",
		}},
		{t.ID, bellwire.Day, []bellwire.Dimension{bellwire.ByOutcome}, []string{
			"00:00    ok false 0 2/2", "00:00    timeout false 0 0/1",
		}},
		{t.ID, bellwire.Day, []bellwire.Dimension{bellwire.ByDialect}, []string{
			"00:00   lemon  false 0 1/2", "00:00   standard  false 0 1/1",
		}},
		{"", bellwire.Day, bellwire.Dimensions, []string{
			"00:00 " + a.ID + " order.paid standard ok false 0 1/1", "00:00 " + b.ID + " order.paid lemon ok false 0 1/1",
			"00:00 " + b.ID + " order.paid lemon timeout false 0 0/1", "00:00 " + elsewhere.ID + " order.paid standard ok false 0 1/1",
		}},
	} {
		w.equal(fmt.Sprintf("the rows of %q each %s by %v", c.tenant, c.interval, c.by), texts(w.statistics(c.tenant, c.interval, c.by...)), c.want)
	}
	rows, err := w.store.Statistics(w.ctx, bellwire.StatisticsFilter{
		Tenant: t.ID, Since: w.now.Add(-time.Hour), Until: w.now.Truncate(time.Minute).Add(time.Millisecond), Interval: bellwire.Minute,
	})
	w.check(err)
	w.equal("the rows until a millisecond after a minute began", texts(rows), []string{"12:59     false 2 1/2", "13:00     false 0 1/1"})
	row := w.statistics(t.ID, bellwire.Day)[0]
	for what, c := range map[string][2]time.Duration{"median": {row.P50, 100 * time.Millisecond}, "99th percentile": {row.P99, 10 * time.Second}} {
		if off := (c[0] - c[1]).Abs(); off > c[1]/20 {
			w.Errorf("the %s is %s, want %s", what, c[0], c[1])
		}
	}
	byTenant := make(map[string][3]uint64)
	for _, row := range w.statistics("", bellwire.Day, bellwire.ByTenant) {
		byTenant[row.Tenant] = [3]uint64{row.Published, row.Succeeded, row.Attempts}
	}
	w.equal("the rows by tenant", byTenant, map[string][3]uint64{t.ID: {2, 2, 3}, other.ID: {1, 1, 1}})
	var minutes []string
	for _, row := range w.statistics("", bellwire.Minute, bellwire.ByTenant, bellwire.ByOutcome) {
		minutes = append(minutes, fmt.Sprintf("%s %s %s %d", row.At.Format("15:04"), row.Tenant, row.Outcome, row.Attempts))
	}
	w.equal("the rows by tenant and outcome each minute", minutes, []string{
		"12:59 " + t.ID + " ok 1", "12:59 " + t.ID + " timeout 1", "13:00 " + t.ID + " ok 1", "13:00 " + other.ID + " ok 1",
	})
	w.check(w.store.DeleteTenant(w.ctx, other.ID, w.now))
	w.equal("how many rows by tenant beside a deleted one", len(w.statistics("", bellwire.Day, bellwire.ByTenant)), 1)
	w.equal("the rows of an unknown tenant", texts(w.statistics("nobody", bellwire.Day)), []string(nil))
}

// statisticsCountOnce repeats what a node repeats that got no answer.
func statisticsCountOnce(w *world) {
	ep := w.endpoint(w.tenant())
	e := w.keyed(w.event(ep.Tenant, ep, ep), "k", 1)
	same := w.keyed(w.event(ep.Tenant, ep), "k", 1)
	w.append(together(e))
	w.append(together(e), together(same))
	due := w.claim(ep, 2).Due
	first, second := w.result(due[0].Delivery, success), w.result(due[1].Delivery, retryIn(time.Hour))
	w.record(first)
	w.record(first, second)
	w.record(second, first)
	w.record(second)
	w.rollUp()
	w.record(first, second)
	rows := w.statistics(ep.Tenant, bellwire.Day)
	if len(rows) != 1 || rows[0].Published != 1 || rows[0].Attempts != 2 {
		w.Errorf("the rows are %+v, want 1 event and 2 attempts", rows)
	}
}

// statisticsCrash lets the machine die between all steps.
func statisticsCrash(w *world) {
	ep := w.endpoint(w.tenant())
	want := func(s bellwire.Store, published, attempts uint64) {
		w.Helper()
		for done := false; !done; {
			moved, err := s.RollUp(w.ctx, 1)
			w.check(err)
			done = moved == 0
		}
		rows, err := s.Statistics(w.ctx, bellwire.StatisticsFilter{
			Tenant: ep.Tenant, Since: w.now.Add(-24 * time.Hour), Until: w.now.Add(24 * time.Hour), Interval: bellwire.Day,
		})
		w.check(err)
		if len(rows) != 1 || rows[0].Published != published || rows[0].Attempts != attempts {
			w.Fatalf("the rows are %+v, want %d events and %d attempts", rows, published, attempts)
		}
	}
	for n := range uint64(3) {
		w.publish(ep)
		want(w.hooks.Crash(w.t, w.store), n+1, n)
		w.record(w.result(w.take(ep), success))
		want(w.hooks.Crash(w.t, w.store), n+1, n+1)
		_, err := w.store.RollUp(w.ctx, 1)
		w.check(err)
		want(w.hooks.Crash(w.t, w.store), n+1, n+1)
	}
	want(w.store, 3, 3)
}

// statisticsPurged deletes all rows before the machine dies, so that numbers of rows are used again.
func statisticsPurged(w *world) {
	t, stays := w.tenant(), w.tenant()
	ep := w.endpoint(t)
	for range 3 {
		w.publish(ep)
		w.record(lasting(w.result(w.take(ep), success), time.Second, bellwire.OutcomeOK))
	}
	w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
	for w.purge(100) > 0 {
	}
	other := w.endpoint(stays)
	w.publish(other)
	w.record(lasting(w.result(w.take(other), retryIn(time.Hour)), 30*time.Second, bellwire.OutcomeTimeout))
	probe := w.event(stays.ID, other)
	probe.Event.Test, probe.Deliveries[0].Manual = true, true
	w.append(together(probe))
	tested := w.result(w.claim(other, 0).Manual[0].Delivery, success)
	tested.Trigger, tested.Attempt.Trigger = bellwire.TriggerTest, bellwire.TriggerTest
	w.record(tested)

	survivor := w.survivor()
	rows := survivor.statistics("", bellwire.Day)
	if len(rows) != 1 || rows[0].Published != 4 || rows[0].Attempts != 4 || rows[0].Succeeded != 3 {
		w.Errorf("the rows of all tenants are %+v, want 4 events, and 3 of 4 attempts", rows)
	}
	survivor.equal("the rows", texts(survivor.statistics(stays.ID, bellwire.Day, bellwire.Dimensions...)), []string{
		"00:00 " + other.ID + " order.paid standard timeout false 0 0/1",
	})
	if took := survivor.statistics(stays.ID, bellwire.Day)[0].P99; (took - 30*time.Second).Abs() > 30*time.Second/20 {
		w.Errorf("the attempt took %s, want 30s", took)
	}
	survivor.check(survivor.store.Close())
}

// statisticsUndone counts nothing of a transaction that finds the disk full.
func statisticsUndone(w *world) {
	ep := w.endpoint(w.tenant())
	w.publish(ep)
	empty := w.hooks.Fill(w.t, w.store)
	big := w.event(ep.Tenant, ep)
	big.Event.Data = make([]byte, 1<<20)
	for range 3 {
		_, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{together(w.event(ep.Tenant, ep)), together(big)})
		w.refused(err, bellwire.CodeNoSpace)
	}
	empty()
	w.append(together(big))
	if rows := w.statistics(ep.Tenant, bellwire.Day); len(rows) != 1 || rows[0].Published != 2 {
		w.Errorf("the rows are %+v, want 2 events", rows)
	}
}

func statisticsNodes(w *world) {
	ep := w.endpoint(w.tenant())
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		all.Go(func() {
			for {
				if _, err := w.store.RollUp(w.ctx, 1); err != nil {
					w.Error(err)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 20 {
		w.publish(ep)
		w.record(w.result(w.take(ep), success))
	}
	close(stop)
	all.Wait()
	rows := w.statistics(ep.Tenant, bellwire.Day)
	if len(rows) != 1 || rows[0].Published != 20 || rows[0].Attempts != 20 {
		w.Errorf("the rows are %+v, want 20 events and 20 attempts", rows)
	}
}

// statisticsOthers publishes more types than a row can count by themselves.
func statisticsOthers(w *world) {
	t := w.tenant()
	const types = 130
	for n := range types {
		e := w.event(t.ID)
		e.Event.Type = fmt.Sprintf("type%03d", n)
		w.append(together(e))
	}
	var common []*bellwire.NewEvent
	for range 3 {
		e := w.event(t.ID)
		e.Event.Type = "type129"
		common = append(common, e)
	}
	w.append(together(common...))
	w.rollUp()
	rows := w.statistics(t.ID, bellwire.Day, bellwire.ByType)
	var total, others uint64
	names := make(map[string]bool)
	for _, r := range rows {
		total += r.Published
		names[r.Type] = true
		if r.Others {
			others += r.Published
		}
	}
	if total != types+3 || others == 0 || !names["type129"] || len(rows) > 101 {
		w.Errorf("%d rows count %d events, %d of them as others, and type129: %t", len(rows), total, others, names["type129"])
	}
}

func statisticsDeleted(w *world) {
	stays, t := w.tenant(), w.tenant()
	ep := w.endpoint(t)
	w.publish(ep)
	w.publish(w.endpoint(stays))
	w.rollUp()
	w.record(w.result(w.take(ep), success)) // this is moved after the deletion
	w.publish(ep)                           // and so is this
	w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
	for w.purge(100) > 0 {
	}
	again := &bellwire.Tenant{ID: t.ID, CreatedAt: w.now, UpdatedAt: w.now}
	w.check(w.store.CreateTenant(w.ctx, again))
	w.equal("the rows of another tenant with the same id", texts(w.statistics(again.ID, bellwire.Day)), []string(nil))
	rows := w.statistics("", bellwire.Day)
	if len(rows) != 1 || rows[0].Published != 3 || rows[0].Attempts != 1 {
		w.Errorf("the rows of all tenants are %+v, want 3 events and 1 attempt", rows)
	}
	w.equal("the rows of the other one", len(w.statistics(stays.ID, bellwire.Day)), 1)
}

// Kept is how long the stores under test must keep statistics: hours for other than the default time.
var Kept = bellwire.StatisticsKept{Hours: 10 * 24 * time.Hour}

func statisticsKept(w *world) {
	w.now = w.now.AddDate(-3, 0, 0) // so that their time ends before now: Purge does not trust a clock that is ahead of the database's
	t := w.tenant()
	w.append(together(w.event(t.ID)))
	w.rollUp()
	begun := w.now
	count := func(interval bellwire.Interval) int {
		w.Helper()
		for w.purge(1) > 0 {
		}
		rows, err := w.store.Statistics(w.ctx, bellwire.StatisticsFilter{
			Tenant: t.ID, Since: begun.Add(-48 * time.Hour), Until: begun.Add(time.Hour), Interval: interval,
		})
		w.check(err)
		return len(rows)
	}
	for _, interval := range bellwire.Intervals {
		w.now = begun.Add(Kept.Of(interval) - 25*time.Hour)
		w.equal("the rows before the end of their time", count(interval), 1)
		w.now = begun.Add(Kept.Of(interval) + interval.Length())
		w.equal("the rows after it", count(interval), 0)
	}
}

// statisticsRandom does many things in any order, and compares the sums of all intervals and dimensions with what was done.
func statisticsRandom(w *world) {
	random := rand.New(rand.NewPCG(1, 2))
	t := w.tenant()
	endpoints := []*bellwire.Endpoint{w.endpoint(t), w.endpoint(t), w.endpoint(t)}
	var published, attempts, succeeded uint64
	for range 60 {
		switch random.IntN(4) {
		case 0:
			w.tick(time.Duration(random.IntN(90)) * time.Minute / 60)
		case 1:
			w.publish(endpoints[:1+random.IntN(3)]...)
			published++
		case 2:
			_, err := w.store.RollUp(w.ctx, 1+random.IntN(3))
			w.check(err)
		default:
			var results []*bellwire.Result
			for _, ep := range endpoints {
				for _, c := range w.claim(ep, 2).Due {
					r := lasting(w.result(c.Delivery, success), time.Duration(random.IntN(1e9)), bellwire.OutcomeOK)
					if random.IntN(2) == 0 {
						r.Transition, r.Attempt.Outcome = retryIn(0), bellwire.OutcomeReset
					} else {
						succeeded++
					}
					results, attempts = append(results, r), attempts+1
				}
			}
			w.record(results...)
		}
	}
	for _, interval := range bellwire.Intervals {
		for _, by := range [][]bellwire.Dimension{nil, {bellwire.ByType}, {bellwire.ByEndpoint}, {bellwire.ByOutcome}, bellwire.Dimensions} {
			var sum bellwire.StatisticsRow
			for _, r := range w.statistics(t.ID, interval, by...) {
				sum.Published += r.Published
				sum.Attempts += r.Attempts
				sum.Succeeded += r.Succeeded
			}
			if len(by) > 0 && by[0] != bellwire.ByType {
				sum.Published = published // what belongs to no endpoint is not counted there
			}
			w.equal(fmt.Sprintf("the sums each %s by %v", interval, by), [3]uint64{sum.Published, sum.Attempts, sum.Succeeded}, [3]uint64{published, attempts, succeeded})
		}
	}
}
