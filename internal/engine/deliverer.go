package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/engine/send"
)

// deliverer makes the attempts that the scheduler starts, and hands their results to the recorder.
type deliverer struct {
	scheduler *lanes.Scheduler
	directory Directory
	sender    *send.Sender
	recorder  *recorder
	observer  bellwire.Observer
	clock     clock

	running sync.WaitGroup
	ctx     context.Context  // ends attempts that Close has no time for
	tasks   chan *lanes.Task // to goroutines that wait for one; closed by stop
	idle    atomic.Int32     // goroutines that wait
}

// maxIdleWorkers is how many goroutines wait for a task.
const maxIdleWorkers = 128

// begin sets the context of attempts.
func (d *deliverer) begin(ctx context.Context) { d.ctx = ctx }

// start makes an attempt in a goroutine that waits for one, or in a new one.
func (d *deliverer) start(task *lanes.Task) {
	select {
	case d.tasks <- task:
	default:
		d.running.Go(func() { d.work(task) })
	}
}

// stop ends the start of attempts, and the goroutines that wait for one.
func (d *deliverer) stop() {
	d.scheduler.Drain() // it starts none from now on
	close(d.tasks)
}

// work makes attempts: the one that it was started for, and then others. A new goroutine would have to grow its stack in
// each attempt.
func (d *deliverer) work(task *lanes.Task) {
	for task != nil {
		if task = d.attempt(task); task == nil {
			task = d.wait()
		}
	}
}

// wait waits for a task. It returns nil if enough goroutines wait, and at the end.
func (d *deliverer) wait() *lanes.Task {
	defer d.idle.Add(-1)
	if d.idle.Add(1) > maxIdleWorkers {
		return nil
	}
	return <-d.tasks
}

// attempt makes one attempt, and returns the task to be attempted next, or nil.
func (d *deliverer) attempt(task *lanes.Task) (next *lanes.Task) {
	target := d.scheduler.TargetOf(task)
	switch now := d.clock.now(); {
	case bellwire.Expired(task.Delivery.ExpiresAt, now):
		return d.end(expiredResult(task, target, now))
	case task.Trigger == bellwire.TriggerManual && target.Ended():
		if target = d.newest(target); target.Ended() {
			return d.end(refusedResult(task, target, now))
		}
	}
	request := send.Request{Target: target, Event: task.Content.Event, Delivery: &task.Delivery, Trigger: task.Trigger, Content: task.Content}
	if cause := task.Content.Event.Trace; cause != nil {
		request.Trace = d.observer.Span(cause)
	}
	sent := d.sender.Do(d.ctx, &request)
	if sent.Verdict != bellwire.Acknowledged && (sent.NotSent || d.ctx.Err() != nil) {
		d.scheduler.Abort(task)
		return nil
	}
	if sent.Fault != "" {
		d.observer.NodeFailed(string(sent.Fault), sent.Cause)
		d.scheduler.RequeueUnsent(time.Now(), task, sent.Fault.NodeWide())
		return nil
	}
	if sent.Attempt != nil {
		d.observer.Attempted(sent.Attempt, target.Endpoint, &task.Delivery)
	}
	return d.end(newResult(task, target, sent))
}

// newest returns the target as it is now, which its lane may not have been told yet, or the given one if that is not known.
func (d *deliverer) newest(t *bellwire.Target) *bellwire.Target {
	ctx, cancel := context.WithTimeout(d.ctx, storeTimeout)
	defer cancel()
	if now, err := d.directory.Target(ctx, t.Endpoint.ID); err == nil {
		return now
	}
	return t
}

// end hands over the result of an attempt, and returns the task to be attempted next, or nil.
func (d *deliverer) end(r *result) (next *lanes.Task) {
	target := r.Target
	next, change, failures := d.scheduler.Finish(time.Now(), &r.Result)
	if r.SpentHost {
		d.observer.Overdrawn(target.Endpoint, lanes.HostName(target))
	}
	if r.WaitsForIt {
		r.transition.Reason = bellwire.ReasonTargetRequests
	}
	if change != lanes.BreakerSame {
		d.observer.Breaker(target.Endpoint, change == lanes.BreakerOpened, failures)
	}
	d.recorder.record(r)
	return next
}
