package bellwire

import "time"

// Observer is told what the engine does, as it does it. Its methods are called on hot paths by several
// goroutines: they must be quick, must not block, and must not keep what they are given.
type Observer interface {
	// Appended reports one committed group of publishes.
	Appended(events, deliveries int, took time.Duration)
	// Attempted reports an attempt when it has ended; a.Number is the expected one: the store has the
	// last word.
	Attempted(a *Attempt, ep *Endpoint)
	// Recorded reports one committed group of outcomes.
	Recorded(outcomes int, took time.Duration)
	// Ended reports that a delivery came to an end, and how long after the event was taken.
	Ended(ep *Endpoint, status DeliveryStatus, after time.Duration)
	// Unsendable reports that a delivery has ended without an attempt, because the endpoint's dialect has no form for what
	// was published. The reason is the same for all data with the same fault.
	Unsendable(ep *Endpoint, eventType, reason string)
	// Claimed reports deliveries taken from the store.
	Claimed(deliveries int, took time.Duration)
	// Breaker reports that an endpoint's circuit breaker opened or closed.
	Breaker(ep *Endpoint, open bool, failures int)
	// Overdrawn reports that a tenant has no requests left to a host that does not acknowledge them. What it has for the host
	// waits; it is reported again only if it has recovered meanwhile.
	Overdrawn(ep *Endpoint, host string)
	// NodeFailed reports that a delivery could not be sent through a fault of the node itself, such as that no file
	// descriptors are left. The kinds of fault are few.
	NodeFailed(kind string, err error)
	// TookOver reports shards that this node has taken, and HandedOver those that it gave away. Lost reports those that
	// another node took because this one had not renewed its leases.
	TookOver(t Takeover)
	HandedOver(shards int)
	Lost(shards int)
	// StoreFailed reports an operation that the store refused or could not do.
	StoreFailed(operation string, err error)
}

// NopObserver observes nothing.
type NopObserver struct{}

func (NopObserver) Appended(int, int, time.Duration)               {}
func (NopObserver) Attempted(*Attempt, *Endpoint)                  {}
func (NopObserver) Recorded(int, time.Duration)                    {}
func (NopObserver) Ended(*Endpoint, DeliveryStatus, time.Duration) {}
func (NopObserver) Unsendable(*Endpoint, string, string)           {}
func (NopObserver) Claimed(int, time.Duration)                     {}
func (NopObserver) Breaker(*Endpoint, bool, int)                   {}
func (NopObserver) Overdrawn(*Endpoint, string)                    {}
func (NopObserver) NodeFailed(string, error)                       {}
func (NopObserver) StoreFailed(string, error)                      {}
func (NopObserver) TookOver(Takeover)                              {}
func (NopObserver) HandedOver(int)                                 {}
func (NopObserver) Lost(int)                                       {}
