package match

import (
	"fmt"
	"testing"
)

func TestMemoIsBounded(t *testing.T) {
	t.Parallel()
	for _, endpoints := range []int{1, 1000} {
		lists := make([][]string, endpoints)
		for i := range lists {
			lists[i] = []string{"*", "n*"}
		}
		set, err := Compile(lists)
		if err != nil {
			t.Fatal(err)
		}
		most := 0
		for i := range maxNames + 100 {
			set.Match(fmt.Sprintf("n%d", i))
			if len(set.memo) > maxNames || set.indexes > maxIndexes {
				t.Fatalf("%d endpoints: %d names and %d indexes are remembered", endpoints, len(set.memo), set.indexes)
			}
			most = max(most, len(set.memo))
		}
		if want := min(maxNames, maxIndexes/endpoints); most != want {
			t.Errorf("%d endpoints: at most %d names were remembered, want %d", endpoints, most, want)
		}
	}
}

// Two goroutines that miss at once both remember what they found; it counts once.
func TestMemoCountsANameOnce(t *testing.T) {
	t.Parallel()
	set, err := Compile([][]string{{"*"}, {"a"}})
	if err != nil {
		t.Fatal(err)
	}
	set.remember("a", set.find("a"))
	set.remember("a", set.find("a"))
	if len(set.memo) != 1 || set.indexes != 2 {
		t.Errorf("%d names and %d indexes are remembered", len(set.memo), set.indexes)
	}
}
