// Package hostile measures how well a server isolates tenants: a hostile tenant attacks, and a neighbour measures the effect on
// itself. Both use HTTP only, so that any build can be measured.
package hostile

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Scenario is an attack by a tenant, its platform or a stranger.
type Scenario struct {
	Name    string
	Meaning string // a line of description

	prepare func(context.Context, *attacker) error // nil: nothing to prepare
	attack  func(context.Context, *attacker) error // returns when its context ends, or earlier
}

// Scenarios are all scenarios, beginning with those that a review had found to affect other tenants.
var Scenarios = slices.Concat(reviewed, atEndpoints, atReaders, atPublishing, atConfiguration, atConnections, atRequests)

// All is the name that stands for all scenarios.
const All = "all"

// Find returns the scenarios with the given names, separated by commas, or every scenario for All.
func Find(names string) ([]*Scenario, error) {
	if names == All {
		return Scenarios, nil
	}
	var found []*Scenario
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(Scenarios, func(s *Scenario) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("scenario %q does not exist; known scenarios are %s, or all for every one", name, strings.Join(Names(), ", "))
		}
		found = append(found, Scenarios[i])
	}
	return found, nil
}

// Names returns the names of all scenarios.
func Names() []string {
	names := make([]string, len(Scenarios))
	for i, s := range Scenarios {
		names[i] = s.Name
	}
	return names
}

// List returns a line for each scenario, with its name and meaning.
func List() string {
	var b strings.Builder
	for _, s := range Scenarios {
		fmt.Fprintf(&b, "  %-20s %s\n", s.Name, s.Meaning)
	}
	return b.String()
}
