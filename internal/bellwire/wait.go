package bellwire

import "time"

// WaitReason is why an open delivery is not being sent.
type WaitReason string

// The reasons.
const (
	WaitRetry        WaitReason = "retry"         // its next attempt is due later
	WaitDeliverAt    WaitReason = "deliver_at"    // its event is to be delivered later
	WaitPaused       WaitReason = "paused"        // the endpoint is paused
	WaitTenantPaused WaitReason = "tenant_paused" // the tenant is paused
	WaitEnding       WaitReason = "ending"        // the endpoint is disabled or deleted: the delivery is about to be canceled
	WaitOrder        WaitReason = "order"         // an earlier delivery in the endpoint's order, or of the same ordering key, has not ended
	WaitBreaker      WaitReason = "breaker"       // the circuit breaker is open
	WaitRest         WaitReason = "rest"          // the endpoint asked for a rest, or is overloaded
	WaitRateLimit    WaitReason = "rate_limit"    // the endpoint's rate limit is reached
	WaitInFlight     WaitReason = "in_flight"     // as many requests are in flight as the endpoint takes
	WaitUnanswered   WaitReason = "unanswered"    // the requests in flight bring no answer
	WaitFailureRate  WaitReason = "failure_rate"  // too many of the tenant's attempts fail
	WaitHostLimit    WaitReason = "host_limit"    // the host has acknowledged too few of the tenant's requests
	WaitShare        WaitReason = "share"         // the tenant has its share of the node
	WaitFault        WaitReason = "fault"         // the node or the store failed a moment ago
	WaitTakeover     WaitReason = "takeover"      // a node is about to take over the endpoint
	WaitOtherNode    WaitReason = "other_node"    // another node sends for the endpoint, and only it can say more
	WaitQueued       WaitReason = "queued"        // nothing holds it back: it waits for its turn, or its request is in flight
)

// Wait is what an open delivery waits for.
type Wait struct {
	Reason WaitReason
	Until  time.Time  // zero: not known
	Behind DeliveryID // with WaitOrder: the first delivery in the order that has not ended
	Node   string     // that sends for the endpoint, if it is another one
}

// Hold is what a store knows of that holds back an endpoint's open deliveries.
type Hold struct {
	Status       EndpointStatus // of the endpoint
	Deleted      bool           // the endpoint is
	TenantPaused bool

	Ahead    DeliveryID // the first open delivery in the endpoint's order; zero: none before the given number
	Sequence int64      // its number
	Node     string     // the node that owns the endpoint's shard; empty if none does
	Epoch    int64      // of the shard

	// What the endpoint's owner has stored with its health, in HeldEpoch.
	BreakerOpen bool
	HeldUntil   time.Time
	HeldEpoch   int64
}
