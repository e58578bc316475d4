package main

import (
	"context"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// An examination that the end of the server cuts off finds no faults.
func TestExaminationOfEndingServer(t *testing.T) {
	t.Parallel()
	stop, cancel := context.WithCancel(t.Context())
	g := newExamination(stop, demoSettings(t.TempDir(), "error").subject(given{}))
	if found, err := g.look(t.Context()); err != nil || len(found.Findings) == 0 {
		t.Errorf("%v, %v", found, err)
	}
	cancel()
	g = newExamination(stop, demoSettings(t.TempDir(), "error").subject(given{}))
	if found, err := g.look(t.Context()); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
		t.Errorf("%v, %v", found, err)
	}
	g.settle()
}
