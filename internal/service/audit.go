package service

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// AuditNote is what a caller must say of a request that the audit log keeps.
type AuditNote struct {
	Tenant, Method, Path     string
	Principal, Justification string
}

// Check refuses texts that the audit log cannot keep whole.
func (n *AuditNote) Check() error {
	if err := checkText("principal", n.Principal, bellwire.MaxAuditText); err != nil {
		return err
	}
	return checkText("justification", n.Justification, bellwire.MaxAuditText)
}

// Record keeps in the audit log who asks for what. It is on disk when Record returns; what was asked for is done after.
// CodeRateLimited: the key or the tenant has asked for too much. That is not kept, and must not be done.
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

// auditFull warns, once an hour, of a tenant that is refused because the audit log has no room for it.
func (s *Service) auditFull(ctx context.Context, tenant string, perDay int) {
	if _, ok := s.warned.Allow("audit "+tenant, 1/time.Hour.Seconds(), 1, 1); !ok {
		return
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "audit log full: the tenant's requests that must be kept in it are refused until tomorrow",
		slog.String("tenant", tenant), slog.Int("audit_entries", perDay))
}

// AuditLog lists the audit log, of one tenant or, if tenant is empty, of all.
func (s *Service) AuditLog(ctx context.Context, c Caller, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
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
	return s.store.AuditEntries(ctx, tenant, page)
}
