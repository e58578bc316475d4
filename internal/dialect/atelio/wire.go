package atelio

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// one and all are the answers about one subscription and about all of a customer.
type (
	one struct {
		Subscription subscription `json:"webhook_subscription"`
	}
	all struct {
		Subscriptions []subscription `json:"webhook_subscriptions"`
	}
)

// subscription is a webhook on the wire (Atelio guide, section "Creating a subscription").
type subscription struct {
	ID          string    `json:"id"`
	URL         string    `json:"url"`
	Description string    `json:"description"`
	Events      []string  `json:"events"`
	Version     string    `json:"version"`
	Secret      string    `json:"secret"`
	Status      string    `json:"status"`
	CreatedTime timestamp `json:"created_time"`
	UpdatedTime timestamp `json:"updated_time"`
}

// version is the only version of the event envelope.
const version = "0.1"

// The states of a subscription.
const (
	statusEnabled  = "STATUS_ENABLED"
	statusDisabled = "STATUS_DISABLED"
)

// timestamp is a time in UTC that is written with six digits.
type timestamp time.Time

func (t timestamp) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000000Z"), nil
}

func show(k *service.EndpointView) subscription {
	return subscription{
		ID: k.ID, URL: k.URL, Description: k.Description, Events: k.Events, Version: version, Secret: k.Secret,
		Status: statusOf(k.Status), CreatedTime: timestamp(k.CreatedAt), UpdatedTime: timestamp(k.UpdatedAt),
	}
}

// statusOf shows a paused endpoint as disabled: it gets no deliveries.
func statusOf(s bellwire.EndpointStatus) string {
	if s == bellwire.EndpointEnabled {
		return statusEnabled
	}
	return statusDisabled
}

// input is the body of a POST or a PATCH.
type input struct {
	URL         httpx.Optional[string]   `json:"url"`
	Description httpx.Optional[string]   `json:"description"`
	Events      httpx.Optional[[]string] `json:"events"`
	Version     httpx.Optional[string]   `json:"version"`
	Status      httpx.Optional[string]   `json:"status"`
}

func (in *input) empty() bool {
	return !in.URL.Given && !in.Description.Given && !in.Events.Given && !in.Version.Given && !in.Status.Given
}

// check refuses values that mean nothing to the service.
func (in *input) check() error {
	if in.Version.Given && in.Version.Value != version {
		return bellwire.Invalid("version", "must be %q", version)
	}
	if in.Status.Given && in.Status.Value != statusEnabled && in.Status.Value != statusDisabled {
		return bellwire.Invalid("status", "must be %s or %s", statusEnabled, statusDisabled)
	}
	if in.Events.Given && len(in.Events.Value) == 0 {
		return bellwire.Invalid("events", "must list at least one event")
	}
	for i, name := range in.Events.Value {
		if start, wild := strings.CutSuffix(name, "*"); bellwire.CheckEventTypeName(start) != nil && !(wild && start == "") {
			return bellwire.Invalid(fmt.Sprintf("events[%d]", i),
				"must be an event, or the start of one followed by *, such as card*; %.64q is not", name)
		}
	}
	return nil
}

// creation returns the input for a new endpoint. The url and the events are required.
func (in *input) creation() (service.EndpointInput, error) {
	err := bellwire.Join(httpx.Require("url", in.URL.Given), httpx.Require("events", in.Events.Given))
	return in.change(statusEnabled), err
}

// change returns the input for a subscription that is shown with the given status. A status that is sent back as it was
// shown changes nothing, so that a pause, which is shown as disabled, stays.
func (in *input) change(status string) service.EndpointInput {
	out := service.EndpointInput{
		URL: in.URL.Pointer(), Description: in.Description.Pointer(), Events: in.Events.Pointer(), Unlisted: legacyEvents,
	}
	if in.Status.Given && in.Status.Value != status {
		wanted := bellwire.EndpointDisabled
		if in.Status.Value == statusEnabled {
			wanted = bellwire.EndpointEnabled
		}
		out.Status = &wanted
	}
	return out
}

// legacyEvents are former names of events, and names that only some of the vendor's pages have. Subscriptions may contain
// them although they are not in the catalogue, so that customers can bring their old subscriptions.
var legacyEvents = []string{
	"account.statement.ready",
	"card.status.fraud", "card.status.lost", "card.status.no_withdrawals", "card.status.stolen",
	"kyb.verification.approved", "kyb.verification.under_review",
	"kyc.verification.kba",
}

// expand replaces each wildcard with the names that it matches. types must be sorted. Patterns that the service refuses are
// kept. expand itself refuses a result that is too long: the service would report a list that the client never sent.
func expand(patterns, types []string) ([]string, error) {
	if len(patterns) > service.MaxPatterns {
		return patterns, nil // the service refuses them
	}
	var names []string
	for i, pattern := range patterns {
		prefix, wild := strings.CutSuffix(pattern, "*")
		if !wild {
			if !slices.Contains(names, pattern) {
				names = append(names, pattern)
			}
			continue
		}
		matches := func(name string) bool { return strings.HasPrefix(name, prefix) }
		for _, t := range types {
			if matches(t) && !slices.Contains(names, t) {
				names = append(names, t)
			}
		}
		if !slices.ContainsFunc(types, matches) {
			return nil, bellwire.Invalid(fmt.Sprintf("events[%d]", i), "must match an event; no event matches %.64q", pattern)
		}
	}
	if len(names) > service.MaxPatterns {
		return nil, bellwire.Invalid("events", "must list at most %d events; these wildcards match %d", service.MaxPatterns, len(names))
	}
	return names, nil
}
