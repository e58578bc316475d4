package service

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Endpoint imports an endpoint. in.Origins must have an id.
func (i *Import) Endpoint(ctx context.Context, line int, tenant string, in EndpointInput) error {
	unchanged, err := i.endpoint(ctx, line, tenant, &in)
	return i.done(ctx, ImportEndpoint, unchanged, err)
}

func (i *Import) endpoint(ctx context.Context, line int, tenant string, in *EndpointInput) (unchanged bool, err error) {
	held, err := i.requireImportTenant(ctx, tenant)
	if err != nil {
		return false, err
	}
	if in.Origins == nil {
		in.Origins = new(Origins)
	}
	var nameless error
	if in.Origins.ID == "" {
		nameless = bellwire.Invalid("id", "is required, so that the same line can be imported again")
	}
	single := in.Secret != nil && in.Origins.Secrets == nil
	if single {
		in.Origins.Secrets, in.Secret = []bellwire.Secret{{Value: *in.Secret}}, nil
	}
	in.coming, in.held = &i.coming, held
	in.Unlisted = slices.AppendSeq(in.Unlisted, maps.Keys(i.coming.types))
	ep, credentials, err := i.service.newEndpoint(ctx, i.caller, tenant, in)
	if err := bellwire.Join(nameless, err); err != nil {
		return false, renameFields(err, func(field string) string {
			if single && field == "secrets[0].secret" {
				return "secret"
			}
			return field
		})
	}
	if err := i.first(line, ImportEndpoint, ep.ID); err != nil {
		return false, err
	}
	stored, err := i.service.store.Endpoint(ctx, ep.ID)
	switch {
	case err == nil && (stored.Tenant != tenant || stored.Deleted):
		return false, bellwire.Invalid("id", "is that of another tenant's endpoint, or of one that was deleted")
	case err == nil:
		return true, i.compareEndpoint(ctx, stored, ep, credentials, in)
	case bellwire.CodeOf(err) != bellwire.CodeNotFound:
		return false, err
	}
	if left := in.Origins.LeftOut; len(left) > 0 {
		return false, bellwire.Invalid("left_out", "names what the export did not have (%s), so that the endpoint cannot be created as it was; export with secrets, "+
			"or remove left_out to create the endpoint without that and with a new secret", strings.Join(left, ", "))
	}
	usage, err := i.usage(ctx, tenant)
	if err != nil {
		return false, err
	}
	bytes := configurationBytes(ep)
	if err := cmp.Or(checkUsage(limits.Endpoints, held, usage.Endpoints), checkConfigurationBytes(held, usage.Configuration+bytes)); err != nil {
		return false, err
	}
	if i.coming.tenants[tenant] == nil {
		if err := i.service.checkRoom(ctx, ep, nil); err != nil {
			return false, err
		}
	}
	if i.checks(ctx) {
		more := i.coming.more[tenant]
		more.Endpoints++
		more.Configuration += bytes
		i.coming.more[tenant] = more
		return false, nil
	}
	note, err := i.caller.created(ctx, ep, credentials)
	if err != nil {
		return false, err
	}
	note.Quiet = true // nobody created it now
	if err := i.service.store.CreateEndpoint(ctx, ep, note); err != nil {
		return false, err
	}
	i.service.directory.ForgetEndpoint(ep.ID)
	i.service.directory.ForgetTenant(ep.Tenant)
	i.service.engine.Refresh(ep.ID)
	return false, nil
}

// compareEndpoint returns an error if a stored endpoint differs from the one of a line. Secrets and private keys that the line does not
// give, and the reason of a status, are not compared.
func (i *Import) compareEndpoint(ctx context.Context, stored, given *bellwire.Endpoint, credentials *bellwire.Credentials, in *EndpointInput) error {
	had, err := i.service.keyring.OpenCredentials(stored.ID, stored.Sealed)
	if err != nil {
		return err
	}
	withKeys := slices.ContainsFunc(in.Origins.Secrets, func(s bellwire.Secret) bool { return s.PrivateKey != "" })
	was, is := comparedEndpoint(stored, had, withKeys), comparedEndpoint(given, credentials, withKeys)
	if was["versions"], err = i.service.effectiveVersions(ctx, stored); err != nil {
		return err
	}
	if is["versions"], err = i.service.effectiveVersions(ctx, given); err != nil {
		return err
	}
	but := append([]string{"status_reason"}, in.Origins.LeftOut...)
	if in.Secret == nil && in.Origins.Secrets == nil {
		but = append(but, "secrets")
	}
	if in.Origins.CreatedAt.IsZero() {
		but = append(but, "created_at")
	}
	return differing("endpoint", was, is, but...)
}

// comparedEndpoint returns the fields of an endpoint with its secrets, with or without their private keys. Only differing sees them.
func comparedEndpoint(ep *bellwire.Endpoint, c *bellwire.Credentials, withKeys bool) map[string]any {
	m := fieldsOf(ep, c)
	m.values["created_at"] = ep.CreatedAt.UTC()
	m.values["auth"] = m.secrets["auth"] + strings.Join([]string{string(c.Auth.Type), c.Auth.Header, c.Auth.Username}, "\x00")
	headers, secrets := make(map[string]string), []string{}
	for _, h := range c.Headers {
		headers[h.Name] = h.Value
	}
	for _, s := range c.Secrets {
		text := s.Value + " " + bellwire.StoredTime(s.ExpiresAt).String()
		if withKeys {
			text += " " + s.PrivateKey
		}
		secrets = append(secrets, text)
	}
	m.values["headers"], m.values["secrets"] = headers, secrets
	return m.values
}

// limitsFor returns the limits of the endpoint's tenant, which may not be stored yet.
func (s *Service) limitsFor(ctx context.Context, tenant string, in *EndpointInput) (*bellwire.Limits, error) {
	if in.held != nil {
		return in.held, nil
	}
	return s.directory.Limits(ctx, tenant)
}

// groupOf returns the group of an event type, also of one that is not stored yet.
func (c *coming) groupOf(stored func(string) string) func(string) string {
	if c == nil {
		return stored
	}
	return func(name string) string {
		if group, found := c.types[name]; found {
			return group
		}
		return stored(name)
	}
}

// newestOf returns the newest version of an event type that is not stored yet, 0 if it is not among them.
func (c *coming) newestOf(name string) int {
	if c == nil {
		return 0
	}
	return c.newest[name]
}

// isComing reports whether the tenant is not stored yet.
func (c *coming) isComing(tenant string) bool { return c != nil && c.tenants[tenant] != nil }
