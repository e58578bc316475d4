package service

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/match"
)

// TestCountSubscriptions compares the counts with those by asking each endpoint about each name.
func TestCountSubscriptions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[ab.]{1,4}`)
		names := rapid.SliceOfDistinct(name, rapid.ID[string]).Draw(t, "names")
		slices.Sort(names)
		pattern := rapid.OneOf(name, rapid.StringMatching(`[ab.]{0,3}\*`))
		endpoints := rapid.SliceOfN(rapid.SliceOfN(pattern, 0, 4), 0, 8).Draw(t, "endpoints")
		for i, got := range countSubscriptions(names, endpoints) {
			want := 0
			for _, texts := range endpoints {
				patterns, err := match.Compile(texts)
				if err != nil {
					t.Fatal(err)
				}
				if patterns.Match(names[i]) {
					want++
				}
			}
			if got.EventType != names[i] || got.Endpoints != want {
				t.Errorf("%+v, want %d for %s", got, want, names[i])
			}
		}
	})
}
