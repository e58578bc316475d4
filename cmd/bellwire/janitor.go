package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// The janitor works in small steps, because each of them blocks writers.
const (
	purgeEvery = time.Minute
	purgeLimit = 300 // rows per step
	// The pause after a step is as long as the step, but at least purgePause.
	purgePause = 10 * time.Millisecond

	storeUsesEvery = 30 * time.Second
)

// janitor deletes data whose retention has ended, and stores when keys and sessions were used.
type janitor struct {
	store     bellwire.Store
	uses      uses
	retention time.Duration // of events; 0: forever
	log       *slog.Logger
}

// uses stores when keys and sessions were last used.
type uses interface {
	StoreUses(ctx context.Context) error
}

// storeUses stores when keys and sessions were used. What cannot be stored is stored with the next uses.
func (j *janitor) storeUses(ctx context.Context) {
	if err := j.uses.StoreUses(ctx); err != nil && ctx.Err() == nil {
		j.log.Warn("last uses of keys and sessions not stored, to be retried", "error", err.Error())
	}
}

// run cleans up until ctx ends.
func (j *janitor) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	uses := time.NewTicker(storeUsesEvery)
	defer uses.Stop()
	for {
		select {
		case <-ctx.Done():
			j.storeUses(context.WithoutCancel(ctx))
			return
		case <-uses.C:
			j.storeUses(ctx)
		case <-timer.C:
			timer.Reset(j.step(ctx))
		}
	}
}

// step deletes some rows, and returns how long to pause.
func (j *janitor) step(ctx context.Context) time.Duration {
	start := time.Now()
	var before time.Time
	if j.retention > 0 {
		before = start.Add(-j.retention)
	}
	n, err := j.store.Purge(ctx, start, before, purgeLimit)
	if err != nil && ctx.Err() == nil {
		j.log.Warn("purge failed, to be retried", "error", err.Error())
	}
	if err != nil || n == 0 {
		return purgeEvery
	}
	return max(time.Since(start), purgePause)
}
