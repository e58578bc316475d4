package service

import (
	"context"
	"crypto/sha256"
	"log/slog"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Request is a request that its caller may repeat. It must be ended.
type Request struct {
	s     *Service
	try   *bellwire.IdempotentRequest
	ended bool
}

// Reply is the response to a request that was made before.
type Reply struct {
	Status int
	Body   []byte
}

// BeginRequest begins a request that the caller has given an idempotency key. digest identifies everything else that the request
// says. If the request was answered before, BeginRequest returns the reply, and the request must not be carried out. Its error has
// CodeConflict if the key stands for another request, if the request is in progress, and if its answer was lost.
func (s *Service) BeginRequest(ctx context.Context, c Caller, key string, digest [32]byte) (*Request, *Reply, error) {
	if err := s.allowChange(ctx, c); err != nil { // because it writes, whatever comes of the request
		return nil, nil, err
	}
	if err := s.maySeal(ctx); err != nil {
		return nil, nil, err
	}
	if c.Role == bellwire.RolePortal { // what is repeated to a session was answered to this session
		digest = sha256.Sum256(append(digest[:], c.Session[:]...))
	}
	at := now()
	r := &bellwire.IdempotentRequest{Tenant: c.Tenant, Key: key, Digest: digest, Try: bellwire.NewUUID(at), At: at}
	answer, err := s.store.BeginRequest(ctx, r)
	switch {
	case err != nil:
		return nil, nil, err
	case answer == nil:
		return &Request{s: s, try: r}, nil, nil
	}
	body, err := s.keyring.OpenAnswer(r.Tenant, key, answer.Sealed)
	if err != nil { // the caller would repeat the request until it expires
		s.logger.LogAttrs(ctx, slog.LevelWarn, "answer to an idempotent request cannot be opened with the keyset", slog.Any("error", err))
		return nil, nil, r.AnswerLost(err)
	}
	return nil, &Reply{Status: answer.Status, Body: body}, nil
}

// Context returns the context in which the request must be carried out.
func (r *Request) Context(ctx context.Context) context.Context {
	return bellwire.WithRequest(ctx, r.try)
}

// Answer stores the response to the request, for its repetitions. If that fails, they are refused.
func (r *Request) Answer(ctx context.Context, status int, body []byte) {
	r.ended = true
	sealed, err := r.s.keyring.SealAnswer(r.try.Tenant, r.try.Key, body)
	if err == nil {
		err = r.s.store.EndRequest(r.unmarked(ctx), r.try, &bellwire.Answer{Status: status, Sealed: sealed})
	}
	r.report(ctx, err)
}

// End ends a request without an answer: unless it has changed something, it can be made again.
func (r *Request) End(ctx context.Context) {
	if !r.ended {
		r.report(ctx, r.s.store.ForgetRequest(r.unmarked(ctx), r.try))
	}
}

// unmarked returns a context whose writes do not count as changes of the request, also after the caller has disconnected.
func (r *Request) unmarked(ctx context.Context) context.Context {
	return bellwire.WithRequest(context.WithoutCancel(ctx), nil)
}

func (r *Request) report(ctx context.Context, err error) {
	if err != nil {
		r.s.logger.LogAttrs(ctx, slog.LevelWarn, "answer to an idempotent request not stored", slog.Any("error", err))
	}
}
