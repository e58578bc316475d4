package seal_test

import (
	"slices"
	"testing"
)

// TestNodeSeeds: while a keyset is rotated, each node has a seed that its neighbour has first. Others have none of them.
func TestNodeSeeds(t *testing.T) {
	t.Parallel()
	first := newKeyset(t)
	added, err := first.Add()
	must(t, err)
	promoted, err := added.Promote()
	must(t, err)
	pruned, err := promoted.Prune()
	must(t, err)
	old, young := keyring(t, first).NodeSeeds()[0], keyring(t, pruned).NodeSeeds()[0]
	for name, c := range map[string]struct{ got, want [][32]byte }{
		"first":    {keyring(t, first).NodeSeeds(), [][32]byte{old}},
		"added":    {keyring(t, added).NodeSeeds(), [][32]byte{old, young}},
		"promoted": {keyring(t, promoted).NodeSeeds(), [][32]byte{young, old}},
		"pruned":   {keyring(t, pruned).NodeSeeds(), [][32]byte{young}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: not the seeds of its keys, the primary one first", name)
		}
	}
	if old == young || slices.Contains(keyring(t, newKeyset(t)).NodeSeeds(), old) {
		t.Error("two keys have the same seed")
	}
}
