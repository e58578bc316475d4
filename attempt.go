package bellwire

import "time"

// Outcome classes what came of an attempt, so that a person sees at once where it went wrong.
type Outcome string

// The outcomes.
const (
	OutcomeOK       Outcome = "ok"
	OutcomeStatus   Outcome = "status"   // a response whose status does not acknowledge
	OutcomeBlocked  Outcome = "blocked"  // the address is in a network that deliveries may not reach
	OutcomeDNS      Outcome = "dns"      // the host's name could not be resolved
	OutcomeConnect  Outcome = "connect"  // no connection: refused, unreachable
	OutcomeTLS      Outcome = "tls"      // the handshake failed, or the certificate is not valid
	OutcomeTimeout  Outcome = "timeout"  // the deadline passed; Timings tell in which phase
	OutcomeReset    Outcome = "reset"    // the connection broke off
	OutcomeProtocol Outcome = "protocol" // what came back is not HTTP, or over its limits
)

// Attempt is one HTTP request made for a delivery, with what came back. Credentials in it are redacted.
type Attempt struct {
	ID        AttemptID
	Delivery  DeliveryID
	Number    int // from 1 within the delivery; given by the store
	Trigger   Trigger
	StartedAt time.Time
	Timings   Timings
	Outcome   Outcome
	Error     string // a sentence, unless Outcome is OutcomeOK
	Request   AttemptRequest
	Response  *AttemptResponse // nil: no response headers came
}

// Timings are how long the phases of an attempt took; 0: the phase did not happen (a connection was
// kept) or did not end.
type Timings struct {
	DNS       time.Duration
	Connect   time.Duration
	TLS       time.Duration
	FirstByte time.Duration // from the start to the first byte of the response
	Total     time.Duration
}

// AttemptRequest is what was sent. The body is not kept: it is a function of the event.
type AttemptRequest struct {
	URL       string
	Headers   []Header
	BodyBytes int
}

// AttemptResponse is what came back.
type AttemptResponse struct {
	Status    int
	Headers   []Header // as many as fit into MaxStoredHeaders
	Body      []byte   // the first MaxStoredBody bytes
	Truncated bool     // there was more of the body
	Note      string   // what was wrong with it although its status counts, a sentence; empty: nothing
}

// Bounds on what an attempt keeps of a response.
const (
	MaxStoredBody    = 4 << 10 // bytes
	MaxStoredHeaders = 4 << 10 // bytes of names and values together
)

// Redacted stands where a credential was.
const Redacted = "[redacted]"
