package service

import (
	"context"

	"github.com/bellwire/bellwire"
)

// AuditNote is what a caller must say of a request that the audit log keeps.
type AuditNote struct {
	Tenant, Method, Path     string
	Principal, Justification string
}

// Record keeps in the audit log who asks for what. It is on disk when Record returns; what was asked for is done after.
func (s *Service) Record(ctx context.Context, c Caller, note AuditNote) error {
	if err := s.enter(ctx, c, Read, note.Tenant); err != nil {
		return err
	}
	for field, text := range map[string]string{"principal": note.Principal, "justification": note.Justification} {
		if err := checkText(field, text, bellwire.MaxAuditText); err != nil {
			return err
		}
	}
	at := now()
	return s.store.AppendAudit(ctx, &bellwire.AuditEntry{
		ID: bellwire.NewID[bellwire.AuditKind](at), At: at, Tenant: note.Tenant, Key: c.Key,
		Method: note.Method, Path: note.Path, Principal: note.Principal, Justification: note.Justification,
		ExpiresAt: at.Add(s.auditRetention),
	})
}

// AuditLog lists the audit log, of one tenant or, if tenant is empty, of all.
func (s *Service) AuditLog(ctx context.Context, c Caller, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	return s.store.AuditEntries(ctx, tenant, page)
}
