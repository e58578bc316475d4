// Package rollup counts events and attempts for statistics. A transaction that stores some of them also stores a delta, which
// says what it has stored. Later, deltas are moved into buckets: one for each tenant, interval and time. Its functions are pure.
package rollup

import (
	"encoding/binary"
	"math"
	"time"
)

// A sketch has a bucket for durations up to shortest, and then one for each tenth more. A duration that is taken from the middle of
// its bucket is wrong by less than 5 %.
const (
	shortest = 100 * time.Microsecond
	growth   = 1.1
	buckets  = 192 // the last one is for two hours and more
)

// sketch counts durations by bucket. It is as long as its last bucket that is not empty. Sketches can be added, so that the
// quantiles of a day follow from those of its minutes.
type sketch []uint64

// bucketOf returns the bucket of a duration.
func bucketOf(d time.Duration) int {
	if d <= shortest {
		return 0
	}
	return min(int(math.Ceil(math.Log(float64(d)/float64(shortest))/math.Log(growth))), buckets-1)
}

// middleOf returns the duration whose relative distance from both ends of a bucket is the same.
func middleOf(bucket int) time.Duration {
	if bucket == 0 {
		return shortest
	}
	return time.Duration(float64(shortest) * math.Pow(growth, float64(bucket)) * 2 / (1 + growth))
}

func (s *sketch) add(bucket int, count uint64) {
	for len(*s) <= bucket {
		*s = append(*s, 0)
	}
	(*s)[bucket] += count
}

func (s *sketch) merge(other sketch) {
	for bucket, count := range other {
		if count > 0 {
			s.add(bucket, count)
		}
	}
}

// count returns the number of durations.
func (s sketch) count() (total uint64) {
	for _, count := range s {
		total += count
	}
	return total
}

// quantile returns the duration that the given share of all durations does not exceed; 0 if there are none.
func (s sketch) quantile(share float64) time.Duration {
	rank := uint64(math.Ceil(share * float64(s.count())))
	var below uint64
	for bucket, count := range s {
		if below += count; count > 0 && below >= rank {
			return middleOf(bucket)
		}
	}
	return 0
}

// encode appends the buckets that are not empty, each as its distance from the one before it, and its count.
func (s sketch) encode(to []byte) []byte {
	filled := 0
	for _, count := range s {
		if count > 0 {
			filled++
		}
	}
	to = binary.AppendUvarint(to, uint64(filled))
	last := 0
	for bucket, count := range s {
		if count > 0 {
			to = binary.AppendUvarint(binary.AppendUvarint(to, uint64(bucket-last)), count)
			last = bucket
		}
	}
	return to
}

// leastBucket is the fewest bytes that a bucket of a sketch is encoded in.
const leastBucket = 2

func (r *reader) sketch() (s sketch) {
	bucket := 0
	for range r.items(leastBucket) {
		bucket += r.count()
		count := r.number()
		if bucket >= buckets {
			r.broken = true
		}
		if r.broken {
			return nil
		}
		s.add(bucket, count)
	}
	return s
}
