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

// Attempt is one HTTP request made for a delivery, with what came back. Credentials in it are redacted. Of a delivery with
// many attempts the first and the last ones alone are kept whole; see Result.WholeAttempts.
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
	Dropped   bool             // Request, and what Response has beside its status, are not kept any more
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
	URL              string
	Headers          []Header // as many as fit into MaxStoredHeaders, the endpoint's own ones last
	HeadersTruncated bool     // there were more
	BodyBytes        int
}

// AttemptResponse is what came back.
type AttemptResponse struct {
	Status           int
	Headers          []Header // as many as fit into MaxStoredHeaders
	HeadersTruncated bool     // there were more
	Body             []byte   // the first MaxStoredBody bytes
	Truncated        bool     // there was more of the body
	Note             string   // what was wrong with it although its status counts, a sentence; empty: nothing
}

// Bounds on what is kept of an attempt. With the URL that is at most 16 KiB.
const (
	MaxStoredBody    = 4 << 10 // bytes of the response's body
	MaxStoredHeaders = 4 << 10 // bytes of the request's headers, and of the response's, as they are kept
)

// DroppedAttempt returns which attempt of a delivery loses its details when the given one is recorded and so many are kept
// whole: half of them, and one if that leaves a half, are the first ones, and the others the newest. 0: none does, as with
// whole 0, which keeps all.
func DroppedAttempt(number, whole int) int {
	newest := whole / 2
	first := whole - newest
	if whole == 0 || number-newest <= first {
		return 0
	}
	return number - newest
}

// Redacted stands where a credential was.
const Redacted = "[redacted]"
