package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on exports. A page of events is in memory while it is written.
const (
	exportPage      = 1000
	ExportPageBytes = 1 << 20
	exportPatience  = time.Minute // for a read that is refused because too much else is read, or because the store does not answer
	exportPause     = time.Second // between two attempts at it
)

// exportOverlap is how much older than the options say the ids of exported events may be. An id begins with the time of the node that
// took the event, or at which it was published in the database, and the event may appear only after an earlier export has ended.
const exportOverlap = time.Hour

// ExportOptions choose what an export has.
type ExportOptions struct {
	Tenant   string    // only what belongs to this tenant; empty: everything
	Since    time.Time // only events that were accepted since, and those of the hour before; zero: all
	NoEvents bool
	Secrets  bool // with the secrets of endpoints, and of keys that sign requests
}

// ExportWriter takes what is exported, in an order in which it can be imported.
type ExportWriter interface {
	EventType(t *bellwire.EventType) error
	Key(k *ExportedKey) error
	Tenant(t *ExportedTenant) error
	Endpoint(ep *ExportedEndpoint) error
	Event(e *bellwire.Event) error
}

// ExportedKey is a key. Secret is empty unless the key can sign requests, and secrets are exported.
type ExportedKey struct {
	bellwire.Key
	Secret string
}

// ExportedTenant is a tenant. The authentications in its settings of dialects are whole if secrets are exported, and missing otherwise.
type ExportedTenant struct {
	bellwire.Tenant
	LeftOut []string // the fields that the tenant has, and that are not exported because they are secret
}

// ExportedEndpoint is an endpoint. Credentials is nil unless secrets are exported.
type ExportedEndpoint struct {
	bellwire.Endpoint
	Credentials *bellwire.Credentials // with secrets that still sign only
	LeftOut     []string              // the fields that the endpoint has, and that are not exported because they are secret
	Gets        map[string]int        // the versions that it has chosen, or gets while there are newer ones, by event type
	Unlisted    []string              // names of event types that it subscribes to, and that endpoints can no longer subscribe to
}

// Export is one export.
type Export struct {
	service *Service
	caller  Caller
	options ExportOptions
	began   time.Time
	to      ExportWriter
}

// BeginExport begins an export, and adds it to the audit log. Only one export runs at a time on a node. The caller must call End.
func (s *Service) BeginExport(ctx context.Context, c Caller, o ExportOptions) (*Export, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if o.Tenant != "" {
		if _, err := s.store.Tenant(ctx, o.Tenant); err != nil {
			return nil, err
		}
	}
	if !s.exporting.TryLock() {
		return nil, &bellwire.Error{
			Code: bellwire.CodeUnavailable, Message: "another export is running; try again when it has ended", RetryAfter: importRetryAfter,
		}
	}
	action := bellwire.AuditExport
	if o.Secrets {
		action = bellwire.AuditExportSecrets
	}
	if err := s.auditAction(ctx, c, o.Tenant, action, "exports"); err != nil {
		s.exporting.Unlock()
		return nil, err
	}
	return &Export{service: s, caller: c, options: o, began: now()}, nil
}

// End ends the export.
func (e *Export) End() { e.service.exporting.Unlock() }

// Write writes everything: the catalogue, the operator's keys, each tenant with its keys and endpoints, and then the events of each.
// What belongs to one tenant is read at one revision. Events that are accepted meanwhile are left out.
func (e *Export) Write(ctx context.Context, to ExportWriter) error {
	e.to = to
	if err := e.catalogue(ctx); err != nil {
		return err
	}
	if e.options.Tenant == "" {
		if err := e.keys(ctx, ""); err != nil {
			return err
		}
	}
	if err := e.tenants(ctx, e.tenant); err != nil {
		return err
	}
	if e.options.NoEvents {
		return nil
	}
	return e.tenants(ctx, e.events)
}

// readPage reads something once the caller may read, as long as its key is valid.
func readPage[T any](ctx context.Context, e *Export, read func(ctx context.Context) (T, error)) (v T, err error) {
	for deadline := time.Now().Add(exportPatience); ; {
		v, err = tryPage(ctx, e, read)
		code := bellwire.CodeOf(err)
		if code != bellwire.CodeRateLimited && code != bellwire.CodeUnavailable || time.Now().After(deadline) {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(exportPause):
		}
	}
}

