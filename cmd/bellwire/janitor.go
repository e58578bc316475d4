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
	// It is purgeRetry if some rows could not be deleted and others could.
	purgeRetry = time.Second

	storeUsesEvery = 30 * time.Second

	// A clock that gains clockJump or more between two steps has jumped ahead. It is trusted again after clockTrust.
	clockJump  = time.Minute
	clockTrust = 24 * time.Hour
)

// janitor deletes data whose retention has ended, and stores when keys and sessions were used.
type janitor struct {
	store     bellwire.Store
	uses      uses
	retention time.Duration // of events; 0: forever
	log       *slog.Logger
	clock     steadyClock
	jumped    bool      // the clock has jumped ahead
	failed    time.Time // when a failure was last logged
}

// steadyClock finds how far the machine's clock has jumped ahead, for clockTrust: by a wrong clock, data would be deleted early.
// Then it trusts the clock, which may have been set right by the jump, and also jumps if the machine is suspended. The zero value
// trusts the first time that it is given.
type steadyClock struct {
	wall    time.Time     // what the clock showed when it was last trusted
	running time.Duration // how long the process had been running then
}

// ahead returns how far the clock, which shows wall, is ahead after the process has been running for so long.
func (c *steadyClock) ahead(wall time.Time, running time.Duration) time.Duration {
	passed := running - c.running
	ahead := wall.Sub(c.wall) - passed
	if c.wall.IsZero() || ahead < clockJump || passed >= clockTrust {
		*c = steadyClock{wall, running}
		return 0
	}
	return ahead
}

// processStart has a monotonic reading, which does not follow the machine's clock.
var processStart = time.Now()

// now returns the time by which data is deleted.
func (j *janitor) now() time.Time {
	wall := time.Now().Round(0) // without the monotonic reading
	ahead := j.clock.ahead(wall, time.Since(processStart))
	if ahead > 0 && !j.jumped {
		j.log.Warn("the clock has jumped ahead; data is deleted by the time from before for a day: if the clock is wrong, set it right",
			"ahead", ahead.String())
	}
	j.jumped = ahead > 0
	return wall.Add(-ahead)
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
	start, now := time.Now(), j.now()
	var before time.Time
	if j.retention > 0 {
		before = now.Add(-j.retention)
	}
	n, err := j.store.Purge(ctx, now, before, purgeLimit)
	if err != nil && ctx.Err() == nil && start.Sub(j.failed) >= purgeEvery {
		j.failed = start
		j.log.Warn("purge failed, to be retried", "error", err.Error())
	}
	switch {
	case n == 0:
		return purgeEvery
	case err != nil: // other kinds of rows can be deleted
		return purgeRetry
	}
	return max(time.Since(start), purgePause)
}
