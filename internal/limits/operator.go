package limits

import (
	"fmt"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// All are the limits that operators can set, in the order of docs/limits.md.
var All = ofGroups(Groups)

// Groups are the limits by the question that they answer, in the order of docs/limits.md.
var Groups = []Group{
	{"What may a tenant have?", []*Limit{Endpoints, ConfigurationBytes, Keys, EventTypes}},
	{"How fast may a tenant call?", []*Limit{PublishRate, RequestRate, ChangeRate, TestRate, RetryRate}},
	{"How much is stored for a tenant, and for how long?", []*Limit{StoredEvents, EventRetention, FanOut, Jobs, AttemptDetails, AuditEntries}},
	{"How hard are a tenant's endpoints tried?", []*Limit{MinRetryDelay, TargetRequests}},
}

// Group is a part of a table of docs/limits.md.
type Group struct {
	Question string
	Limits   []*Limit
}

func ofGroups(groups []Group) (all []*Limit) {
	for _, g := range groups {
		all = append(all, g.Limits...)
	}
	return all
}

// Answers of the API to requests beyond a limit.
const (
	answerConflict = "409 `conflict`"
	answerRate     = "429 `rate_limited` with `Retry-After`"
	answerInvalid  = "422 `invalid`"
)

// The limits on what a tenant has.
var (
	Endpoints = &Limit{
		Name: "endpoints", Default: 1000, Min: 1, Max: bellwire.MaxDeliveries, Unit: "endpoints", One: "endpoint",
		Meaning: "Number of endpoints.", Answer: answerConflict, PerTenant: true,
		field: func(l *bellwire.Limits) any { return &l.Endpoints },
	}
	ConfigurationBytes = &Limit{
		Name: "configuration_bytes", Kind: Bytes, Default: 4 << 20, Min: 256 << 10, Max: 256 << 20, Unit: "bytes",
		Meaning: fmt.Sprintf("Size of the configuration of all endpoints together: URLs, event patterns, filters, retry policies, chosen versions of event types, settings of dialects, metadata, descriptions, headers and secrets. Every node that sends for the tenant keeps all of it but descriptions and metadata in memory; there it takes about twice its size, plus 1.5 KiB for each endpoint. Their compiled filters may take four times the limit; equal ones count once. Changes that need more than %d MiB of memory for one tenant are refused, whatever the limit.", TenantConfiguration>>20),
		Answer:  answerConflict, PerTenant: true,
		field: func(l *bellwire.Limits) any { return &l.ConfigurationBytes },
	}
	Keys = &Limit{
		Name: "keys", Default: 1000, Min: 1, Max: 100_000, Unit: "keys", One: "key",
		Meaning: "Number of API keys.", Answer: answerConflict, PerTenant: true,
		field: func(l *bellwire.Limits) any { return &l.Keys },
	}
	EventTypes = &Limit{
		Name: "event_types", Default: 10_000, Min: 1, Max: 100_000, Unit: "event types", One: "event type",
		Meaning: "Number of event types in the catalogue, which every node keeps in memory.", Answer: answerConflict,
		field: func(l *bellwire.Limits) any { return &l.EventTypes },
	}
	StoredEvents = &Limit{
		Name: "stored_events", Min: 1, Max: 100_000_000, ZeroIsNone: true, Unit: "events", One: "event",
		Meaning: "Number of stored events. Each node counts them at most once a minute, or every ten seconds while the tenant is at the limit, and adds the events that it accepts, so events that other nodes accept in between can exceed the limit. Counting reads one index entry for each event.",
		Answer:  answerRate + "; 413 `too_large` for a batch that exceeds the limit by itself", PerTenant: true,
		field: func(l *bellwire.Limits) any { return &l.StoredEvents },
	}
)

// EventRetention is how long a tenant's events are kept.
var EventRetention = &Limit{
	Name: "event_retention", Kind: Delay, Default: 30 * 24 * 3600, Min: 1, Max: 50 * 365 * 24 * 3600, ZeroIsNone: true, Unit: "time",
	Meaning: "How long events are kept, with their deliveries and attempts; 0: forever. The option `--retention` sets it for all tenants. A tenant can have a shorter time, [which deletes its events row by row](retention.md#a-tenant-with-a-time-of-its-own).",
	Answer:  "none: events are deleted", PerTenant: true, Option: "retention",
	field: func(l *bellwire.Limits) any { return &l.EventRetention },
}

// The limits on how often a tenant does something.
var (
	PublishRate = &Limit{
		Name: "publish_rate", Kind: Rate, Min: minRate, Max: maxRate, ZeroIsNone: true, Unit: "events per second", One: "event per second",
		Meaning: "Events published through the API. Events published in SQL are not counted, because they are already stored. Each of n nodes takes an nth of the rate, so publish through all of them.",
		Answer:  answerRate, PerTenant: true, Divided: true, BurstSeconds: 10, MinBurst: MaxBatchEvents,
		field: func(l *bellwire.Limits) any { return &l.PublishRate },
	}
	RequestRate = &Limit{
		Name: "request_rate", Kind: Rate, Default: 100, Min: minRate, Max: maxRate, ZeroIsNone: true, Unit: "requests per second", One: "request per second",
		Meaning: "API requests with the tenant's own keys, in all dialects.",
		Answer:  answerRate, PerTenant: true, BurstSeconds: 10,
		field: func(l *bellwire.Limits) any { return &l.RequestRate },
	}
	ChangeRate = &Limit{
		Name: "change_rate", Kind: Rate, Default: 10, Min: minRate, Max: maxRate, ZeroIsNone: true, Unit: "changes per second", One: "change per second",
		Meaning: "Endpoints created, changed and deleted, and secrets rotated, with the tenant's own keys.",
		Answer:  answerRate, PerTenant: true, BurstSeconds: 100,
		field: func(l *bellwire.Limits) any { return &l.ChangeRate },
	}
	TestRate = &Limit{
		Name: "test_rate", Kind: Rate, Default: 10, Min: minRate, Max: maxRate, ZeroIsNone: true, Unit: "tests per second", One: "test per second",
		Meaning: fmt.Sprintf("Tests of endpoints, whoever requests them. A test counts once more for each %d KiB of its example, because the example is stored each time.", TestBytes>>10),
		Answer:  answerRate, PerTenant: true, BurstSeconds: 6,
		field: func(l *bellwire.Limits) any { return &l.TestRate },
	}
	RetryRate = &Limit{
		Name: "retry_rate", Kind: Rate, Default: 50, Min: minRate, Max: maxRate, ZeroIsNone: true, Unit: "manual retries per second", One: "manual retry per second",
		Meaning: "Manual retries of deliveries, whoever requests them.",
		Answer:  answerRate, PerTenant: true, BurstSeconds: 10,
		field: func(l *bellwire.Limits) any { return &l.RetryRate },
	}
)

// The limits on deliveries.
var (
	FanOut = &Limit{
		Name: "fan_out", Default: 5_000_000, Min: bellwire.MaxDeliveries, Max: 1_000_000_000, Unit: "deliveries",
		Meaning: fmt.Sprintf("Deliveries that wait to be stored. The deliveries of a publish with more than %s of them are stored in steps, after its events.", bellwire.Number(FanOutFrom)),
		Answer:  answerRate + "; 413 `too_large` for a batch that exceeds the limit by itself", PerTenant: true,
		field: func(l *bellwire.Limits) any { return &l.FanOut },
	}
	AttemptDetails = &Limit{
		Name: "attempt_details", Default: 10, Min: 2, Max: 2 * bellwire.MaxRetries, Unit: "attempts",
		Meaning: "Attempts of a delivery that are kept with their request and response: half of them from its start, and half from its end. For attempts in between, only time, outcome and timings are kept.",
		Answer:  "none: the rest is not kept", PerTenant: true,
		field: func(l *bellwire.Limits) any { return &l.AttemptDetails },
	}
	MinRetryDelay = &Limit{
		Name: "min_retry_delay", Kind: Delay, Default: 1, Min: 0.001, Max: 3600, Unit: "time",
		Meaning: "Shortest delay before a retry. Retry policies must not have shorter ones. Policies that are older than the limit keep theirs, but are held to it. It takes precedence over jitter and `max_elapsed`, so a retry can come after `max_elapsed`.",
		Answer:  answerInvalid, PerTenant: true,
		field: func(l *bellwire.Limits) any { return &l.MinRetryDelay },
	}
	AuditEntries = &Limit{
		Name: "audit_entries", Default: 10_000, Min: 100, Max: 10_000_000, Unit: "entries per day",
		Meaning: "New entries in the audit log, counted separately for four kinds: changes of the configuration, other actions, requests that a dialect must record, and refused calls. Beyond the limit, changes and actions are made and logged without an entry, those requests are refused, and refused calls are not recorded. No entry is deleted early. Equal requests within a minute are one entry.",
		Answer:  answerRate, PerTenant: true,
		field: func(l *bellwire.Limits) any { return &l.AuditEntries },
	}
	TargetRequests = &Limit{
		Name: "target_requests", Default: 20_000, Min: 1, Max: 1_000_000_000, ZeroIsNone: true, Unit: "requests per hour",
		Meaning: fmt.Sprintf("Requests to one host that were not acknowledged. Up to %d times as many can go to one IP address, whatever the names of its hosts. Each node counts its own requests.", AddressFactor),
		Answer:  "none: deliveries wait", PerTenant: true,
		field: func(l *bellwire.Limits) any { return &l.TargetRequests },
	}
)

// Rates are between one in a thousand seconds and a million per second.
const (
	minRate = 0.001
	maxRate = 1_000_000
)

// Bounds on one publish.
const (
	MaxBatchEvents       = 1000
	MaxBatchBytes        = 16 << 20 // of data, all events of a batch together
	DefaultMaxEventBytes = 1 << 20  // of one event's data
)
