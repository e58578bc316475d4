package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// PutTenant creates the tenant with the given id, or replaces its name, metadata, limits and settings of dialects. The status and
// OperationalEvents stay if the input does not have them. It reports whether the tenant was created.
func (s *Service) PutTenant(ctx context.Context, c Caller, in NewTenant) (t *bellwire.Tenant, created bool, err error) {
	return put(ctx, "tenant", func() (*bellwire.Tenant, error) {
		return s.UpdateTenant(ctx, c, in.ID, TenantChange{Name: &in.Name, Metadata: &in.Metadata, Limits: in.Limits, ResetLimits: true,
			Status: in.Status, StatusReason: in.StatusReason, OperationalEvents: in.OperationalEvents, Dialects: in.Dialects, ResetDialects: true})
	}, func() (*bellwire.Tenant, error) {
		return s.CreateTenant(ctx, c, in)
	})
}

// put replaces something, or creates it if it does not exist. Another request may create it in between.
func put[T any](ctx context.Context, kind string, replace, create func() (T, error)) (v T, created bool, err error) {
	if v, err = replace(); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		return v, false, err
	}
	if err := checkMayCreate(ctx, kind); err != nil {
		return v, false, err
	}
	v, err = create()
	if bellwire.CodeOf(err) != bellwire.CodeConflict {
		return v, true, err
	}
	again, err2 := replace()
	if bellwire.CodeOf(err2) == bellwire.CodeNotFound {
		return v, false, err // the conflict is about something else, such as a limit or another tenant's endpoint
	}
	return again, false, err2
}

// withSecret is an endpoint with its secrets.
type withSecret struct {
	endpoint *Endpoint
	secret   *EndpointSecret
}

// PutEndpoint creates the endpoint with the given id, or replaces all its settings. Of an endpoint that exists, the dialect with
// its settings, the status with its reason, the secrets and the versions of event types stay if the input does not have them.
// It reports whether the endpoint was created.
func (s *Service) PutEndpoint(ctx context.Context, c Caller, tenant, id string, in EndpointInput) (ep *Endpoint, secret *EndpointSecret, created bool, err error) {
	if err := authorizeIn(c, Change, tenant); err != nil {
		return nil, nil, false, err
	}
	in.id = id
	v, created, err := put(ctx, "endpoint", func() (withSecret, error) {
		updated, err := s.updateEndpoint(ctx, c, tenant, id, anyDialect, func(ep *bellwire.Endpoint, _ *bellwire.Credentials) (*EndpointInput, error) {
			return s.completed(ctx, ep, in)
		})
		if err != nil {
			return withSecret{}, err
		}
		ep, credentials := updated.endpoint, updated.credentials
		return withSecret{showTo(c, ep, credentials), s.revealedTo(c, ep, credentials, ep.UpdatedAt)}, nil
	}, func() (withSecret, error) {
		ep, secret, err := s.CreateEndpoint(ctx, c, tenant, in)
		return withSecret{ep, secret}, err
	})
	return v.endpoint, v.secret, created, err
}

// completed returns the input with the defaults of everything that it does not have, as for a new endpoint.
func (s *Service) completed(ctx context.Context, ep *bellwire.Endpoint, in EndpointInput) (*EndpointInput, error) {
	var faults []error
	if in.URL == nil {
		faults = append(faults, bellwire.Invalid("url", "is required"))
	}
	if in.Events == nil {
		faults = append(faults, bellwire.Invalid("events", "is required"))
	}
	name := ep.Dialect
	if in.Dialect != nil {
		name = *in.Dialect
	}
	dialect, err := s.dialect(name)
	if err := bellwire.Join(append(faults, err)...); err != nil {
		return nil, err
	}
	defaults, err := s.defaults(ctx, ep.Tenant, dialect, &in)
	if err != nil {
		return nil, err
	}
	auth, err := s.defaultAuth(ctx, ep.Tenant, name, &in)
	if err != nil {
		return nil, err
	}
	in.NoRateLimit = in.RateLimit == nil
	orDefault(&in.Description, "")
	orDefault(&in.Filter, "")
	orDefault(&in.OnError, bellwire.OnErrorDeliver)
	orDefault(&in.Retry, defaults.Retry)
	orDefault(&in.Auth, auth)
	orDefault(&in.Headers, nil)
	orDefault(&in.MaxInFlight, bellwire.DefaultMaxInFlight)
	orDefault(&in.Timeout, defaults.Timeout)
	orDefault(&in.AutoDisableAfter, defaults.AutoDisableAfter)
	orDefault(&in.Ordering, bellwire.OrderingNone)
	orDefault(&in.Signing, bellwire.SigningHMAC)
	orDefault(&in.Metadata, nil)
	return &in, nil
}

func orDefault[T any](p **T, value T) {
	if *p == nil {
		*p = &value
	}
}

