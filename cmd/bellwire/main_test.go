package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
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

// An error's hint stands on a line of its own, wherever the error came from.
func TestHintsHaveALine(t *testing.T) {
	t.Parallel()
	const want = "line 3: order does not exist (not_found)\nCreate it first."
	answered := &client.Error{Status: 404, Code: client.CodeNotFound, Detail: "order does not exist", Hint: "Create it first."}
	if got := describe(fmt.Errorf("line 3: %w", answered)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	known := &bellwire.Error{Code: bellwire.CodeConflict, Message: "keyset is missing", Hint: "Restore it."}
	if got := describe(known); got != "keyset is missing\nRestore it." {
		t.Errorf("%q", got)
	}
	if got := describe(errors.New("no hint")); got != "no hint" {
		t.Errorf("%q", got)
	}
}
