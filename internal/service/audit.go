package service

import (
	"context"
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

// AuditLog lists the entries of a tenant, or of all tenants if tenant is empty.
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
