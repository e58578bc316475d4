package service

import (
	"context"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Speaker is the use cases as the management API of one dialect has them. Endpoints of other dialects are not there.
type Speaker struct {
	service *Service
	dialect string
}

// Speaker returns the use cases of a dialect.
func (s *Service) Speaker(dialect string) *Speaker { return &Speaker{service: s, dialect: dialect} }

// Known is an endpoint as its own dialect shows it: with the secret that deliveries are signed with. Callers who may not see
// it get it redacted, and the URL without what may be a secret in it. The secret members of Auth are left out.
type Known struct {
	bellwire.Endpoint
	Secret string // empty if the dialect has none
	Auth   bellwire.Auth
}

// TenantOf returns the tenant whose endpoints a caller manages where the API does not name one. CodeForbidden: the
// caller is an operator.
func TenantOf(c Caller) (string, error) {
	if c.Tenant == "" {
		return "", bellwire.Errorf(bellwire.CodeForbidden, "This key belongs to no customer; use a customer's key.")
	}
	return c.Tenant, nil
}

// Permit is service.Permit in words for a vendor's customers, who know keys and no roles.
func (d *Speaker) Permit(c Caller, need Permission, tenant string) error {
	err := Permit(c, need, tenant)
	if bellwire.CodeOf(err) == bellwire.CodeForbidden {
		return bellwire.Wrap(bellwire.CodeForbidden, err, "This key may not do this; use one that may.")
	}
	return err
}

// HasTenant reports whether there is a tenant, to operators: to a tenant's caller other tenants do not exist.
func (d *Speaker) HasTenant(ctx context.Context, c Caller, tenant string) (bool, error) {
	err := d.service.enter(ctx, c, Read, tenant)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}

// Create creates an endpoint of the dialect.
func (d *Speaker) Create(ctx context.Context, c Caller, tenant string, in EndpointInput) (*Known, error) {
	in.Dialect = &d.dialect
	ep, credentials, err := d.service.createEndpoint(ctx, c, tenant, &in)
	if err != nil {
		return nil, err
	}
	return known(c, ep, credentials), nil
}

// List returns the tenant's endpoints of the dialect, oldest first, without metadata, which no vendor has. There are at most as
// many as a tenant may have.
func (d *Speaker) List(ctx context.Context, c Caller, tenant string) ([]*Known, error) {
	list := []*Known{}
	for page := (bellwire.Page{Limit: MaxPageLimit}); ; {
		endpoints, err := d.service.readEndpoints(ctx, c, tenant, page)
		if err != nil {
			return nil, err
		}
		for _, ep := range endpoints.Items {
			if ep.Dialect != d.dialect {
				continue
			}
			credentials, err := d.service.keyring.OpenCredentials(ep.ID, ep.Sealed)
			if err != nil {
				return nil, err
			}
			ep.Metadata = nil
			list = append(list, known(c, ep, credentials))
		}
		if endpoints.Next == "" {
			slices.Reverse(list)
			return list, nil
		}
		page.After = endpoints.Next
	}
}

// Get returns an endpoint.
func (d *Speaker) Get(ctx context.Context, c Caller, tenant, id string) (*Known, error) {
	ctx, end, err := d.service.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	ep, credentials, err := d.service.openEndpoint(ctx, tenant, id, d.dialect)
	if err != nil {
		return nil, err
	}
	return known(c, ep, credentials), nil
}

// Update changes an endpoint as decide says, which sees it as it is and may refuse by an error. It is asked again if
// somebody else has changed the endpoint meanwhile.
func (d *Speaker) Update(ctx context.Context, c Caller, tenant, id string, decide func(*Known) (EndpointInput, error)) (*Known, error) {
	ep, credentials, err := d.service.updateEndpoint(ctx, c, tenant, id, d.dialect,
		func(ep *bellwire.Endpoint, credentials *bellwire.Credentials) (*EndpointInput, error) {
			in, err := decide(known(c, ep, credentials))
			return &in, err
		})
	if err != nil {
		return nil, err
	}
	return known(c, ep, credentials), nil
}

// Delete deletes an endpoint, if check does not refuse it, and returns it as it was.
func (d *Speaker) Delete(ctx context.Context, c Caller, tenant, id string, check func(*Known) error) (*Known, error) {
	if err := d.service.enterToChange(ctx, c, tenant); err != nil {
		return nil, err
	}
	ep, credentials, err := d.service.openEndpoint(ctx, tenant, id, d.dialect)
	if err != nil {
		return nil, err
	}
	was := known(c, ep, credentials)
	if check != nil {
		if err := check(was); err != nil {
			return nil, err
		}
	}
	return was, d.service.deleteEndpoint(ctx, c, ep)
}

func known(c Caller, ep *bellwire.Endpoint, credentials *bellwire.Credentials) *Known {
	shown := show(ep, credentials)
	k := &Known{Endpoint: shown.Endpoint, Auth: shown.Auth}
	if len(credentials.Secrets) > 0 {
		k.Secret = credentials.Secrets[0].Value
	}
	if allows(c.Role, Change) {
		return k
	}
	k.URL, _ = maskURL(ep.URL)
	if k.Secret != "" {
		k.Secret = bellwire.Redacted
	}
	return k
}

// Types returns the event types of a group that are not archived, or of all groups if group is empty, in the order in
// which they came into the catalogue.
func (d *Speaker) Types(ctx context.Context, c Caller, group string) ([]*bellwire.EventType, error) {
	if err := authorize(c, ReadCatalogue); err != nil {
		return nil, err
	}
	catalogue, err := d.service.directory.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	var types []*bellwire.EventType
	for _, name := range catalogue.Names() {
		if t, _ := catalogue.Type(name); !t.Archived && (group == "" || t.Group == group) {
			types = append(types, &t.EventType)
		}
	}
	slices.SortStableFunc(types, func(a, b *bellwire.EventType) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return types, nil
}

// Trigger publishes an event for what a tenant did in the sandbox. CodeForbidden: this is no sandbox.
func (d *Speaker) Trigger(ctx context.Context, c Caller, tenant string, draft Draft) (Receipt, error) {
	if err := d.service.enter(ctx, c, Change, tenant); err != nil {
		return Receipt{}, err
	}
	if !d.service.sandbox {
		return Receipt{}, bellwire.Errorf(bellwire.CodeForbidden, "This server is no sandbox; events are published by the platform.")
	}
	return d.service.publish(ctx, c, tenant, draft)
}
