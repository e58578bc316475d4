package client

import (
	"context"
	"net/http"
	"time"
)

// FilterTrial is a filter to be tried on stored events.
type FilterTrial struct {
	Filter   string   `json:"filter"`
	Types    []string `json:"types,omitzero"`    // patterns of the events to try it on; nil: all
	Limit    int      `json:"limit,omitzero"`    // number of these events, up to 1000; 0: 100
	Endpoint string   `json:"endpoint,omitzero"` // that gets the events in its versions; empty: they are as they were published
}

// TriedFilter says how many events a filter chooses.
type TriedFilter struct {
	Matched   int             `json:"matched"`
	Unmatched int             `json:"unmatched"`
	Errors    int             `json:"errors"` // for which it has no answer
	Examples  []FilterExample `json:"examples"`
}

// FilterExample is an event that a filter was tried on.
type FilterExample struct {
	Event     string        `json:"event"`
	Type      string        `json:"type"`
	CreatedAt time.Time     `json:"created_at"`
	Outcome   FilterOutcome `json:"outcome"`
	Condition string        `json:"condition"` // the one that decided; empty if the event matched
	Problem   string        `json:"problem"`   // why the condition has no answer
}

// TryFilter evaluates a filter on the newest events of a tenant, and sends nothing.
func (c *Client) TryFilter(ctx context.Context, tenant string, in FilterTrial) (*TriedFilter, error) {
	return fetch[TriedFilter](ctx, c, http.MethodPost, inTenant(tenant, "filters", "try"), in)
}
