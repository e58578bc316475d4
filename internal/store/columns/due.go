package columns

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Due brings together what several indexes know of each endpoint. The zero value is ready.
type Due struct {
	All   []bellwire.DueEndpoint
	place map[string]int // in All
}

// Add notes that an endpoint has something due at a time, unless that is zero, or a retry by hand.
func (d *Due) Add(endpoint, tenant string, at time.Time, manual bool) {
	i, known := d.place[endpoint]
	if !known {
		if d.place == nil {
			d.place = make(map[string]int)
		}
		i = len(d.All)
		d.place[endpoint] = i
		d.All = append(d.All, bellwire.DueEndpoint{Endpoint: endpoint, Tenant: tenant})
	}
	e := &d.All[i]
	e.At = Earlier(e.At, at)
	e.Manual = e.Manual || manual
}

// Earlier returns the earlier of two times; zero means never.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
