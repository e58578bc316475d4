package share

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of Rates.
const (
	rateOwners = 100_000             // with a bucket
	rateKept   = rateOwners * 9 / 10 // of them when all are in use, so that not every further one searches all
	rateSweep  = time.Minute         // between two removals of full buckets
)

// Rates has a token bucket for each owner. Full buckets take no memory. It is safe for concurrent use.
type Rates struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	swept   time.Time
}

// NewRates returns Rates in which all buckets are full.
func NewRates() *Rates { return &Rates{buckets: make(map[string]*rate.Limiter)} }

// Allow takes n tokens from an owner's bucket, which refills at the rate perSecond and holds burst, and reports whether it had them.
// If not, it takes none, and returns the time until it will have them. More tokens than the bucket holds need a full bucket and
// leave a debt.
func (r *Rates) Allow(owner string, perSecond float64, burst, n int) (retryAfter time.Duration, ok bool) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.bucket(now, owner, perSecond, burst)
	first := min(n, burst)
	if missing := float64(first) - b.TokensAt(now); missing > 0 {
		return wait(missing, perSecond), false
	}
	takeAll(b, now, n)
	return 0, true
}

// Take takes n tokens from an owner's bucket, which is as in Allow. It may leave a debt.
func (r *Rates) Take(owner string, perSecond float64, burst, n int) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	takeAll(r.bucket(now, owner, perSecond, burst), now, n)
}

// bucket returns an owner's bucket. The caller must hold r.mu.
func (r *Rates) bucket(now time.Time, owner string, perSecond float64, burst int) *rate.Limiter {
	r.sweep(now)
	b := r.buckets[owner]
	if b == nil {
		b = rate.NewLimiter(rate.Limit(perSecond), burst)
		r.buckets[owner] = b
	}
	if b.Limit() != rate.Limit(perSecond) {
		b.SetLimitAt(now, rate.Limit(perSecond))
	}
	if b.Burst() != burst {
		b.SetBurstAt(now, burst)
	}
	return b
}

// takeAll takes tokens from a bucket, which may go below zero, but not by more than a bucket at a time.
func takeAll(b *rate.Limiter, now time.Time, n int) {
	for ; n > 0; n -= b.Burst() {
		b.ReserveN(now, min(n, b.Burst()))
	}
}

// wait returns the time in which the tokens are refilled, rounded up to a millisecond.
func wait(tokens, perSecond float64) time.Duration {
	ms := math.Ceil(tokens / perSecond * 1000)
	return time.Duration(min(ms, float64(time.Hour/time.Millisecond))) * time.Millisecond
}

// sweep removes full buckets, periodically or when there are very many.
func (r *Rates) sweep(now time.Time) {
	if now.Sub(r.swept) < rateSweep && len(r.buckets) < rateOwners {
		return
	}
	r.swept = now
	for owner, b := range r.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(r.buckets, owner)
		}
	}
	if len(r.buckets) < rateOwners {
		return
	}
	for owner := range r.buckets { // all are in use; those removed are full again
		if len(r.buckets) <= rateKept {
			return
		}
		delete(r.buckets, owner)
	}
}
