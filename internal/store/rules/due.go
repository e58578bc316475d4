package rules

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Due merges what several indexes say about each endpoint. The zero value is ready for use.
type Due struct {
	All   []bellwire.DueEndpoint
	index map[string]int // into All
}

// Add records that an endpoint has a delivery due at the given time, unless that is zero, or a manual retry.
func (d *Due) Add(endpoint, tenant string, at time.Time, manual bool) {
	i, known := d.index[endpoint]
	if !known {
		if d.index == nil {
			d.index = make(map[string]int)
		}
		i = len(d.All)
		d.index[endpoint] = i
		d.All = append(d.All, bellwire.DueEndpoint{Endpoint: endpoint, Tenant: tenant})
	}
	e := &d.All[i]
	e.At = bellwire.Earlier(e.At, at)
	e.Manual = e.Manual || manual
}
