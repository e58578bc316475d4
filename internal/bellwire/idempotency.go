package bellwire

import (
	"context"
	"time"
)

// Idempotency is the part of a Store that lets callers repeat requests which are not repeatable by themselves. A request is
// named by the tenant of its caller, empty for the operator, and the key that the caller chose.
//
// A request begins, changes something and ends with its answer. Every write of a context of WithRequest marks its request as
// changed in the same transaction, so that a request whose answer was lost, such as by a crash, changes nothing again.
type Idempotency interface {
	// BeginRequest begins a request. It returns the answer if the request was answered before. CodeConflict: the key stands
	// for another request, the request is in progress, or its answer was lost. CodeRateLimited: the tenant has
	// MaxIdempotentRequests, or MaxAnswerBytes of answers.
	BeginRequest(ctx context.Context, r *IdempotentRequest) (*Answer, error)
	// EndRequest stores the answer of a request that has begun.
	EndRequest(ctx context.Context, r *IdempotentRequest, a *Answer) error
	// ForgetRequest ends a request without an answer, as if it had never begun, unless it has changed something.
	ForgetRequest(ctx context.Context, r *IdempotentRequest) error
}

// IdempotentRequest is one try of a request that its caller may repeat.
type IdempotentRequest struct {
	Tenant string   // of the caller; empty: the operator
	Key    string   // chosen by the caller
	Digest [32]byte // of everything that the request says
	Try    [16]byte // identifies this try
	At     time.Time
}

// AnswerLost returns the error for the repetition of a request that has changed something, and whose answer is not known.
func (r *IdempotentRequest) AnswerLost(cause error) *Error {
	err := Errorf(CodeConflict, "the request with the idempotency key %q was carried out, and its answer was lost", r.Key)
	err.Err, err.Hint = cause, "Look at what it has changed. It is not carried out again under this key."
	return err
}

// Answer is the response to an idempotent request.
type Answer struct {
	Status int
	Sealed []byte // the body
}

// Bounds on idempotent requests.
const (
	RequestWindow         = 24 * time.Hour // how long a request is remembered
	RequestLease          = time.Minute    // how long a request without an answer counts as being in progress, unless it has changed something
	MaxIdempotentRequests = 10_000         // of one tenant, or of the operator, at a time
	MaxAnswerBytes        = 16 << 20       // of their sealed bodies together
)

type requestKey struct{}

// WithRequest returns a context whose writes mark the request as changed.
func WithRequest(ctx context.Context, r *IdempotentRequest) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestOf returns the idempotent request of the context, nil if there is none.
func RequestOf(ctx context.Context) *IdempotentRequest {
	r, _ := ctx.Value(requestKey{}).(*IdempotentRequest)
	return r
}