// checkEndpointID refuses ids of a caller's own for endpoints. Ids are unique over all tenants. So that one tenant cannot take the
// ids that another would choose, tenants' ids must have the form of generated ones, which nobody guesses.
func checkEndpointID(c Caller, d bellwire.Dialect, id string) error {
	if c.may(Manage) {
		return bellwire.CheckEndpointID(id)
	}
	if example := d.NewEndpointID(now()); !sameForm(example, id) {
		return bellwire.Invalid("id", "must have the form of %s, such as a new random one; only admin keys can choose others", example)
	}
	return nil
}

// sameForm reports whether an id has the same prefix as a generated one, and hex digits and hyphens in the same places.
func sameForm(generated, id string) bool {
	prefix := generated[:strings.LastIndexByte(generated, '_')+1]
	if len(id) != len(generated) || !strings.HasPrefix(id, prefix) {
		return false
	}
	for i := len(prefix); i < len(id); i++ {
		if isHex := strings.IndexByte("0123456789abcdef", id[i]) >= 0; generated[i] == '-' && id[i] != '-' || generated[i] != '-' && !isHex {
			return false
		}
	}
	return true
}

// Origins are what an endpoint had on another server. Only admin keys can set them.
type Origins struct {
	ID           string
	CreatedAt    time.Time
	UpdatedAt    time.Time
	StatusReason string
	Secrets      []bellwire.Secret // newest first; all but the newest expire
	LeftOut      []string          // fields that the endpoint had, and that the input does not have; only imports take them
}

// moved applies what a new endpoint had on another server.
func (s *Service) moved(c Caller, d bellwire.Dialect, ep *bellwire.Endpoint, credentials *bellwire.Credentials, in *EndpointInput) error {
	if in.id != "" {
		ep.ID = in.id
		if err := checkEndpointID(c, d, ep.ID); err != nil {
			return err
		}
	}
	from := in.Origins
	if from == nil {
		return nil
	}
	if !c.may(Manage) {
		return bellwire.Errorf(bellwire.CodeForbidden, "only admin keys can choose id, created_at and secrets of an endpoint; PUT takes an id of your own")
	}
	var faults []error
	if from.ID != "" {
		ep.ID = from.ID
		faults = append(faults, bellwire.CheckEndpointID(ep.ID))
	}
	if !from.CreatedAt.IsZero() {
		ep.CreatedAt = bellwire.StoredTime(from.CreatedAt)
		if ep.CreatedAt.After(now()) {
			faults = append(faults, bellwire.Invalid("created_at", "must not be in the future"))
		}
	}
	if !from.UpdatedAt.IsZero() && (from.UpdatedAt.Before(ep.CreatedAt) || from.UpdatedAt.After(now())) {
		faults = append(faults, bellwire.Invalid("updated_at", "must not be before created_at or in the future"))
	}
	faults = append(faults, checkLines("status_reason", from.StatusReason, MaxDescriptionLength))
	if from.Secrets != nil && in.Secret != nil {
		faults = append(faults, bellwire.Invalid("secrets", "must not be given together with secret"))
	}
	credentials.Secrets = slices.Clone(from.Secrets)
	return bellwire.Join(append(faults, checkSecrets(d, credentials.Secrets))...)
}

// checkSecrets refuses secrets that an endpoint of the dialect cannot have, and marks those that do not have the form of its own.
func checkSecrets(d bellwire.Dialect, secrets []bellwire.Secret) error {
	var faults []error
	if most := maxSecretsOf(d); len(secrets) > most {
		faults = append(faults, bellwire.Invalid("secrets", "must have at most %d entries for the dialect %s", most, d.Name()))
	}
	for i := range secrets {
		secret := &secrets[i]
		field := fmt.Sprintf("secrets[%d]", i)
		if secret.PrivateKey != "" && d.PublicKey(*secret) == "" {
			faults = append(faults, bellwire.Invalid(field+".private_key", "must be whsk_ and the base64 of an ed25519 key"))
		}
		err := d.CheckSecret(secret.Value)
		if importer, ok := d.(bellwire.SecretImporter); ok && err != nil {
			err = importer.CheckImportedSecret(secret.Value)
			secret.Imported = err == nil
		}
		switch {
		case err != nil:
			faults = append(faults, inField(field+".secret", err))
		case i > 0 && secret.ExpiresAt.IsZero():
			faults = append(faults, bellwire.Invalid(field+".expires_at", "is required in all entries but the first, which is the newest"))
		case i == 0 && !secret.ExpiresAt.IsZero():
			faults = append(faults, bellwire.Invalid(field+".expires_at", "must not be given in the first entry, which is the newest"))
		}
	}
	return bellwire.Join(faults...)
}

func maxSecretsOf(d bellwire.Dialect) int {
	if d.Defaults().Overlap == 0 {
		return 1
	}
	return maxSecrets
}
