package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// What the janitor does at a time: small steps, because each holds up the writers.
const (
	purgeEvery = time.Minute
	purgeLimit = 300 // rows of one step
	// It rests for as long as a step took, and at least for this.
	purgePause = 10 * time.Millisecond
)

// janitor deletes what nothing needs any more.
type janitor struct {
	store     bellwire.Store
	retention time.Duration // how long events are kept; 0: for ever
	log       *slog.Logger
}

// run cleans up until ctx ends.
func (j *janitor) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(j.step(ctx))
		}
	}
}

// step deletes a little, and returns how long to rest.
func (j *janitor) step(ctx context.Context) time.Duration {
	start := time.Now()
	var before time.Time
	if j.retention > 0 {
		before = start.Add(-j.retention)
	}
	n, err := j.store.Purge(ctx, start, before, purgeLimit)
	if err != nil && ctx.Err() == nil {
		j.log.Warn("deleting what is not needed any more failed; it is tried again", "error", err.Error())
	}
	if err != nil || n == 0 {
		return purgeEvery
	}
	return max(time.Since(start), purgePause)
}