func tryPage[T any](ctx context.Context, e *Export, read func(ctx context.Context) (T, error)) (v T, err error) {
	if err := e.service.StillValid(ctx, e.caller); err != nil {
		return v, err
	}
	reading, end, err := e.service.acquireRead(ctx, e.caller)
	if err != nil {
		return v, err
	}
	defer end()
	return read(reading)
}

// catalogue writes the event types, oldest first, without Bellwire's own.
func (e *Export) catalogue(ctx context.Context) error {
	all, err := readPage(ctx, e, func(ctx context.Context) (*bellwire.CatalogueChanges, error) {
		return e.service.store.CatalogueSince(ctx, 0)
	})
	if err != nil {
		return err
	}
	for _, t := range slices.Backward(all.Changed) {
		if bellwire.IsOperational(t.Name) {
			continue
		}
		if err := e.to.EventType(t); err != nil {
			return err
		}
	}
	return nil
}

// tenants calls write for each tenant, oldest first.
func (e *Export) tenants(ctx context.Context, write func(ctx context.Context, t *bellwire.Tenant) error) error {
	if id := e.options.Tenant; id != "" {
		t, err := readPage(ctx, e, func(ctx context.Context) (*bellwire.Tenant, error) { return e.service.store.Tenant(ctx, id) })
		if err != nil {
			return err
		}
		return write(ctx, t)
	}
	for page := (bellwire.Page{Limit: exportPage, Bytes: ExportPageBytes}); ; {
		list, err := readPage(ctx, e, func(ctx context.Context) (*bellwire.List[*bellwire.Tenant], error) {
			return e.service.store.OldestTenants(ctx, page)
		})
		if err != nil {
			return err
		}
		for _, t := range list.Items {
			if err := write(ctx, t); err != nil && !e.isGone(ctx, t, err) {
				return err
			}
		}
		if page.After = list.Next; page.After == "" {
			return nil
		}
	}
}

// isGone reports whether an error is that a tenant was deleted during the export.
func (e *Export) isGone(ctx context.Context, t *bellwire.Tenant, err error) bool {
	if bellwire.CodeOf(err) != bellwire.CodeNotFound {
		return false
	}
	_, err = e.service.store.Tenant(ctx, t.ID)
	return bellwire.CodeOf(err) == bellwire.CodeNotFound
}

// tenant writes a tenant with its keys and endpoints. The tenant of operational events exists everywhere, so it is not written itself.
func (e *Export) tenant(ctx context.Context, listed *bellwire.Tenant) error {
	type owned struct {
		tenant    *bellwire.Tenant
		endpoints []*bellwire.Endpoint
	}
	read, err := readPage(ctx, e, func(ctx context.Context) (o owned, err error) {
		o.tenant, o.endpoints, err = e.service.store.TenantEndpoints(ctx, listed.ID)
		return o, err
	})
	if err != nil {
		return err
	}
	if listed.ID != bellwire.OperationsTenant {
		exported, err := e.exportedTenant(read.tenant)
		if err != nil {
			return err
		}
		if err := e.to.Tenant(exported); err != nil {
			return err
		}
	}
	if err := e.keys(ctx, listed.ID); err != nil {
		return err
	}
	for _, ep := range slices.Backward(read.endpoints) {
		if err := e.endpoint(ctx, ep); err != nil {
			return err
		}
	}
	return nil
}

func (e *Export) exportedTenant(t *bellwire.Tenant) (*ExportedTenant, error) {
	exported := &ExportedTenant{Tenant: *t}
	opened, err := e.service.openAuths(t.ID, t.Dialects)
	if err != nil {
		return nil, err
	}
	exported.Dialects = opened
	if e.options.Secrets {
		return exported, nil
	}
	exported.Dialects = withoutAuths(opened, func(name string) bool {
		exported.LeftOut = append(exported.LeftOut, authField(name))
		return true
	})
	slices.Sort(exported.LeftOut)
	return exported, nil
}

