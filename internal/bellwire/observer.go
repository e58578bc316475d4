package bellwire

import "time"

// Observer receives the events of the engine. Its methods are called on hot paths by several goroutines: they must be fast, must
// not block, and must not retain their arguments.
type Observer interface {
	// Span returns the span for work that is caused by another one, nil for work that belongs to no trace. If no spans are
	// recorded, it returns the cause, so that receivers continue the publisher's trace.
	Span(cause *Trace) *Trace
	// Published reports a publication with a span that Sampled says to record.
	Published(p *Publishing)
	// Appended reports one committed group of publishes.
	Appended(events, deliveries int, took time.Duration)
	// Attempted reports an attempt that has ended, and its delivery as it was before. a.Number is provisional until the attempt is
	// stored.
	Attempted(a *Attempt, ep *Endpoint, d *Delivery)
	// Recorded reports one committed group of outcomes.
	Recorded(outcomes int, took time.Duration)
	// Ended reports that a delivery has ended, and how long after its schedule began. The trace is that of its last attempt.
	Ended(ep *Endpoint, status DeliveryStatus, after time.Duration, trace *Trace)
	// Unsendable reports that a delivery has ended without an attempt, because the endpoint's dialect cannot represent the
	// event. The reason is the same for all data with the same fault.
	Unsendable(ep *Endpoint, eventType, reason string)
	// FilterFailed reports that an endpoint's filter has no answer for an event, and whether the event is delivered all the same.
	FilterFailed(ep *Endpoint, delivered bool)
	// Exhausted reports a delivery that has no retries left, and TooOld a number of deliveries of one endpoint that were
	// exhausted because max_elapsed had passed.
	Exhausted(ep *Endpoint, id DeliveryID, eventType, reason string)
	TooOld(ep *Endpoint, deliveries int, reason string)
	// Canceled reports deliveries to endpoints of a dialect that were canceled, and why. Those that are canceled because of an attempt
	// have Ended.
	Canceled(dialect string, deliveries int, cause CancelCause)
	// EventsExpired reports deliveries of an endpoint that have ended because their events have expired.
	EventsExpired(ep *Endpoint, deliveries int)
	// Disabled reports that Bellwire has disabled an endpoint.
	Disabled(ep *Endpoint, reason string)
	// Claimed reports deliveries taken from the store.
	Claimed(deliveries int, took time.Duration)
	// Breaker reports that an endpoint's circuit breaker opened or closed.
	Breaker(ep *Endpoint, open bool, failures int)
	// Overdrawn reports that a tenant has used up its requests to a host that does not acknowledge them, so that its
	// deliveries to the host wait. It is reported again only after the host has recovered.
	Overdrawn(ep *Endpoint, host string)
	// NodeFailed reports that a delivery could not be sent because of a fault of the node itself, such as a lack of file
	// descriptors. There are few kinds.
	NodeFailed(kind string, err error)
	// TookOver reports shards that this node has acquired, and HandedOver those that it has released. LostShards reports
	// shards that another node has acquired because this one did not renew its leases.
	TookOver(t Takeover)
	HandedOver(shards int)
	LostShards(shards int)
	// AlertsMailed reports a digest of alerts that the mail server took, or that could not be sent.
	AlertsMailed(sent bool)
	// Forwarded reports deliveries that this node has stored, and that the nodes which own their endpoints have accepted from it.
	// NotForwarded reports others, which their owners claim from the store, and why. There are few reasons.
	Forwarded(deliveries int)
	NotForwarded(deliveries int, reason string)
	// StoreFailed reports an operation of the store that failed.
	StoreFailed(operation string, err error)
}

// Publishing is a publication that has ended, and what it consisted of.
type Publishing struct {
	Trace          *Trace
	Tenant, Type   string  // of its events; an empty type: there are several
	Event          EventID // zero: there are several
	Events         int
	Began, Ended   time.Time
	Queued, Stored time.Time // when it was handed to the store, and when the store had answered; zero: it was not
	Err            error
}

// CancelCause is why deliveries are canceled without an attempt.
type CancelCause string

// The causes.
const (
	CanceledOnRequest CancelCause = "request"           // one by one
	CanceledByJob     CancelCause = "job"               // by a bulk cancellation
	CanceledDisabled  CancelCause = "endpoint_disabled" // what was open then
	CanceledDeleted   CancelCause = "endpoint_deleted"  // what was open then
	CanceledErased    CancelCause = "event_erased"      // the data of their event
)

// CancelCauses lists all causes.
var CancelCauses = []CancelCause{CanceledOnRequest, CanceledByJob, CanceledDisabled, CanceledDeleted, CanceledErased}

// CauseOf returns the cause for what is open at an endpoint that gets no deliveries any more.
func CauseOf(ep *Endpoint) CancelCause {
	if ep.Deleted {
		return CanceledDeleted
	}
	return CanceledDisabled
}

// NopObserver observes nothing.
type NopObserver struct{}

func (NopObserver) Span(cause *Trace) *Trace                               { return cause }
func (NopObserver) Published(*Publishing)                                  {}
func (NopObserver) Appended(int, int, time.Duration)                       {}
func (NopObserver) Attempted(*Attempt, *Endpoint, *Delivery)               {}
func (NopObserver) Recorded(int, time.Duration)                            {}
func (NopObserver) Ended(*Endpoint, DeliveryStatus, time.Duration, *Trace) {}
func (NopObserver) Unsendable(*Endpoint, string, string)                   {}
func (NopObserver) FilterFailed(*Endpoint, bool)                           {}
func (NopObserver) Exhausted(*Endpoint, DeliveryID, string, string)        {}
func (NopObserver) TooOld(*Endpoint, int, string)                          {}
func (NopObserver) Canceled(string, int, CancelCause)                      {}
func (NopObserver) EventsExpired(*Endpoint, int)                           {}
func (NopObserver) Disabled(*Endpoint, string)                             {}
func (NopObserver) Claimed(int, time.Duration)                             {}
func (NopObserver) Breaker(*Endpoint, bool, int)                           {}
func (NopObserver) Overdrawn(*Endpoint, string)                            {}
func (NopObserver) NodeFailed(string, error)                               {}
func (NopObserver) AlertsMailed(bool)                                      {}
func (NopObserver) StoreFailed(string, error)                              {}
func (NopObserver) TookOver(Takeover)                                      {}
func (NopObserver) HandedOver(int)                                         {}
func (NopObserver) LostShards(int)                                         {}
func (NopObserver) Forwarded(int)                                          {}
func (NopObserver) NotForwarded(int, string)                               {}
