package hostile

import (
	"slices"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	all, err := Find(All)
	if err != nil || len(all) != len(Scenarios) {
		t.Errorf("all finds %d, %v", len(all), err)
	}
	two, err := Find("tombstones,fan-out")
	if err != nil || len(two) != 2 || two[0].Name != "tombstones" || two[1].Name != "fan-out" {
		t.Errorf("two names find %v, %v", two, err)
	}
	if _, err := Find("fan-out,nonsense"); err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Errorf("nonsense is answered %v", err)
	}
}

// Names are unique, and each scenario has a meaning.
func TestScenarios(t *testing.T) {
	t.Parallel()
	names := Names()
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is there twice: %v", names)
	}
	for _, s := range Scenarios {
		if s.Meaning == "" || s.attack == nil || strings.ContainsAny(s.Name, ", \n") {
			t.Errorf("%q: meaning %q", s.Name, s.Meaning)
		}
	}
}
