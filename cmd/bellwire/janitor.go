package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/bellwire/bellwire"
)

// What the janitor does at a time: small steps, because each holds up the writers.
const (
	purgeEvery = time.Minute
	purgeLimit = 1000 // rows of one step
	purgePause = 50 * time.Millisecond
)

// purge deletes what nothing needs any more, until ctx ends.
func purge(ctx context.Context, store bellwire.Store, log *slog.Logger) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-timer.C:
			n, err := store.Purge(ctx, now, purgeLimit)
			if err != nil && ctx.Err() == nil {
				log.Warn("deleting what is not needed any more failed; it is tried again", "error", err.Error())
			}
			if n > 0 && err == nil {
				timer.Reset(purgePause)
			} else {
				timer.Reset(purgeEvery)
			}
		}
	}
}
