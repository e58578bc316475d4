package client

// EndpointStatus is whether an endpoint gets deliveries.
type EndpointStatus string

// The states of an endpoint.
const (
	EndpointEnabled  EndpointStatus = "enabled"
	EndpointPaused   EndpointStatus = "paused"   // deliveries are kept until it is enabled again
	EndpointDisabled EndpointStatus = "disabled" // open deliveries are canceled, and it gets no new ones
)

// EndpointSort is the order of a list of endpoints.
type EndpointSort string

// SortWaiting is by how many deliveries wait for each, the most first, without endpoints for which none does.
const SortWaiting EndpointSort = "waiting"

// Ordering is the order in which an endpoint gets its deliveries.
type Ordering string

// The orderings.
const (
	OrderingNone Ordering = "none"
	OrderingFIFO Ordering = "fifo" // a delivery is sent when the one before it has ended
	OrderingKey  Ordering = "key"  // the same among the events with the same ordering key
)

// OnError says what happens to an event for which an endpoint's filter has no answer.
type OnError string

// The choices.
const (
	OnErrorDeliver OnError = "deliver"
	OnErrorSkip    OnError = "skip"
)

// Signing is how deliveries in the dialect "standard" are signed.
type Signing string

// The signing schemes.
const (
	SigningHMAC    Signing = "hmac"
	SigningEd25519 Signing = "ed25519"
	SigningBoth    Signing = "both"
)

// FilterOutcome is the result of a filter for an event.
type FilterOutcome string

// The results of filters.
const (
	FilterMatched   FilterOutcome = "matched"
	FilterUnmatched FilterOutcome = "unmatched"
	FilterError     FilterOutcome = "error" // it has no answer for the event
)

// AuthType is how Bellwire authenticates itself to an endpoint.
type AuthType string

// The types of authentication, with the fields of Auth that they use.
const (
	AuthNone   AuthType = "none"
	AuthAPIKey AuthType = "api_key" // Header and Key
	AuthBasic  AuthType = "basic"   // Username and Password
	AuthBearer AuthType = "bearer"  // Token
)

// Role is what a key permits.
type Role string

// The roles. RoleAdmin and RolePublisher are for keys of the operator, the others for keys of a tenant.
const (
	RoleAdmin      Role = "admin"       // everything
	RolePublisher  Role = "publisher"   // publish for every tenant, and read event types
	RoleTenant     Role = "tenant"      // manage the tenant's endpoints and deliveries, and read its events
	RoleTenantRead Role = "tenant-read" // read what RoleTenant reads, without secrets
)

// ChangeAction is the kind of a change of an endpoint.
type ChangeAction string

// The kinds of change.
const (
	ChangeCreated ChangeAction = "created"
	ChangeUpdated ChangeAction = "updated"
	ChangeDeleted ChangeAction = "deleted"
	ChangeFound   ChangeAction = "found" // the state in which the endpoint was when its history began
)

// ActorKind is the kind of originator of a change.
type ActorKind string

// The kinds of originator.
const (
	ActorKey        ActorKind = "key"        // an API key
	ActorConfigured ActorKind = "configured" // the configured admin key
	ActorVouched    ActorKind = "vouched"    // a caller without a key whom a dialect's API has authenticated
	ActorBellwire   ActorKind = "bellwire"   // Bellwire itself
	ActorUnknown    ActorKind = "unknown"    // the change was made before Bellwire kept histories
)

// EventOutcome is what became of an event at an endpoint.
type EventOutcome string

// The outcomes of an event. The first five are those of its delivery.
const (
	EventDelivered     EventOutcome = "delivered"
	EventPending       EventOutcome = "pending"
	EventRetrying      EventOutcome = "retrying"
	EventExhausted     EventOutcome = "exhausted"
	EventCanceled      EventOutcome = "canceled"
	EventPaused        EventOutcome = "paused"         // the delivery waits, because the endpoint is paused
	EventNotSubscribed EventOutcome = "not_subscribed" // the endpoint's events did not match
	EventFiltered      EventOutcome = "filtered"       // the endpoint's filter did not match
	EventDisabled      EventOutcome = "disabled"       // the endpoint was disabled
	EventCreatedLater  EventOutcome = "created_later"  // the endpoint was created after the event
	EventDeleted       EventOutcome = "deleted"        // the endpoint was deleted before the event
	EventUnknown       EventOutcome = "unknown"        // the endpoint's history does not reach back to the event
)

// WaitReason is why an open delivery is not being sent.
type WaitReason string

