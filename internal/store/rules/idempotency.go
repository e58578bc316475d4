package rules

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// StoredRequest is an idempotent request as a store has it.
type StoredRequest struct {
	Digest    [32]byte
	BegunAt   time.Time
	ExpiresAt time.Time
	Changed   bool
	Answer    bellwire.Answer // Status is 0 while there is none
}

// Repeat decides about a request whose key is stored: it returns the answer to give, nil if the request is to be carried out,
// or why it is refused.
func (s *StoredRequest) Repeat(r *bellwire.IdempotentRequest) (*bellwire.Answer, error) {
	switch {
	case !s.ExpiresAt.After(r.At):
		return nil, nil
	case s.Digest != r.Digest:
		err := bellwire.Errorf(bellwire.CodeConflict, "the idempotency key %q stands for another request", r.Key)
		err.Hint = "Use a new key for each request, and the same one only to repeat it unchanged."
		return nil, err
	case s.Answer.Status != 0:
		return &s.Answer, nil
	case s.Changed:
		return nil, r.AnswerLost(nil)
	case r.At.Before(s.BegunAt.Add(bellwire.RequestLease)):
		return nil, bellwire.Errorf(bellwire.CodeConflict, "the request with the idempotency key %q is in progress; repeat it in a moment", r.Key)
	}
	return nil, nil
}

// Superseded returns the error for a request that another try has replaced.
func Superseded(r *bellwire.IdempotentRequest) error {
	return bellwire.Errorf(bellwire.CodeConflict, "the request with the idempotency key %q took too long, and its repetition has taken its place", r.Key)
}

// RequestsFull refuses another idempotent request of a tenant that has the given number of them, with the given size of their
// answers, the oldest of which expires at the given time.
func RequestsFull(r *bellwire.IdempotentRequest, has, size int64, expires time.Time) error {
	if has < bellwire.MaxIdempotentRequests && size < bellwire.MaxAnswerBytes {
		return nil
	}
	return &bellwire.Error{
		Code: bellwire.CodeRateLimited,
		Message: "too many requests with the header Idempotency-Key were made within " + bellwire.Duration(bellwire.RequestWindow).String() +
			", whose answers are kept that long",
		Hint:       "Leave the header out where a request need not be repeatable, or try again later.",
		RetryAfter: max(time.Second, expires.Sub(r.At)),
	}
}
