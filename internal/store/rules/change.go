package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// EndpointChange is a change of an endpoint that is about to be stored.
type EndpointChange struct {
	bellwire.Change
	Status bellwire.EndpointStatus // after the change
	Reason string                  // of the status
	Events []string
	Filter string
	// Catalogue and Versions are those of the endpoint if it has a filter.
	Catalogue int64
	Versions  map[string]bellwire.Version
	// OnlyStatus means that only the status changes: Events, Filter, Catalogue and Versions stay as they were.
	OnlyStatus bool
}

// Created returns the change that creates an endpoint at a revision of the operator.
func Created(ep *bellwire.Endpoint, catalogue int64, note bellwire.ChangeNote) *EndpointChange {
	return changeOf(ep, catalogue, bellwire.ChangeCreated, note)
}

// Updated returns the change that gives an endpoint its present state.
func Updated(ep *bellwire.Endpoint, note bellwire.ChangeNote) *EndpointChange {
	return changeOf(ep, ep.Catalogue, bellwire.ChangeUpdated, note)
}

func changeOf(ep *bellwire.Endpoint, catalogue int64, action bellwire.ChangeAction, note bellwire.ChangeNote) *EndpointChange {
	c := &EndpointChange{
		Change: bellwire.Change{At: ep.UpdatedAt, Action: action, ChangeNote: note},
		Status: ep.Status, Reason: ep.StatusReason, Events: ep.Events, Filter: ep.Filter,
	}
	if ep.Filter != "" {
		c.Catalogue, c.Versions = catalogue, ep.Versions
	}
	return c
}

// Deleted returns the change that deletes an endpoint.
func Deleted(at time.Time, note bellwire.ChangeNote) *EndpointChange {
	return &EndpointChange{Change: bellwire.Change{At: at, Action: bellwire.ChangeDeleted, ChangeNote: note}, OnlyStatus: true}
}

// Disabled returns the change of an endpoint that a result disables. status and reason are the endpoint's before.
func Disabled(r *bellwire.Result, why string, status bellwire.EndpointStatus, reason string) *EndpointChange {
	return &EndpointChange{
		Change: bellwire.Change{At: r.EndedAt, Action: bellwire.ChangeUpdated, ChangeNote: bellwire.ChangeNote{
			Actor:  bellwire.Actor{Kind: bellwire.ActorBellwire, Reason: why},
			Before: statusFields(status, reason),
			After:  statusFields(bellwire.EndpointDisabled, why),
			Quiet:  bellwire.IsOperational(r.EventType),
		}},
		Status: bellwire.EndpointDisabled, OnlyStatus: true,
	}
}

func statusFields(status bellwire.EndpointStatus, reason string) json.RawMessage {
	fields, _ := json.Marshal(map[string]string{"status": string(status), "status_reason": reason}) // texts can always be encoded
	return fields
}

// Standing returns the endpoint's standing after the change, and whether the change has to be stored: a request that changes
// nothing is not. before is nil if the endpoint has no history.
func (c *EndpointChange) Standing(before *bellwire.Standing) (after bellwire.Standing, store bool) {
	after = bellwire.Standing{
		Status: c.Status, Deleted: c.Action == bellwire.ChangeDeleted, Events: c.Events, Filter: c.Filter, Since: c.At, By: c.Actor,
		Reason: c.Reason, Catalogue: c.Catalogue, Versions: c.Versions,
	}
	if before == nil {
		return after, true
	}
	if c.OnlyStatus {
		after.Events, after.Filter = before.Events, before.Filter
		after.Catalogue, after.Versions = before.Catalogue, before.Versions
	}
	if after.Deleted {
		after.Status = before.Status
		return after, true
	}
	same := before.Status == after.Status && !before.Deleted
	if same {
		after.Since, after.By = before.Since, before.By
	}
	if after.By.Kind == bellwire.ActorBellwire {
		after.Reason = "" // By has it
	}
	matching := slices.Equal(before.Events, after.Events) && before.Filter == after.Filter && maps.Equal(before.Versions, after.Versions)
	return after, !same || !matching || len(c.Before)+len(c.After) > 0
}

// HistoryFull reports whether a history with the changes first to last, of so many bytes, must lose its first one. The last change
// stays in any case.
func HistoryFull(first, last, bytes int64) bool {
	return last-first >= bellwire.MaxChanges || bytes > bellwire.MaxHistoryBytes && first < last
}