// The reasons.
const (
	WaitRetry        WaitReason = "retry"         // its next attempt is due later
	WaitDeliverAt    WaitReason = "deliver_at"    // its event is to be delivered later
	WaitPaused       WaitReason = "paused"        // the endpoint is paused
	WaitTenantPaused WaitReason = "tenant_paused" // the tenant is paused
	WaitEnding       WaitReason = "ending"        // the endpoint is disabled or deleted: the delivery is about to be canceled
	WaitOrder        WaitReason = "order"         // an earlier delivery in the endpoint's order has not ended
	WaitBreaker      WaitReason = "breaker"       // the endpoint's circuit breaker is open
	WaitRest         WaitReason = "rest"          // the endpoint asked for a rest, or is overloaded
	WaitRateLimit    WaitReason = "rate_limit"    // the endpoint's rate limit is reached
	WaitInFlight     WaitReason = "in_flight"     // as many requests are in flight as the endpoint takes
	WaitUnanswered   WaitReason = "unanswered"    // the requests in flight bring no answer
	WaitFailureRate  WaitReason = "failure_rate"  // too many of the tenant's attempts fail
	WaitHostLimit    WaitReason = "host_limit"    // the host has acknowledged too few of the tenant's requests
	WaitShare        WaitReason = "share"         // the tenant has its share of the node
	WaitFault        WaitReason = "fault"         // the node or its database failed a moment ago
	WaitTakeover     WaitReason = "takeover"      // a node is about to take over the endpoint
	WaitOtherNode    WaitReason = "other_node"    // another node sends for the endpoint, and only that one can say more
	WaitQueued       WaitReason = "queued"        // nothing holds it back: it waits for its turn, or its request is in flight
)

// DeliveryStatus is the state of a delivery.
type DeliveryStatus string

// The states of a delivery. The last three are final, although a manual retry can still turn them into
// DeliverySucceeded.
const (
	DeliveryPending   DeliveryStatus = "pending"   // not attempted yet
	DeliveryRetrying  DeliveryStatus = "retrying"  // an attempt failed, and another will be made
	DeliverySucceeded DeliveryStatus = "succeeded" // acknowledged by the receiver
	DeliveryExhausted DeliveryStatus = "exhausted" // all attempts failed
	DeliveryCanceled  DeliveryStatus = "canceled"  // on request, or with its endpoint
)

// Trigger is what caused an attempt.
type Trigger string

// The triggers.
const (
	TriggerSchedule Trigger = "schedule" // the event, or the retry policy
	TriggerManual   Trigger = "manual"   // RetryDelivery
	TriggerTest     Trigger = "test"     // TestEndpoint
)

// Outcome is the result of an attempt.
type Outcome string

// The outcomes.
const (
	OutcomeOK       Outcome = "ok"       // the response acknowledges the delivery
	OutcomeStatus   Outcome = "status"   // the response's status does not acknowledge it
	OutcomeBlocked  Outcome = "blocked"  // deliveries to the address are not allowed
	OutcomeDNS      Outcome = "dns"      // the host name could not be resolved
	OutcomeConnect  Outcome = "connect"  // the connection was refused, or the host is unreachable
	OutcomeTLS      Outcome = "tls"      // the TLS handshake failed
	OutcomeTimeout  Outcome = "timeout"  // the response did not come in time
	OutcomeReset    Outcome = "reset"    // the connection broke
	OutcomeProtocol Outcome = "protocol" // the response is not HTTP, or exceeds a limit
)

// BodyEncoding is how the body of a recorded response is represented.
type BodyEncoding string

// The encodings of a body.
const (
	BodyText   BodyEncoding = "text"
	BodyBase64 BodyEncoding = "base64"
)

// Ptr returns a pointer to v, for the optional fields of EndpointInput and TenantChange.
func Ptr[T any](v T) *T { return &v }

// JobKind is what a job does to deliveries.
type JobKind string

// The kinds of jobs.
const (
	JobReplay JobKind = "replay"
	JobRetry  JobKind = "retry"
	JobCancel JobKind = "cancel"
)

// JobState is the stage that a job has reached.
type JobState string

// The states of a job. The last three are final.
const (
	JobRunning  JobState = "running"
	JobPaused   JobState = "paused"
	JobDone     JobState = "done"
	JobCanceled JobState = "canceled"
	JobFailed   JobState = "failed"
)

// ReplayStatus selects the events of a replay.
type ReplayStatus string

// The choices of a replay.
const (
	ReplayFailed  ReplayStatus = "failed"  // whose delivery to the endpoint is exhausted or canceled
	ReplayMissing ReplayStatus = "missing" // that match the endpoint, and of which it has no delivery
	ReplayMissed  ReplayStatus = "missed"  // both
	ReplayAll     ReplayStatus = "all"     // both, and those that were delivered
)
