package main

import (
	"slices"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestNodesWithOtherFilesAreNamed(t *testing.T) {
	t.Parallel()
	nodes := []bellwire.Node{
		{Name: "same", DialectFiles: "f00d"}, {Name: "other", DialectFiles: "beef"}, {Name: "none"},
		{Name: "dead", DialectFiles: "beef", Age: time.Minute, Term: time.Second}, {Name: "own", DialectFiles: "beef"},
	}
	if got := withOtherFiles(nodes, "own", "f00d"); !slices.Equal(got, []string{"other", "none"}) {
		t.Errorf("got %v", got)
	}
}
