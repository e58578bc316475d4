package match_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
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
		t.Run(tc.pattern, func(t *testing.T) {
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
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"", "**", "a**", "*a", "a*b", "card.*.created", "card created", "cärd", "a\x00", "a/b", " *", "* ", "?",
		strings.Repeat("a", 129), strings.Repeat("a", 129) + "*",
	} {
		t.Run(fmt.Sprintf("%.60s", pattern), func(t *testing.T) {
			_, err := match.Parse(pattern)
			if bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("Parse(%q) = %v, want CodeInvalid", pattern, err)
			}
		})
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
	if _, err := match.Compile([]string{"b", "not a pattern"}); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("got %v, want CodeInvalid", err)
	}
}

// name draws names of a small alphabet, so that patterns and names meet often.
func name() *rapid.Generator[string] { return rapid.StringMatching(`[ab.]{1,6}`) }

func TestPatternsTogetherChooseWhatEachChooses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.Custom(func(t *rapid.T) string {
			if rapid.Bool().Draw(t, "prefix") {
				return rapid.StringMatching(`[ab.]{0,4}`).Draw(t, "start") + "*"
			}
			return name().Draw(t, "exact")
		})
		texts := rapid.SliceOfN(pattern, 0, 8).Draw(t, "texts")
		patterns, err := match.Compile(texts)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range rapid.SliceOfN(name(), 1, 20).Draw(t, "names") {
			want := slices.ContainsFunc(texts, func(text string) bool {
				p, err := match.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				return p.Matches(name)
			})
			if got := patterns.Match(name); got != want {
				t.Fatalf("Match(%q) = %t, want %t", name, got, want)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("patterns=%d", n), func(b *testing.B) {
			texts := make([]string, n)
			for i := range texts {
				texts[i] = fmt.Sprintf("group%d.created", i)
				if i%2 == 1 {
					texts[i] = fmt.Sprintf("group%d.*", i)
				}
			}
			patterns, err := match.Compile(texts)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				patterns.Match("group51.created")
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
		patterns, err := match.Compile([]string{pattern})
		if err != nil || patterns.Match(name) != want {
			t.Fatalf("%q, compiled, disagrees on %q: %v", pattern, name, err)
		}
	})
}
