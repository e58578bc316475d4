// Package hostile is a bench of tenants: a hostile one does what no other should notice, and a neighbour beside it measures
// what it felt. Both are strangers to the server. They speak HTTP to it and know nothing of its inside, so that any build can be
// measured.
package hostile

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Scenario is what one tenant, its platform or a stranger does.
type Scenario struct {
	Name    string
	Meaning string // who does what, in one line

	prepare func(context.Context, *attacker) error // makes what the attack needs; nil: nothing
	attack  func(context.Context, *attacker) error // goes on until its context ends, or ends before
}

// Scenarios are all that there are: first those of which a review had shown that others feel them, then more.
var Scenarios = slices.Concat(reviewed, atEndpoints, atReaders, atPublishing, atConfiguration, atConnections)

// All names all scenarios.
const All = "all"

// Find returns the scenarios with these names, which are separated by commas. "all" is every one.
func Find(names string) ([]*Scenario, error) {
	if names == All {
		return Scenarios, nil
	}
	var found []*Scenario
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(Scenarios, func(s *Scenario) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no scenario %q: give one of %s, or all", name, strings.Join(Names(), ", "))
		}
		found = append(found, Scenarios[i])
	}
	return found, nil
}

// Names are the names of all scenarios.
func Names() []string {
	names := make([]string, len(Scenarios))
	for i, s := range Scenarios {
		names[i] = s.Name
	}
	return names
}

// List has a line for each scenario: its name and what it means.
func List() string {
	var b strings.Builder
	for _, s := range Scenarios {
		fmt.Fprintf(&b, "  %-20s %s\n", s.Name, s.Meaning)
	}
	return b.String()
}
