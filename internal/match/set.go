package match

import (
	"slices"
	"strings"
	"sync"

	"github.com/bellwire/bellwire"
)

// Bounds on what a Set remembers. A catalogue's names are few; should they be many, or each match very
// many endpoints, the Set forgets all and starts again.
const (
	maxNames   = 1024
	maxIndexes = 1 << 18 // 2 MiB of them
)

// Set holds the patterns of a row of endpoints. It is safe for concurrent use.
type Set struct {
	exact    map[string][]int // by name: endpoints, ascending and distinct
	prefixes map[string][]int // by prefix, likewise
	longest  int              // the length of the longest prefix

	mu      sync.RWMutex
	memo    map[string][]int
	indexes int // in all lists of memo
}

// Compile makes a Set of one list of patterns for each endpoint. Its error has CodeInvalid.
func Compile(patterns [][]string) (*Set, error) {
	s := &Set{exact: map[string][]int{}, prefixes: map[string][]int{}, memo: map[string][]int{}}
	for endpoint, list := range patterns {
		for _, text := range list {
			p, err := Parse(text)
			if err != nil {
				return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "The patterns of endpoint %d cannot be compiled.", endpoint)
			}
			s.add(endpoint, p)
		}
	}
	return s, nil
}

func (s *Set) add(endpoint int, p Pattern) {
	lists := s.exact
	if !p.Exact() {
		lists = s.prefixes
		s.longest = max(s.longest, len(p.name))
	}
	list := lists[p.name]
	if len(list) == 0 || list[len(list)-1] != endpoint { // an endpoint can name a pattern twice
		lists[p.name] = append(list, endpoint)
	}
}

// Match returns the indexes of the endpoints that want the event type of the given name, ascending and
// distinct. The list is shared: it must not be changed.
func (s *Set) Match(name string) []int {
	s.mu.RLock()
	found, known := s.memo[name]
	s.mu.RUnlock()
	if known {
		return found
	}
	found = s.find(name)
	s.remember(name, found)
	return found
}

// find looks up the name and every start of it: these are few, however many patterns there are.
func (s *Set) find(name string) []int {
	var lists [][]int
	if list := s.exact[name]; list != nil {
		lists = append(lists, list)
	}
	for end := range min(len(name), s.longest) + 1 {
		if list := s.prefixes[name[:end]]; list != nil {
			lists = append(lists, list)
		}
	}
	if len(lists) == 1 {
		return slices.Clip(lists[0])
	}
	found := slices.Concat(lists...)
	slices.Sort(found)
	return slices.Clip(slices.Compact(found))
}

func (s *Set) remember(name string, found []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.memo[name]; known {
		return
	}
	if len(s.memo) >= maxNames || s.indexes+len(found) > maxIndexes {
		clear(s.memo)
		s.indexes = 0
	}
	// The name may be a part of a large request body, which the memo must not keep alive.
	s.memo[strings.Clone(name)] = found
	s.indexes += len(found)
}
