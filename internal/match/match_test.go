package match_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/match"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pattern  string
		exact    bool
		matches  []string
		excludes []string
	}{
		{"card.created", true, []string{"card.created"}, []string{"card.create", "card.created.x", "Card.created", ""}},
		{"card*", false, []string{"card", "card.created", "cards"}, []string{"car", "xcard"}},
		{"card.*", false, []string{"card.", "card.created"}, []string{"card", "cards.created"}},
		{"*", false, []string{"card", "a"}, nil},
		{"AZaz09._:-", true, []string{"AZaz09._:-"}, nil},
		{strings.Repeat("a", 128) + "*", false, []string{strings.Repeat("a", 128)}, nil},
	} {
		p, err := match.Parse(tc.pattern)
		if err != nil {
			t.Fatalf("Parse(%q): %v", tc.pattern, err)
		}
		if p.Exact() != tc.exact || p.String() != tc.pattern {
			t.Errorf("Parse(%q) = %q, exact %t", tc.pattern, p, p.Exact())
		}
		for _, name := range tc.matches {
			if !p.Matches(name) {
				t.Errorf("%q does not match %q", tc.pattern, name)
			}
		}
		for _, name := range tc.excludes {
			if p.Matches(name) {
				t.Errorf("%q matches %q", tc.pattern, name)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"", "**", "a**", "*a", "a*b", "card.*.created", "card created", "cärd", "a\x00", "a/b", " *", "* ", "?",
		strings.Repeat("a", 129), strings.Repeat("a", 129) + "*",
	} {
		_, err := match.Parse(pattern)
		if bellwire.CodeOf(err) != bellwire.CodeInvalid {
			t.Errorf("Parse(%q) = %v, want CodeInvalid", pattern, err)
		}
	}
	_, err := match.Parse(strings.Repeat("x", 1<<20))
	if len(err.Error()) > 512 {
		t.Errorf("The error quotes the whole pattern: %d bytes", len(err.Error()))
	}
}

func TestZeroPatternMatchesNoEventType(t *testing.T) {
	t.Parallel()
	if p := (match.Pattern{}); p.Matches("a") || !p.Exact() {
		t.Error("the zero Pattern chooses something")
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	if _, err := match.Compile([][]string{{"a"}, {"b", "not a pattern"}}); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("got %v, want CodeInvalid", err)
	}
}

func TestSetMatch(t *testing.T) {
	t.Parallel()
	set := compile(t, [][]string{
		{"card.created", "card.*", "card.*", "*"}, {"card.deleted", "card.deleted"}, {}, {"card.created"}, {"c*", "card.created"},
	})
	for name, want := range map[string][]int{
		"card.created": {0, 3, 4}, "card.deleted": {0, 1, 4}, "card": {0, 4}, "user.created": {0},
	} {
		for range 2 { // found, then remembered
			if diff := cmp.Diff(want, set.Match(name)); diff != "" {
				t.Errorf("Match(%q):\n%s", name, diff)
			}
		}
	}
}

// name draws names of a small alphabet, so that patterns and names meet often.
func name() *rapid.Generator[string] { return rapid.StringMatching(`[ab.]{1,6}`) }

func TestSetIsWhatThePatternsSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.Custom(func(t *rapid.T) string {
			if rapid.Bool().Draw(t, "prefix") {
				return rapid.StringMatching(`[ab.]{0,4}`).Draw(t, "start") + "*"
			}
			return name().Draw(t, "exact")
		})
		lists := rapid.SliceOfN(rapid.SliceOfN(pattern, 0, 4), 0, 12).Draw(t, "lists")
		set, err := match.Compile(lists)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range rapid.SliceOfN(name(), 1, 20).Draw(t, "names") {
			if diff := cmp.Diff(naive(t, lists, name), set.Match(name), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("Match(%q):\n%s", name, diff)
			}
		}
	})
}

func naive(t *rapid.T, lists [][]string, name string) (found []int) {
	for i, list := range lists {
		if slices.ContainsFunc(list, func(text string) bool {
			p, err := match.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			return p.Matches(name)
		}) {
			found = append(found, i)
		}
	}
	return found
}

// The memo forgets when it is full; what it answers stays right, and what it gave out stays as it was.
func TestMemoStaysRightWhenItForgets(t *testing.T) {
	t.Parallel()
	lists := make([][]string, 500)
	for i := range lists {
		lists[i] = []string{"*"}
	}
	lists[7] = []string{"odd.*"}
	set := compile(t, lists)
	first := set.Match("odd.1")
	before := slices.Clone(first)

	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 700 { // more than are remembered
				name := fmt.Sprintf("even.%d", i)
				want := 499
				if (i+worker)%2 == 1 {
					name, want = fmt.Sprintf("odd.%d", i), 500
				}
				if got := set.Match(name); len(got) != want {
					t.Errorf("Match(%q) finds %d, want %d", name, len(got), want)
				}
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(before, first); diff != "" {
		t.Errorf("a list that was given out has changed:\n%s", diff)
	}
}

func TestRememberedMatchNeedsNoMemory(t *testing.T) {
	set := compile(t, catalogue(100))
	set.Match("group3.created")
	if n := testing.AllocsPerRun(100, func() { set.Match("group3.created") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func compile(t testing.TB, lists [][]string) *match.Set {
	t.Helper()
	set, err := match.Compile(lists)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// catalogue makes endpoints that want an exact name, a group, or now and then everything.
func catalogue(endpoints int) [][]string {
	lists := make([][]string, endpoints)
	for i := range lists {
		lists[i] = []string{fmt.Sprintf("group%d.created", i%100)}
		switch i % 10 {
		case 1:
			lists[i] = append(lists[i], fmt.Sprintf("group%d.*", i%100))
		case 2:
			lists[i] = []string{"*"}
		}
	}
	return lists
}

func BenchmarkMatch(b *testing.B) {
	for _, endpoints := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("remembered/endpoints=%d", endpoints), func(b *testing.B) {
			set := compile(b, catalogue(endpoints))
			b.ReportAllocs()
			for b.Loop() {
				set.Match("group1.created")
			}
		})
		b.Run(fmt.Sprintf("new/endpoints=%d", endpoints), func(b *testing.B) {
			set := compile(b, catalogue(endpoints))
			names := make([]string, 4096) // more than are remembered
			for i := range names {
				names[i] = fmt.Sprintf("group%d.deleted.%d", i%100, i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				set.Match(names[i%len(names)])
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "*", "**", "card.created", "card.*", "card*", "*card", "a b", "\xff*"} {
		f.Add(seed, "card.created")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, err := match.Parse(pattern)
		if err != nil {
			if bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Fatalf("code %q", bellwire.CodeOf(err))
			}
			return
		}
		if p.String() != pattern {
			t.Fatalf("%q reads back as %q", pattern, p)
		}
		if bellwire.CheckEventTypeName(name) != nil {
			return
		}
		want := name == pattern || strings.HasSuffix(pattern, "*") && strings.HasPrefix(name, pattern[:len(pattern)-1])
		if p.Matches(name) != want {
			t.Fatalf("%q matches %q: %t", pattern, name, !want)
		}
		set, err := match.Compile([][]string{{pattern}})
		if err != nil || (len(set.Match(name)) == 1) != want {
			t.Fatalf("the set of %q disagrees on %q: %v", pattern, name, err)
		}
	})
}
