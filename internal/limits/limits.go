// Package limits defines the bounds on everything that tenants share: those that operators can set, and those that are fixed.
// docs/limits.md is made from it.
package limits

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Kind is the kind of a limit's value.
type Kind int

// The kinds of values.
const (
	Count Kind = iota // a whole number
	Bytes             // a whole number
	Rate              // a number
	Delay             // a number of seconds
)

// Limit is a bound that operators can set.
type Limit struct {
	Name       string
	Kind       Kind
	Default    float64
	Min, Max   float64
	ZeroIsNone bool   // 0 is allowed too, and means that there is no limit
	Unit       string // of the value: "endpoints", "events per second"
	One        string // the unit of the value 1: "endpoint"
	Meaning    string // a sentence
	Answer     string // to requests beyond it
	PerTenant  bool   // a tenant can have a value of its own
	Option     string // the option of the server that sets the value for all tenants, if --limit does not
	Divided    bool   // of a rate: each node allows its part, so that all together allow the value

	// BurstSeconds is how many seconds' worth of a rate may come at once, but at least MinBurst.
	BurstSeconds float64
	MinBurst     int

	// field returns a pointer to the value: an *int, *float64 or *time.Duration.
	field func(*bellwire.Limits) any
}

// Resource is something that tenants share. Its texts are a row of docs/limits.md.
type Resource struct {
	Name    string
	Bound   string // the total
	Share   string // of one tenant
	Reserve string // for tenants that use none of it yet
	Order   string // of waiting
	Answer  string // to requests beyond the share
}

// Find returns the limit with the given name, or nil.
func Find(name string) *Limit {
	at := slices.IndexFunc(All, func(l *Limit) bool { return l.Name == name })
	if at < 0 {
		return nil
	}
	return All[at]
}

// Names returns the names of all limits that --limit sets, or of those that can be set for a tenant.
func Names(perTenant bool) []string {
	var names []string
	for _, l := range All {
		if perTenant && l.PerTenant || !perTenant && l.Option == "" {
			names = append(names, l.Name)
		}
	}
	return names
}

// Allows reports whether a limit can have the value.
func (l *Limit) Allows(v float64) bool {
	switch {
	case v == 0 && l.ZeroIsNone:
		return true
	case l.Kind != Rate && l.Kind != Delay && v != math.Trunc(v):
		return false
	}
	return v >= l.Min && v <= l.Max // false for NaN
}

// Range returns the values that the limit can have as text: "a whole number between 1 and 65,536".
func (l *Limit) Range() string {
	kinds := map[Kind]string{Count: "a whole number", Bytes: "a number of bytes", Rate: "a number", Delay: "a time"}
	text := kinds[l.Kind] + " between " + l.Show(l.Min) + " and " + l.Show(l.Max)
	if l.ZeroIsNone {
		text += ", or 0 for no limit"
	}
	return text
}

// Show writes a value.
func (l *Limit) Show(v float64) string {
	switch l.Kind {
	case Delay:
		return Seconds(v).String()
	case Bytes:
		for _, unit := range []struct {
			bytes float64
			name  string
		}{{1 << 20, "MiB"}, {1 << 10, "KiB"}} {
			if v >= unit.bytes && math.Mod(v, unit.bytes) == 0 {
				return bellwire.Number(v/unit.bytes) + unit.name
			}
		}
	}
	return bellwire.Number(v)
}

// Amount writes a value with its unit: "1 key", "1,000 requests per second", "4MiB".
func (l *Limit) Amount(v float64) string {
	switch {
	case l.Kind == Bytes || l.Kind == Delay:
		return l.Show(v)
	case v == 1 && l.One != "":
		return l.Show(v) + " " + l.One
	}
	return l.Show(v) + " " + l.Unit
}

// Seconds returns a value of the kind Delay as a duration that writes itself as the API does.
func Seconds(v float64) bellwire.Duration {
	return bellwire.Duration(math.Round(v * float64(time.Second)))
}

// OfSeconds returns a duration as a value of the kind Delay.
func OfSeconds(d bellwire.Duration) float64 { return time.Duration(d).Seconds() }

// Of returns the limit's value in the limits of a tenant.
func (l *Limit) Of(held *bellwire.Limits) float64 {
	switch v := l.field(held).(type) {
	case *int:
		return float64(*v)
	case *float64:
		return *v
	case *time.Duration:
		return v.Seconds()
	default:
		panic(fmt.Sprintf("limits: %s is a %T", l.Name, v))
	}
}

func (l *Limit) set(held *bellwire.Limits, value float64) {
	switch v := l.field(held).(type) {
	case *int:
		*v = int(value)
	case *float64:
		*v = value
	case *time.Duration:
		*v = time.Duration(Seconds(value))
	}
}

// Burst returns how much of a rate may come at once.
func (l *Limit) Burst(perSecond float64) int {
	return max(1, l.MinBurst, int(math.Ceil(perSecond*l.BurstSeconds)))
}

// Default returns the default limits.
func Default() *bellwire.Limits {
	held := new(bellwire.Limits)
	for _, l := range All {
		l.set(held, l.Default)
	}
	return held
}

// With returns a copy of the limits with the given values, by name. Unknown names are ignored, because a newer version may
// have stored them.
func With(held *bellwire.Limits, values map[string]float64) *bellwire.Limits {
	if len(values) == 0 {
		return held
	}
	changed := *held
	for _, l := range All {
		if v, given := values[l.Name]; given {
			l.set(&changed, v)
		}
	}
	return &changed
}

// Section is a part of the table of resources in docs/limits.md.
type Section struct {
	Question  string
	Resources []Resource
}

// Sections are everything that is shared, by the question that it answers, in the order of docs/limits.md.
var Sections = []Section{
	{"Why is a request refused, or its connection closed?", append(atTheAPI(), idempotentRequests)},
	{"Why is a publish refused or slow?", []Resource{publications, longChecks, batchChecks, longFilters, fanOut}},
	{"Why does a delivery wait?", append(inTheEngine(), forwards)},
	{"Why does a list, a change or a job wait?", []Resource{reads, changes, sends, probes, filterTrials, jobs, sessions, liveStreams}},
	{"What is kept in memory and on disk?", []Resource{configuration, configurationReloads, auditLog}},
}
