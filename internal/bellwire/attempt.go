package bellwire

import "time"

// Outcome classifies the result of an attempt, by where it went wrong.
type Outcome string

// The outcomes.
const (
	OutcomeOK       Outcome = "ok"
	OutcomeStatus   Outcome = "status"   // a response with a status that does not acknowledge
	OutcomeBlocked  Outcome = "blocked"  // the address is in a network that deliveries must not reach
	OutcomeDNS      Outcome = "dns"      // the host name could not be resolved
	OutcomeConnect  Outcome = "connect"  // no connection: refused, unreachable
	OutcomeTLS      Outcome = "tls"      // the handshake failed or the certificate is not valid
	OutcomeTimeout  Outcome = "timeout"  // the deadline passed; Timings show in which phase
	OutcomeReset    Outcome = "reset"    // the connection broke
	OutcomeProtocol Outcome = "protocol" // the response is not HTTP, or exceeds a limit
)

// Outcomes lists all outcomes.
var Outcomes = []Outcome{
	OutcomeOK, OutcomeStatus, OutcomeBlocked, OutcomeDNS, OutcomeConnect, OutcomeTLS, OutcomeTimeout, OutcomeReset, OutcomeProtocol,
}

// Attempt is one HTTP request made for a delivery, with its response. Credentials in it are redacted. Of a delivery with many
// attempts, only the first and the last are kept with their details; see Result.WholeAttempts.
type Attempt struct {
	ID        AttemptID
	Delivery  DeliveryID
	Number    int // within the delivery, from 1; assigned by the store
	Trigger   Trigger
	StartedAt time.Time
	Timings   Timings
	Outcome   Outcome
	Error     string // empty if Outcome is OutcomeOK
	Request   AttemptRequest
	Response  *AttemptResponse // nil if no response headers arrived
	Dropped   bool             // Request, and all of Response but the status, were dropped
	Trace     *Trace           // the span of the attempt; not stored; nil: the event belongs to no trace
}

// Timings are the durations of an attempt's phases. A duration is 0 if the phase did not happen, as on a reused connection,
// or did not end.
type Timings struct {
	DNS       time.Duration
	Connect   time.Duration
	TLS       time.Duration
	FirstByte time.Duration // from the start to the first byte of the response
	Total     time.Duration
}

// AttemptRequest is the request of an attempt. The body is not kept, because it is a function of the event.
type AttemptRequest struct {
	URL              string
	Headers          []Header // as many as fit into MaxStoredHeaders, the endpoint's own last
	HeadersTruncated bool     // there were more
	BodyBytes        int
	BodyHash         [32]byte // the SHA-256 of the body; zero: not recorded
	Dialect          string   // which made the body; empty: not recorded
	Version          int      // of the event's type, in which the data was sent; 0: not recorded
}

// AttemptResponse is the response to an attempt.
type AttemptResponse struct {
	Status           int
	Headers          []Header // as many as fit into MaxStoredHeaders
	HeadersTruncated bool     // there were more
	Body             []byte   // the first MaxStoredBody bytes
	Truncated        bool     // the body was longer
	Note             string   // what was wrong with it although its status counts; empty if nothing was
}

// AttemptResult is the result of an attempt, without its details.
type AttemptResult struct {
	Outcome Outcome
	Status  int    // of the response; 0: none
	Error   string // empty if Outcome is OutcomeOK
}

// Bounds on what is kept of an attempt: with the URL at most 16 KiB.
const (
	MaxStoredBody    = 4 << 10 // bytes of the response's body
	MaxStoredHeaders = 4 << 10 // bytes of the request's headers, and of the response's, as stored
)

// DroppedAttempt returns the number of the attempt that loses its details when the given one is recorded, and 0 if none does.
// The first half of whole attempts, rounded up, and the newest ones keep their details; with whole 0 all do.
func DroppedAttempt(number, whole int) int {
	newest := whole / 2
	first := whole - newest
	if whole == 0 || number-newest <= first {
		return 0
	}
	return number - newest
}

// Redacted replaces a credential.
const Redacted = "[redacted]"
