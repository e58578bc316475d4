package main

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Copies of one signal drain; a second request ends at once.
func TestStopContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		atOnce := false
		ctx, cancel := stopContext(signals, func() { atOnce = true })
		defer cancel()
		synctest.Wait()
		if ctx.Err() != nil {
			t.Error("it stops without a signal")
		}
		for range 3 {
			signals <- syscall.SIGHUP
			synctest.Wait()
		}
		time.Sleep(oneRequest / 2)
		signals <- syscall.SIGHUP
		synctest.Wait()
		if ctx.Err() == nil || atOnce {
			t.Errorf("after copies of the first signal: %v, at once: %v", ctx.Err(), atOnce)
		}
		time.Sleep(oneRequest)
		signals <- syscall.SIGTERM
		synctest.Wait()
		if !atOnce {
			t.Error("a second signal does not end the process at once")
		}
	})
}
