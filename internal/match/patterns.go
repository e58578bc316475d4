package match

import (
	"slices"
	"strings"
)

// Patterns are those of one endpoint. They are immutable.
type Patterns struct {
	exact    []string // names, sorted
	prefixes []string // sorted; none is the start of another
}

// Compile makes Patterns of their texts. Its error has CodeInvalid.
func Compile(texts []string) (*Patterns, error) {
	p := new(Patterns)
	for _, text := range texts {
		parsed, err := Parse(text)
		if err != nil {
			return nil, err
		}
		if parsed.Exact() {
			p.exact = append(p.exact, parsed.name)
		} else {
			p.prefixes = append(p.prefixes, parsed.name)
		}
	}
	slices.Sort(p.exact)
	slices.Sort(p.prefixes)
	p.prefixes = shortest(p.prefixes)
	return p, nil
}

// shortest leaves out prefixes that start with another. They are sorted, so that such come right after it.
func shortest(prefixes []string) []string {
	kept := prefixes[:0]
	for _, prefix := range prefixes {
		if len(kept) == 0 || !strings.HasPrefix(prefix, kept[len(kept)-1]) {
			kept = append(kept, prefix)
		}
	}
	return kept
}

// Match reports whether one of the patterns chooses the event type of the given name. Its cost grows with the logarithm of
// their number.
func (p *Patterns) Match(name string) bool {
	if _, found := slices.BinarySearch(p.exact, name); found {
		return true
	}
	i, found := slices.BinarySearch(p.prefixes, name)
	return found || i > 0 && strings.HasPrefix(name, p.prefixes[i-1])
}
