package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// AuditNote is what a caller must state about a request that is recorded in the audit log.
type AuditNote struct {
	Tenant, Method, Path     string
	Principal, Justification string
}

// Check refuses texts that the audit log cannot store.
func (n *AuditNote) Check() error {
	if err := checkText("principal", n.Principal, bellwire.MaxAuditText); err != nil {
		return err
	}
	return checkText("justification", n.Justification, bellwire.MaxAuditText)
}

// Record stores a request in the audit log. The request must be carried out only after Record has returned without an error. An
// error with CodeRateLimited means that the key or the tenant has made too many requests.
func (s *Service) Record(ctx context.Context, c Caller, note AuditNote) error {
	if err := s.requireTenant(ctx, c, Read, note.Tenant); err != nil {
		return err
	}
	if err := note.Check(); err != nil {
		return err
	}
	if wait, ok := s.audited.Allow(note.Tenant+" "+c.name(), limits.AuditRate, limits.AuditBurst, 1); !ok {
		return &bellwire.Error{
			Code:       bellwire.CodeRateLimited,
			Message:    fmt.Sprintf("requests with one key are limited to %d per second, because each of them is recorded; try again shortly", limits.AuditRate),
			RetryAfter: wait,
		}
	}
	held, err := s.directory.Limits(ctx, note.Tenant)
	if err != nil {
		return err
	}
	at := now()
	err = s.store.AppendAudit(ctx, &bellwire.AuditEntry{
		ID: bellwire.NewID[bellwire.AuditKind](at), At: at, Tenant: note.Tenant, Key: c.Key,
		Method: note.Method, Path: note.Path, Principal: note.Principal, Justification: note.Justification,
		ExpiresAt: at.Add(s.auditRetention),
	}, held.AuditEntries)
	if bellwire.CodeOf(err) == bellwire.CodeRateLimited {
		s.auditFull(ctx, note.Tenant, held.AuditEntries)
	}
	return err
}

// auditFull logs, once per hour, that a tenant's requests are refused because its share of the audit log is used up.
func (s *Service) auditFull(ctx context.Context, tenant string, perDay int) {
	if _, ok := s.warned.Allow("audit "+tenant, 1/time.Hour.Seconds(), 1, 1); !ok {
		return
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "audit log full, recorded requests of the tenant refused until tomorrow",
		slog.String("tenant", tenant), slog.Int("audit_entries", perDay))
}

// audit returns a context for one change, which the store adds to the audit log. tenant is empty for what belongs to the operator.
// before and after are the members of the subject, without secrets; nil for none.
func (s *Service) audit(ctx context.Context, c Caller, tenant, action, subject string, before, after map[string]any) context.Context {
	at := now()
	e := &bellwire.AuditEntry{
		ID: bellwire.NewID[bellwire.AuditKind](at), At: at, LastAt: at, Count: 1, Tenant: tenant, Key: c.Key,
		Action: action, Subject: subject, Actor: c.actor(ctx), ExpiresAt: at.Add(s.auditRetention),
	}
	var faults [2]error
	e.Before, faults[0] = encodeMembers(before)
	e.After, faults[1] = encodeMembers(after)
	change := &bellwire.AuditedChange{Entry: e}
	if tenant != "" {
		change.PerDay = limits.Default().AuditEntries
		if held, err := s.directory.Limits(ctx, tenant); err == nil {
			change.PerDay = held.AuditEntries
		}
	}
	if err := errors.Join(faults[:]...); err != nil { // the change is on record all the same
		s.logger.LogAttrs(ctx, slog.LevelError, "members of a change not recorded", slog.String("action", action), slog.Any("error", err))
	}
	return bellwire.WithAudit(ctx, change)
}

// AuditLog lists entries of the audit log.
func (s *Service) AuditLog(ctx context.Context, c Caller, f bellwire.AuditFilter, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	ctx, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.store.AuditEntries(ctx, f, fitted(ctx, page))
}
