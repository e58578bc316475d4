package engine

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
)

// pacedJob makes steps at a pace while events are published.
type pacedJob struct {
	*jobPace
	t      *testing.T
	isLate bool

	mu        sync.Mutex // guards the rest but total
	events    int64      // published
	times     commitTime
	perSecond float64 // as slow sets it
	made      float64 // deliveries that weigh on what is stored; half of them are gone after 50 ms
	total     int
}

func newPacedJob(t *testing.T) *pacedJob {
	j := &pacedJob{t: t}
	j.jobPace = &jobPace{
		late: func() bool { return j.isLate },
		published: func() int64 {
			j.mu.Lock()
			defer j.mu.Unlock()
			return j.events
		},
		commits: func() commitTime {
			j.mu.Lock()
			defer j.mu.Unlock()
			return j.times
		},
	}
	return j
}

// publish stores a group of events every 10 ms until stop is closed.
func (j *pacedJob) publish(stop <-chan struct{}) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			j.mu.Lock()
			j.events++
			j.times.groups++
			j.times.seconds += 0.004 * (1 + j.perSecond*j.made*14)
			j.made *= 0.87
			j.mu.Unlock()
		case <-stop:
			return
		}
	}
}

func (j *pacedJob) weigh(deliveries int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.made += float64(deliveries)
}

// slow sets how much longer it takes to store a group, for each delivery per second that the job brings in.
func (j *pacedJob) slow(perSecond float64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.perSecond = perSecond
}

// runFor makes steps, and returns how many deliveries they bring in per second.
func (j *pacedJob) runFor(d time.Duration) float64 {
	j.total = 0
	started := time.Now()
	for time.Since(started) < d {
		n := j.limit(time.Now())
		j.stored(n)
		j.weigh(n)
		j.total += n
		j.rest(j.t.Context(), 5*time.Millisecond)
		synctest.Wait()
	}
	return float64(j.total) / time.Since(started).Seconds()
}

// Jobs are bounded only while events are published: then they slow down where goroutines wait for a processor, or where events take
// longer to be stored than while jobs rest. They never stop, and become faster again where neither is so.
func TestJobPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newPacedJob(t)
		if n := j.limit(time.Now()); n != limits.JobStep || j.rate != 0 {
			t.Errorf("without publications a step has %d deliveries, at %g per second", n, j.rate)
		}
		stop := make(chan struct{})
		go j.publish(stop)
		time.Sleep(100 * time.Millisecond)
		if rate := j.runFor(2 * time.Second); rate < startRate/2 || rate > 2*startRate {
			t.Errorf("in the first seconds there are %g deliveries per second", rate)
		}
		j.runFor(20 * time.Second)
		fast := j.runFor(10 * time.Second)
		if fast < 10*startRate {
			t.Errorf("where nothing waits there are %g deliveries per second", fast)
		}
		j.isLate = true
		j.runFor(30 * time.Second)
		if rate := j.runFor(10 * time.Second); rate < leastRate/2 || rate > 6*leastRate {
			t.Errorf("while goroutines are late there are %g deliveries per second", rate)
		}
		j.isLate = false
		j.runFor(30 * time.Second)
		if rate := j.runFor(10 * time.Second); rate < fast/2 {
			t.Errorf("later there are %g deliveries per second, and %g before", rate, fast)
		}
		// Each delivery per second makes storing slower by a three thousandth, so that a twentieth is reached at about 150.
		j.slow(1.0 / 3000)
		j.runFor(time.Minute)
		if rate := j.runFor(time.Minute); rate < 50 || rate > 450 {
			t.Errorf("where they slow down what is published there are %g deliveries per second", rate)
		}
		j.slow(0)
		j.runFor(30 * time.Second)
		if rate := j.runFor(10 * time.Second); rate < fast/2 {
			t.Errorf("where they no longer do there are %g deliveries per second, and %g before", rate, fast)
		}
		close(stop)
		time.Sleep(2 * publishingFor)
		j.limit(time.Now()) // the last publication was counted after the last step
		time.Sleep(2 * publishingFor)
		if n := j.limit(time.Now()); n != limits.JobStep || j.rate != 0 {
			t.Errorf("after the publications a step has %d deliveries, at %g per second", n, j.rate)
		}
	})
}
