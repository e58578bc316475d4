package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// The garbage collector runs when there is so much garbage, and half of what is in use. By default it is all of what is in use:
// in a usual server that is so little that the collector runs several times a second, for a tenth of the processors' time, and with
// very many endpoints it is much.
const (
	usualGarbage   = 32 << 20
	garbagePercent = 50
)

// percentFor returns what GOGC must be for that.
func percentFor(live uint64) int { return garbagePercent + int(usualGarbage*100/max(live, 1<<20)) }

// collector sets how much garbage may come together, after each garbage collection.
type collector struct {
	before int // what GOGC was

	mu    sync.Mutex
	now   int
	ended bool
}

// tuneCollector starts that, and returns what ends it. It does nothing if GOGC or GOMEMLIMIT is set.
func tuneCollector(getenv func(string) string) (end func()) {
	if getenv("GOGC") != "" || getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent := percentFor(liveHeap())
	c := &collector{before: debug.SetGCPercent(percent), now: percent}
	c.await()
	return c.end
}

// await has tune called after the next garbage collection, which frees what await allocates.
func (c *collector) await() {
	runtime.AddCleanup(new(*collector), (*collector).tune, c)
}

func (c *collector) tune() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	// A change stops the program for a moment.
	if percent := percentFor(liveHeap()); percent < c.now*9/10 || percent > c.now*11/10 {
		c.now = percent
		debug.SetGCPercent(percent)
	}
	c.await()
}

func (c *collector) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	debug.SetGCPercent(c.before)
}

// liveHeap returns how much was in use after the last garbage collection.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
