package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
)

// Jobs are bounded only while events are published: then they slow down at once where goroutines wait for a processor, never
// stop, and become faster again where they do not.
func TestJobPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			late      bool
			published int64
		)
		p := &jobPace{late: func() bool { return late }, published: func() int64 { return published }}
		// second makes steps for a second, and returns how many deliveries they bring in.
		second := func() (total int) {
			for end := time.Now().Add(time.Second); time.Now().Before(end); {
				n := p.limit(time.Now())
				p.made(n)
				total += n
				time.Sleep(max(p.pause(), 10*time.Millisecond))
				published++
			}
			return total
		}
		if n := p.limit(time.Now()); n != limits.JobStep || p.pause() != 0 {
			t.Errorf("without publications a step has %d deliveries, and a pause of %v", n, p.pause())
		}
		published++
		before := second()
		if before < startRate || before > 3*startRate {
			t.Errorf("in the first second there are %d deliveries", before)
		}
		for range 10 {
			second()
		}
		fast := second()
		if fast < 10*before {
			t.Errorf("after ten seconds there are %d deliveries a second, and %d in the first", fast, before)
		}
		late = true
		for range 3 {
			second()
		}
		if n := second(); n < leastRate || n > leastRate*3/2 {
			t.Errorf("while goroutines are late there are %d deliveries a second", n)
		}
		late = false
		for range 10 {
			second()
		}
		if n := second(); n < fast/2 {
			t.Errorf("later there are %d deliveries a second, and %d before", n, fast)
		}
		time.Sleep(2 * liveFor)
		p.limit(time.Now()) // the last publication was counted after the last step
		time.Sleep(2 * liveFor)
		if n := p.limit(time.Now()); n != limits.JobStep || p.pause() != 0 {
			t.Errorf("after the publications a step has %d deliveries, and a pause of %v", n, p.pause())
		}
	})
}
