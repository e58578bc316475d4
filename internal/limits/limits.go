// Package limits is the one place where the bounds of everything that tenants share are written down: what operators can
// set, and what is fixed. docs/limits.md is made from it.
package limits

// Limit is a bound that operators can set.
type Limit struct {
	Name       string
	Default    float64
	Min, Max   float64
	ZeroIsNone bool   // 0 is allowed too, and means that there is no limit
	Unit       string // of the value: "endpoints", "events a second"
	Meaning    string // a sentence
	Answer     string // what the one who hits it gets
	PerTenant  bool   // a tenant can have a value of its own
}

// Resource is something that tenants share, with the rules by which they do.
type Resource struct {
	Name    string
	Bound   string // in all
	Share   string // of one tenant
	Reserve string // for those who have nothing yet
	Order   string // of waiting
	Answer  string // what the one who hits its share gets
}

// All are the limits that operators can set.
var All = []*Limit{}

// Resources are all that is shared.
var Resources = []Resource{
	auditLog,
}
