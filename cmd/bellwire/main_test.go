package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alecthomas/kong"

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

// A command line gets the commands that it needs, as all of them would be.
func TestGrammar(t *testing.T) {
	t.Parallel()
	whole, err := newParser(streams{})
	if err != nil {
		t.Fatal(err)
	}
	all := len(whole.Model.Children)
	for _, command := range whole.Model.Children {
		parser, err := parserOf(streams{}, grammar([]string{command.Name}))
		if err != nil {
			t.Fatal(err)
		}
		want := 1
		if slices.Contains([]string{"help", "man", "complete"}, command.Name) || hasFlag(command, "config") {
			want = all
		}
		found := parser.Model.Children
		if len(found) != want {
			t.Errorf("%s: %d commands, want %d", command.Name, len(found), want)
		}
		same := slices.ContainsFunc(found, func(c *kong.Node) bool {
			return c.Name == command.Name && c.Detail == command.Detail && len(c.Children) == len(command.Children) && len(c.Flags) == len(command.Flags)
		})
		if !same {
			t.Errorf("%s is not among them as it is among all", command.Name)
		}
	}
	for _, args := range [][]string{nil, {"--version"}, {"publisher"}, {"end"}} {
		if _, ok := grammar(args).(*commands); !ok {
			t.Errorf("%q does not get all commands", args)
		}
	}
}

// hasFlag reports whether a command, or one below it, has an option.
func hasFlag(command *kong.Node, name string) bool {
	return slices.ContainsFunc(command.Flags, func(f *kong.Flag) bool { return f.Name == name }) ||
		slices.ContainsFunc(command.Children, func(c *kong.Node) bool { return hasFlag(c, name) })
}
