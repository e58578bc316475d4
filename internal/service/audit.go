package service

import (
	"cmp"
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
	Tenant                   string
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
	perDay := held.AuditEntries
	if !c.may(Change) { // otherwise a key that only reads could have the tenant's changes refused until tomorrow
		perDay -= perDay / limits.ReservePart
	}
	e := s.auditEntry(ctx, c, note.Tenant, "", "")
	e.Principal, e.Justification = note.Principal, note.Justification
	err = s.store.AppendAudit(ctx, e, perDay)
	if bellwire.CodeOf(err) == bellwire.CodeRateLimited {
		s.auditFull(ctx, c, note.Tenant, perDay)
	}
	return err
}

// auditFull logs, once per hour, that a role's requests are refused because its part of a tenant's audit log is used up.
func (s *Service) auditFull(ctx context.Context, c Caller, tenant string, perDay int) {
	role := string(c.Role)
	if _, ok := s.warned.Allow("audit "+tenant+" "+role, 1/time.Hour.Seconds(), 1, 1); !ok {
		return
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "audit log full, recorded requests of the tenant refused until tomorrow",
		slog.String("tenant", tenant), slog.String("role", role), slog.Int("audit_entries", perDay))
}

// auditEntry returns an entry about a call. tenant is empty for what belongs to the operator, and action for a call that is not one.
func (s *Service) auditEntry(ctx context.Context, c Caller, tenant, action, subject string) *bellwire.AuditEntry {
	at, call := now(), bellwire.CallOf(ctx)
	return &bellwire.AuditEntry{
		ID: bellwire.NewID[bellwire.AuditKind](at), At: at, LastAt: at, Count: 1, Tenant: tenant, Key: c.Key, Method: call.Method, Path: call.Path,
		Action: action, Subject: subject, Actor: c.actor(ctx), ExpiresAt: at.Add(s.auditRetention),
	}
}

// auditEntries returns how many entries of a share a tenant may have in a day.
func (s *Service) auditEntries(ctx context.Context, tenant string) int {
	if tenant == "" {
		return 0
	}
	held, err := s.directory.Limits(ctx, tenant)
	if err != nil {
		return limits.Default().AuditEntries
	}
	return held.AuditEntries
}

// auditAction adds an action to the audit log that itself stores nothing, or nothing that is stored at once. It must be called before
// the action. Beyond the tenant's limit, the action has no entry.
func (s *Service) auditAction(ctx context.Context, c Caller, tenant, action, subject string) error {
	e := s.auditEntry(ctx, c, tenant, action, subject)
	// An idempotent request has changed nothing yet.
	err := s.store.AppendAudit(bellwire.WithRequest(ctx, nil), e, s.auditEntries(ctx, tenant))
	if bellwire.CodeOf(err) != bellwire.CodeRateLimited {
		return err
	}
	s.logger.LogAttrs(ctx, slog.LevelInfo, "audit log full, action without an entry", slog.String("tenant", tenant),
		slog.String("action", action), slog.String("subject", subject), slog.String("by", c.name()))
	return nil
}

// auditRefusal adds a call to the audit log that the caller may not make. It belongs to the caller's tenant, whatever tenant it is
// about. A flood of them is bounded by rate, and by the share of a day.
func (s *Service) auditRefusal(ctx context.Context, c Caller, refusal error) {
	code := bellwire.CodeOf(refusal)
	if !c.Role.Valid() || code != bellwire.CodeForbidden && code != bellwire.CodeNotFound {
		return
	}
	if _, ok := s.audited.Allow("refused "+c.Tenant+" "+c.name(), limits.AuditRate, limits.AuditBurst, 1); !ok {
		return
	}
	perDay := s.auditEntries(ctx, c.Tenant)
	if c.Tenant == "" {
		perDay = limits.Default().AuditEntries
	}
	e := s.auditEntry(ctx, c, c.Tenant, "", "")
	e.Refused = code
	err := s.store.AppendAudit(context.WithoutCancel(ctx), e, perDay)
	if err != nil && bellwire.CodeOf(err) != bellwire.CodeRateLimited {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "refused call not recorded", slog.String("by", c.name()), slog.Any("error", err))
	}
}

// auditedBytes is how long a value of a field may be in the audit log, in JSON. Longer ones are in the history of what was changed.
const auditedBytes = 512

// audit returns a context for one change, which the store adds to the audit log. tenant is empty for what belongs to the operator.
// before and after are the fields of the subject, without secrets; nil for none.
func (s *Service) audit(ctx context.Context, c Caller, tenant, action, subject string, before, after map[string]any) context.Context {
	e := s.auditEntry(ctx, c, tenant, action, subject)
	var faults [2]error
	e.Before, faults[0] = encodeFields(before)
	e.After, faults[1] = encodeFields(after)
	if err := errors.Join(faults[:]...); err != nil { // the change is on record all the same
		s.auditFault(ctx, action, err)
	}
	return bellwire.WithAudit(ctx, &bellwire.AuditedChange{Entry: e, PerDay: s.auditEntries(ctx, tenant)})
}

func (s *Service) auditFault(ctx context.Context, action string, err error) {
	s.logger.LogAttrs(ctx, slog.LevelError, "fields of a change not recorded", slog.String("action", action), slog.Any("error", err))
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
	list, err := s.store.AuditEntries(ctx, f, fitted(ctx, page))
	if err != nil {
		return nil, err
	}
	names := make(keyNames)
	for _, e := range list.Items {
		if e.Actor.KeyName, err = names.of(ctx, s.store, cmp.Or(e.Actor.Key, e.Key)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// keyNames are the names of keys that were looked up for a page of a list.
type keyNames map[bellwire.KeyID]string

// of returns the name of a key, empty if it has none or was deleted.
func (n keyNames) of(ctx context.Context, store bellwire.Configuration, id bellwire.KeyID) (string, error) {
	name, known := n[id]
	if known || id.IsZero() {
		return name, nil
	}
	key, err := store.Key(ctx, id)
	switch {
	case err == nil:
		n[id] = key.Name
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		n[id] = ""
	default:
		return "", err
	}
	return n[id], nil
}
