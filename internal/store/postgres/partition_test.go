package postgres

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/store/codec"
)

func TestPartitionSet(t *testing.T) {
	t.Parallel()
	part := func(name string, begin, end byte) *partition {
		return &partition{table: eventsTable, name: name, begin: [16]byte{begin}, end: [16]byte{end}}
	}
	set := partitionSet{part("a"+remainderSuffix, 0, 10), part("b", 10, 20), part("c", 20, 30)}
	for _, c := range []struct {
		name string
		got  partitionSet
		want []string
	}{
		{"Originals", set.originals(), []string{"b", "c"}},
		{"EndingBy", set.endingBy([16]byte{20}), []string{"a_kept", "b"}},
		{"EndingByOneLess", set.endingBy([16]byte{19}), []string{"a_kept"}},
		{"ApartFromNone", set.apartFrom(nil), []string{"a_kept", "b", "c"}},
		{"ApartFromAnotherWidth", set.apartFrom(partitionSet{part("x", 5, 11)}), []string{"c"}},
		{"ApartFromItsNeighbours", set.apartFrom(partitionSet{part("x", 0, 10), part("y", 20, 21)}), []string{"b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			names := slices.Collect(func(yield func(string) bool) {
				for _, p := range c.got {
					if !yield(p.name) {
						return
					}
				}
			})
			if diff := cmp.Diff(c.want, names); diff != "" {
				t.Errorf("the partitions (-want +got):\n%s", diff)
			}
		})
	}
	r := set[1].remainder()
	if !r.isRemainder() || set[1].isRemainder() || r.bounds() != set[1].bounds() {
		t.Errorf("the remainder of b is %+v", r)
	}
	first, next := partitionSet{part("b", 10, 20), part("d", 25, 30)}.spans()
	wantFirst := [][16]byte{{}, {10}, {20}, {25}, {30}}
	if wantNext := append(slices.Clone(wantFirst[1:]), codec.LastID); !slices.Equal(first, wantFirst) || !slices.Equal(next, wantNext) {
		t.Errorf("the spans begin at %x and end before %x", first, next)
	}
	if first, next = partitionSet(nil).spans(); len(first) != 1 || next[0] != codec.LastID {
		t.Errorf("without partitions the spans begin at %x and end before %x", first, next)
	}
}
