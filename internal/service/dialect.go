package service

import (
	"context"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// DialectService is the Service as seen by the management API of one dialect: endpoints of other dialects do not exist.
type DialectService struct {
	service  *Service
	dialect  string
	recorded bool // the front end calls Record before each request
}

// ForDialect returns the Service restricted to the endpoints of a dialect.
func (s *Service) ForDialect(dialect string) *DialectService {
	return &DialectService{service: s, dialect: dialect}
}

// Recorded returns d for a front end that calls Record before each request, so that disclosed secrets need no entry of their own.
func (d *DialectService) Recorded() *DialectService {
	d.recorded = true
	return d
}

// EndpointView is an endpoint as its own dialect shows it, with its signing secret. For callers that may not see secrets, the
// secret is redacted and the URL is masked. The secret fields of Auth are always empty.
type EndpointView struct {
	bellwire.Endpoint
	Secret string // empty if the dialect has none
	Auth   bellwire.Auth
}

// HasTenant reports whether a tenant exists. For a tenant's caller, other tenants do not.
func (d *DialectService) HasTenant(ctx context.Context, c Caller, tenant string) (bool, error) {
	err := d.service.requireTenant(ctx, c, Read, tenant)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}

// Create creates an endpoint of the dialect.
func (d *DialectService) Create(ctx context.Context, c Caller, tenant string, in EndpointInput) (*EndpointView, error) {
	in.Dialect, in.vendor = &d.dialect, true
	ep, credentials, err := d.service.createEndpoint(ctx, c, tenant, &in)
	if err != nil {
		return nil, err
	}
	return viewOf(c, ep, credentials), nil
}

// List returns the tenant's endpoints of the dialect, oldest first. Their metadata is left out, because no vendor has it.
func (d *DialectService) List(ctx context.Context, c Caller, tenant string) ([]*EndpointView, error) {
	list := []*EndpointView{}
	for page := (bellwire.Page{Limit: MaxPageLimit}); ; {
		endpoints, err := d.page(ctx, c, tenant, page)
		if err != nil {
			return nil, err
		}
		for _, ep := range endpoints.Items {
			credentials, err := d.service.keyring.OpenCredentials(ep.ID, ep.Sealed)
			if err != nil {
				return nil, err
			}
			ep.Metadata = nil
			list = append(list, viewOf(c, ep, credentials))
		}
		if endpoints.Next == "" {
			slices.Reverse(list)
			return list, d.disclose(ctx, c, tenant, "", list...)
		}
		page.After = endpoints.Next
	}
}

// page reads a page of the tenant's endpoints of the dialect.
func (d *DialectService) page(ctx context.Context, c Caller, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.Endpoint], error) {
	ctx, end, err := d.service.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	return d.service.store.Endpoints(ctx, bellwire.EndpointFilter{Tenant: tenant, Dialect: d.dialect, Now: now()}, fitted(ctx, page))
}

// Get returns an endpoint.
func (d *DialectService) Get(ctx context.Context, c Caller, tenant, id string) (*EndpointView, error) {
	ctx, end, err := d.service.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	ep, credentials, err := d.service.openEndpoint(ctx, tenant, id, d.dialect)
	if err != nil {
		return nil, err
	}
	view := viewOf(c, ep, credentials)
	return view, d.disclose(ctx, c, tenant, id, view)
}

// disclose adds to the audit log that the caller is shown secrets, if the views have any. id is empty for a list.
func (d *DialectService) disclose(ctx context.Context, c Caller, tenant, id string, views ...*EndpointView) error {
	shown := slices.ContainsFunc(views, func(v *EndpointView) bool { return v.Secret != "" && v.Secret != bellwire.Redacted })
	if !shown || d.recorded {
		return nil
	}
	return d.service.auditAction(ctx, c, tenant, bellwire.AuditReadSecret, id)
}

// Update changes an endpoint by the input that decide returns for its present state. An error of decide prevents the change.
// decide is called again if the endpoint was changed concurrently.
func (d *DialectService) Update(ctx context.Context, c Caller, tenant, id string, decide func(*EndpointView) (EndpointInput, error)) (*EndpointView, error) {
	updated, err := d.service.updateEndpoint(ctx, c, tenant, id, d.dialect,
		func(ep *bellwire.Endpoint, credentials *bellwire.Credentials) (*EndpointInput, error) {
			in, err := decide(viewOf(c, ep, credentials))
			in.vendor = true
			return &in, err
		})
	if err != nil {
		return nil, err
	}
	return viewOf(c, updated.endpoint, updated.credentials), nil
}

// Delete deletes an endpoint and returns its last state. An error of check, which may be nil, prevents it.
func (d *DialectService) Delete(ctx context.Context, c Caller, tenant, id string, check func(*EndpointView) error) (*EndpointView, error) {
	if err := d.service.requireChange(ctx, c, tenant); err != nil {
		return nil, err
	}
	ep, credentials, err := d.service.openEndpoint(ctx, tenant, id, d.dialect)
	if err != nil {
		return nil, err
	}
	was := viewOf(c, ep, credentials)
	if check != nil {
		if err := check(was); err != nil {
			return nil, err
		}
	}
	return was, d.service.deleteEndpoint(ctx, c, ep)
}

func viewOf(c Caller, ep *bellwire.Endpoint, credentials *bellwire.Credentials) *EndpointView {
	shown := show(ep, credentials)
	k := &EndpointView{Endpoint: shown.Endpoint, Auth: shown.Auth}
	if len(credentials.Secrets) > 0 {
		k.Secret = credentials.Secrets[0].Value
	}
	if c.may(ReadSecrets) {
		return k
	}
	k.URL, _ = bellwire.MaskURL(ep.URL)
	if k.Secret != "" {
		k.Secret = bellwire.Redacted
	}
	return k
}

// Types returns the event types of a group, or of all groups if group is empty, in the order of their creation. Archived types
// are left out, and so are Bellwire's own, which no vendor has.
func (d *DialectService) Types(ctx context.Context, c Caller, group string) ([]*bellwire.EventType, error) {
	if err := authorize(c, ReadCatalogue); err != nil {
		return nil, err
	}
	catalogue, err := d.service.directory.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	var types []*bellwire.EventType
	for _, name := range catalogue.Names() {
		if t, _ := catalogue.Type(name); !t.Archived && !bellwire.IsOperational(name) && (group == "" || t.Group == group) {
			types = append(types, &t.EventType)
		}
	}
	slices.SortStableFunc(types, func(a, b *bellwire.EventType) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return types, nil
}

// Trigger publishes an event of a tenant in the sandbox. Its error has CodeForbidden if the server is not a sandbox.
func (d *DialectService) Trigger(ctx context.Context, c Caller, tenant string, draft Draft) (Receipt, error) {
	if err := d.service.requireTenant(ctx, c, Change, tenant); err != nil {
		return Receipt{}, err
	}
	if !d.service.sandbox {
		return Receipt{}, bellwire.Errorf(bellwire.CodeForbidden, "this server is not a sandbox; the platform publishes the events")
	}
	return d.service.publish(ctx, c, tenant, draft)
}
