package sim

import (
	"math"
	"time"
)

// statistics is what is counted from the begin of the measurement on; what is in flight, scheduled or ended counts from the begin.
type statistics struct {
	offered, accepted, refused int
	acknowledged, exhausted    int // from the begin
	acknowledgements           int // since the measurement began
	repeated                   int
	retrying                   int
	groups, grouped            int
	inFlight, mostInFlight     int

	publish, receipts histogram
	samples           []sample
}

// sample is the state of the cell at a moment.
type sample struct {
	at      time.Duration // since the measurement began
	waiting int           // events that publishers could not publish yet
	open    int           // deliveries to receivers that acknowledge
}

func (s *sample) backlog() int { return s.waiting + s.open }

func (s *statistics) begin() {
	*s = statistics{
		acknowledged: s.acknowledged, exhausted: s.exhausted, retrying: s.retrying, inFlight: s.inFlight, mostInFlight: s.inFlight,
	}
}

func (s *statistics) flying(change int) {
	s.inFlight += change
	s.mostInFlight = max(s.mostInFlight, s.inFlight)
}

// receipt counts a request that its receiver acknowledges.
func (s *statistics) receipt(d *delivery, passed time.Duration) {
	if d.received {
		s.repeated++
		return
	}
	d.received = true
	s.receipts.add(passed)
}

// histogram counts durations in buckets that are 2 % wide.
type histogram struct {
	buckets []int
	count   int
	longest time.Duration
}

var bucketWidth = math.Log(1.02)

func (h *histogram) add(d time.Duration) {
	bucket := 0
	if d > time.Microsecond {
		bucket = int(math.Log(float64(d)/float64(time.Microsecond)) / bucketWidth)
	}
	if missing := bucket + 1 - len(h.buckets); missing > 0 {
		h.buckets = append(h.buckets, make([]int, missing)...)
	}
	h.buckets[bucket]++
	h.count++
	h.longest = max(h.longest, d)
}

// percentile returns the middle of the bucket in which the given share of all durations ends.
func (h *histogram) percentile(share float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	want := int(math.Ceil(share * float64(h.count)))
	for bucket, n := range h.buckets {
		if want -= n; want <= 0 {
			return min(time.Duration(math.Exp((float64(bucket)+0.5)*bucketWidth)*float64(time.Microsecond)), h.longest)
		}
	}
	return h.longest
}

// settled returns how long after the begin of a fault the backlog became less than half larger than before, and stayed so until the given time. It
// returns false if the backlog was larger at that time.
func (s *statistics) settled(begin, until time.Duration) (time.Duration, bool) {
	usual, last := 0, begin
	for _, at := range s.samples {
		if at.at < begin {
			usual = max(usual, at.backlog())
		}
	}
	for _, at := range s.samples {
		if at.at >= begin && at.at < until && at.backlog() > usual+usual/2+10 {
			last = at.at + sampleEvery
		}
	}
	return last - begin, last < until
}
