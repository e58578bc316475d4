// Package verify finds out why the signature of a delivery is refused: which of the usual mistakes was made.
package verify

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/bellwire/bellwire/receive"
)

// Mistake is a kind of mistake.
type Mistake string

// The usual mistakes.
const (
	MistakeSecret  Mistake = "secret"         // another secret, or one in the wrong form
	MistakeBody    Mistake = "body"           // a body that is not, byte for byte, the one that was signed
	MistakeTime    Mistake = "timestamp"      // too old, or in the future
	MistakeHeader  Mistake = "header"         // missing or malformed
	MistakeContent Mistake = "signed_content" // another id or timestamp beside the body, or none
)

// Finding is a mistake that was found. Its texts never contain a secret.
type Finding struct {
	Mistake Mistake `json:"mistake"`
	Found   string  `json:"found"` // a clause
	Fix     string  `json:"fix"`   // a sentence
}

// Question is a delivery as it was received, and what it is verified with.
type Question struct {
	Dialect string
	Header  http.Header
	Body    []byte
	// Secrets are what the receiver verifies with: secrets, public keys or tokens. None: those of the endpoint.
	Secrets []string
	// Endpoint are all secrets that the endpoint has now; none: they are unknown.
	Endpoint []string
	// Computed is the signature that the receiver's own code computes, in hex or base64; empty: none.
	Computed string
	// ReceivedAt is the time with which the delivery's is compared.
	ReceivedAt time.Time
	// Format is how the dialect signs, if it is one that this package does not have. Its verifier accepts a delivery of any time.
	Format *Format
	// New returns the dialect's verifier.
	New func(secrets ...string) (receive.Verifier, error)
}

// Answer is the result of a check.
type Answer struct {
	// Findings are the mistakes; none: the delivery is verified, and the computed signature, if there is one, is right.
	Findings []Finding
	// OfComputed says that the delivery is verified, and that Findings are about the computed signature.
	OfComputed bool
	// SentAt is the time of the attempt; zero if the dialect has none, or it cannot be read.
	SentAt time.Time
}

// Check verifies a delivery and finds the mistakes. Its error is a predicate of Computed, which is malformed, or is
// given for a dialect that does not sign.
func Check(q Question) (*Answer, error) { return q.check() }

func (q *Question) check() (*Answer, error) {
	if len(q.Secrets) == 0 {
		q.Secrets = q.Endpoint
	}
	all, sentAt, malformed := q.schemes()
	if malformed != nil {
		return &Answer{Findings: []Finding{*malformed}}, nil
	}
	if len(all) == 0 {
		if q.Computed != "" {
			return nil, fmt.Errorf("must not be given for the dialect %s, which does not sign", q.Dialect)
		}
		return &Answer{Findings: checkToken(q), SentAt: sentAt}, nil
	}
	a := &Answer{SentAt: sentAt, Findings: checkSignatures(q, all)}
	if late := checkTime(a.SentAt, q.ReceivedAt); late != nil {
		a.Findings = append(a.Findings, *late)
	}
	if q.Computed == "" {
		return a, nil
	}
	s, digest, err := computed(q.Computed, all)
	if err != nil {
		return nil, err
	}
	if len(a.Findings) == 0 {
		a.Findings = s.checkComputed(q, digest)
		a.OfComputed = len(a.Findings) > 0
	}
	return a, nil
}

// schemes returns how each header with signatures is made, and the time of the attempt. The finding says that a header is missing or
// malformed.
func (q *Question) schemes() (all []signing, sentAt time.Time, malformed *Finding) {
	if q.Format != nil {
		headers, err := q.Format.Read(q.Header, q.Body)
		if errors.Is(err, receive.ErrBody) {
			finding := unreadBody(err)
			return nil, sentAt, &finding
		}
		if err != nil {
			finding := missingHeader(q, err)
			return nil, sentAt, &finding
		}
		return q.Format.schemes(headers), headers.SentAt, nil
	}
	s, signs := schemes[q.Dialect]
	if !signs {
		return nil, sentAt, nil
	}
	if malformed = s.checkHeader(q); malformed != nil {
		return nil, sentAt, malformed
	}
	read := s.read(q.Header)
	return []signing{{s, read}}, read.sentAt, nil
}

// open returns the verifier for one secret, which accepts a delivery of any time.
func (q *Question) open(secret string) (receive.Verifier, error) {
	verifier, err := q.New(secret)
	if err != nil {
		return nil, err
	}
	switch v := verifier.(type) {
	case *receive.StandardVerifier:
		v.Tolerance = math.MaxInt64
	case *receive.AtelioVerifier:
		v.Tolerance = math.MaxInt64
	case *receive.LemonVerifier:
		v.Tolerance = math.MaxInt64
	}
	return verifier, nil
}

// accepts reports whether a secret verifies the delivery. The error is one of package receive, or says what is wrong with
// the secret.
func (q *Question) accepts(secret string) error {
	verifier, err := q.open(secret)
	if err != nil {
		return errSecret{err}
	}
	_, err = verifier.Verify(q.Header, q.Body)
	return err
}

// anyAccepted reports whether one of the secrets verifies the delivery.
func (q *Question) anyAccepted(secrets []string) bool {
	return slices.ContainsFunc(secrets, func(secret string) bool { return q.accepts(secret) == nil })
}

// errSecret is the error of a malformed secret.
type errSecret struct{ error }

// checkTime returns a finding if a delivery is too old, or from the future.
func checkTime(sentAt, receivedAt time.Time) *Finding {
	off := receivedAt.Sub(sentAt)
	if sentAt.IsZero() || off.Abs() <= receive.DefaultTolerance {
		return nil
	}
	finding := &Finding{
		Mistake: MistakeTime,
		Found:   fmt.Sprintf("the delivery was sent at %s, %s before it was received; receivers accept %s", sentAt.Format(time.RFC3339), off.Abs().Round(time.Second), receive.DefaultTolerance),
		Fix:     "If this is a saved request, give the time at which it was received with --received-at. Otherwise set the receiver's clock, and verify before the request waits in a queue.",
	}
	if off < 0 {
		finding.Found = fmt.Sprintf("the delivery was sent at %s, %s after the receiver's time; receivers accept %s", sentAt.Format(time.RFC3339), off.Abs().Round(time.Second), receive.DefaultTolerance)
		finding.Fix = "Set the receiver's clock, for example with NTP."
	}
	return finding
}
