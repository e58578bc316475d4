package bellwire

import "time"

// Forward is an event with deliveries that one node has stored for another one to send, which owns their endpoints.
type Forward struct {
	Event      *Event
	At         time.Time // the event's own time, which its deliveries have
	Stamp      int64     // of the owner's clock, in milliseconds, as last heard before the event was stored
	Deliveries []ForwardedDelivery
}

// ForwardedDelivery is a delivery of a Forward.
type ForwardedDelivery struct {
	ID       DeliveryID
	Endpoint string
	Revision int64 // of the endpoint, with which the event was matched
	Epoch    int64 // of the endpoint's shard, as the node that forwards knows it: the delivery is stored with -Epoch
	Sequence int64 // its number in the endpoint's order; 0: it has none
	Keyed    bool  // the first of its event's ordering key
}

// Disposition is what the owner has done with a forwarded delivery.
type Disposition byte

// The dispositions.
const (
	// Refused: the node does not own the endpoint in that epoch, or is shutting down. Whoever owns it must be told.
	Refused Disposition = iota
	// Accepted: the owner has the delivery in memory, or knows that it had it.
	Accepted
	// LeftInStore: the owner claims the delivery when its endpoint can take it.
	LeftInStore
)

// Peer is another live node.
type Peer struct {
	Name     string
	Instance [16]byte      // of the process that has the name
	Address  string        // at which it takes forwarded deliveries; empty: it takes none
	Epochs   [Shards]int64 // of its shards; 0: it does not own the shard
}
