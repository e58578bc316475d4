package service

import (
	"slices"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestCountVersions(t *testing.T) {
	t.Parallel()
	name := &bellwire.EventType{Older: []bellwire.OlderVersion{{}, {Since: 5}}, Since: 9}
	var readers []bellwire.VersionReaders
	for _, r := range [][3]int{{0, 1, 0}, {4, 2, 1}, {5, 4, 0}, {8, 8, 2}, {9, 16, 0}, {100, 32, 3}} {
		readers = append(readers, bellwire.VersionReaders{At: int64(r[0]), Endpoints: r[1], Disabled: r[2]})
	}
	want := []VersionCount{{1, 3, 1}, {2, 12, 2}, {3, 48, 3}}
	if got := countVersions(name, readers); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := countVersions(&bellwire.EventType{}, nil); !slices.Equal(got, []VersionCount{{Version: 1}}) {
		t.Errorf("a type with one version: %v", got)
	}
}