// keys writes the keys of a tenant, or the operator's if tenant is empty, oldest first.
func (e *Export) keys(ctx context.Context, tenant string) error {
	var all []*bellwire.Key
	for page := (bellwire.Page{Limit: exportPage}); ; {
		list, err := readPage(ctx, e, func(ctx context.Context) (*bellwire.List[*bellwire.Key], error) {
			return e.service.store.Keys(ctx, tenant, page)
		})
		if err != nil {
			return err
		}
		all = append(all, list.Items...)
		if page.After = list.Next; page.After == "" {
			break
		}
	}
	for _, k := range slices.Backward(all) {
		exported := &ExportedKey{Key: *k}
		if k.Sealed != nil && e.options.Secrets {
			secret, err := e.service.keyring.OpenKeySecret(k.ID, k.Sealed)
			if err != nil {
				return err
			}
			exported.Secret = secret
		}
		if err := e.to.Key(exported); err != nil {
			return err
		}
	}
	return nil
}

func (e *Export) endpoint(ctx context.Context, ep *bellwire.Endpoint) error {
	credentials, err := e.service.keyring.OpenCredentials(ep.ID, ep.Sealed)
	if err != nil {
		return err
	}
	exported := &ExportedEndpoint{Endpoint: *ep}
	exported.Sealed = nil
	versions, err := e.service.versionsOf(ctx, ep, func(string) bool { return true })
	if err != nil {
		return err
	}
	exported.Gets = make(map[string]int, len(versions))
	for _, v := range versions {
		if v.Chosen || v.Version != v.Newest { // an endpoint that is created from the export gets the newest ones
			exported.Gets[v.EventType] = v.Version
		}
	}
	if exported.Unlisted, err = e.unlisted(ctx, ep); err != nil {
		return err
	}
	if e.options.Secrets {
		exported.Credentials = credentials
		credentials.Secrets = e.living(ep.Dialect, credentials.Secrets)
		return e.to.Endpoint(exported)
	}
	for _, field := range []struct {
		name string
		is   bool
	}{
		{"secrets", len(credentials.Secrets) > 0},
		{"auth", credentials.Auth.Type != "" && credentials.Auth.Type != bellwire.AuthNone},
		{"headers", len(credentials.Headers) > 0},
	} {
		if field.is {
			exported.LeftOut = append(exported.LeftOut, field.name)
		}
	}
	return e.to.Endpoint(exported)
}

// living returns the secrets that still sign, with what the dialect uses of them.
func (e *Export) living(dialect string, secrets []bellwire.Secret) (living []bellwire.Secret) {
	d := e.service.dialects[dialect]
	for _, s := range secrets {
		if !s.Signs(e.began) {
			continue
		}
		if d != nil && d.PublicKey(s) == "" {
			s.PrivateKey = "" // it is from another dialect
		}
		living = append(living, s)
	}
	return living
}

// unlisted returns the event types of an endpoint that the catalogue does not have any more, or has archived.
func (e *Export) unlisted(ctx context.Context, ep *bellwire.Endpoint) (names []string, err error) {
	catalogue, err := e.service.directory.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range ep.Events {
		if strings.HasSuffix(name, "*") {
			continue
		}
		if t, known := catalogue.Type(name); !known || t.Archived {
			names = append(names, name)
		}
	}
	return names, nil
}

// events writes the events of a tenant that were accepted before the export began, oldest first, without those of tests.
func (e *Export) events(ctx context.Context, t *bellwire.Tenant) error {
	filter := bellwire.EventFilter{Tenant: t.ID, Until: e.began, OldestFirst: true}
	if !e.options.Since.IsZero() {
		filter.Since = e.options.Since.Add(-exportOverlap)
	}
	for page := (bellwire.Page{Limit: exportPage, Bytes: ExportPageBytes}); ; {
		list, err := readPage(ctx, e, func(ctx context.Context) (*bellwire.List[*bellwire.Event], error) {
			return e.service.store.Events(ctx, filter, page)
		})
		if err != nil {
			return err
		}
		for _, event := range list.Items {
			if event.Test {
				continue
			}
			if err := e.to.Event(event); err != nil {
				return err
			}
		}
		if page.After = list.Next; page.After == "" {
			return nil
		}
	}
}
