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

// one is an answer about one subscription, and all that about a tenant's.
type (
	one struct {
		Subscription subscription `json:"webhook_subscription"`
	}
	all struct {
		Subscriptions []subscription `json:"webhook_subscriptions"`
	}
)

// subscription is a webhook on the wire.
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

// version is the one version of the envelope that there is.
const version = "0.1"

// The states of a subscription.
const (
	statusEnabled  = "STATUS_ENABLED"
	statusDisabled = "STATUS_DISABLED"
)

// timestamp is a time in UTC with six digits, always.
type timestamp time.Time

// MarshalText writes it.
func (t timestamp) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000000Z"), nil
}

func show(k *service.EndpointView) subscription {
	return subscription{
		ID: k.ID, URL: k.URL, Description: k.Description, Events: k.Events, Version: version, Secret: k.Secret,
		Status: statusOf(k.Status), CreatedTime: timestamp(k.CreatedAt), UpdatedTime: timestamp(k.UpdatedAt),
	}
}

// statusOf says of a paused one that it is disabled: nothing arrives.
func statusOf(s bellwire.EndpointStatus) string {
	if s == bellwire.EndpointEnabled {
		return statusEnabled
	}
	return statusDisabled
}

// input is a subscription as it is given, whole or in part.
type input struct {
	URL         httpx.Member[string]   `json:"url"`
	Description httpx.Member[string]   `json:"description"`
	Events      httpx.Member[[]string] `json:"events"`
	Version     httpx.Member[string]   `json:"version"`
	Status      httpx.Member[string]   `json:"status"`
}

func (in *input) empty() bool {
	return !in.URL.Given && !in.Description.Given && !in.Events.Given && !in.Version.Given && !in.Status.Given
}

// check refuses what the service cannot know to be wrong.
func (in *input) check() error {
	if in.Version.Given && in.Version.Value != version {
		return bellwire.Invalid("version", "The version of the webhook event envelope must be %s.", version)
	}
	if in.Status.Given && in.Status.Value != statusEnabled && in.Status.Value != statusDisabled {
		return bellwire.Invalid("status", "It must be %s or %s.", statusEnabled, statusDisabled)
	}
	if in.Events.Given && len(in.Events.Value) == 0 {
		return bellwire.Invalid("events", "It must list one or more events.")
	}
	return nil
}

// creation turns a body into what the service is asked for.
func (in *input) creation() (service.EndpointInput, error) {
	if err := httpx.Require("url", in.URL.Given); err != nil {
		return service.EndpointInput{}, err
	}
	if err := httpx.Require("events", in.Events.Given); err != nil {
		return service.EndpointInput{}, err
	}
	return in.change(statusEnabled), nil
}

// change turns a body into what the service is asked for, of a subscription in the given state. A pause, which is shown as
// disabled, is more than a client that sends it back can know of, and stays.
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

// legacyEvents are names of former days, and strays of the vendor's pages. Subscriptions may have them although the
// catalogue does not: customers who come with them are not turned away.
var legacyEvents = []string{
	"account.statement.ready",
	"card.status.fraud", "card.status.lost", "card.status.no_withdrawals", "card.status.stolen",
	"kyb.verification.approved", "kyb.verification.under_review",
	"kyc.verification.kba",
}

// expand puts the names of event types, which are sorted, in the place of wildcards that match them. There may be more
// than a subscription has room for, which the service would say of patterns that nobody gave.
func expand(patterns, types []string) ([]string, error) {
	if len(patterns) > service.MaxPatterns {
		return patterns, nil // the service refuses them, and nobody has gone through all types for each
	}
	var names []string
	for i, pattern := range patterns {
		prefix, wild := strings.CutSuffix(pattern, "*")
		if !wild || strings.Contains(prefix, "*") { // the service refuses the latter
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
			return nil, bellwire.Invalid(fmt.Sprintf("events[%d]", i), "No event matches %.64q.", pattern)
		}
	}
	if len(names) > service.MaxPatterns {
		return nil, bellwire.Invalid("events", "The wildcards stand for %d events, and a subscription has at most %d; ask for fewer.",
			len(names), service.MaxPatterns)
	}
	return names, nil
}
