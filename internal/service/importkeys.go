package service

import (
	"cmp"
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// ImportedKey is a key of another system. It has a Secret, or the SHA-256 of one.
type ImportedKey struct {
	NewKey
	Tenant    string
	CreatedAt time.Time // zero: now
}

// Key imports a key.
func (i *Import) Key(ctx context.Context, line int, in ImportedKey) error {
	unchanged, err := i.key(ctx, line, &in)
	return i.done(ctx, ImportKey, unchanged, err)
}

func (i *Import) key(ctx context.Context, line int, in *ImportedKey) (unchanged bool, err error) {
	var (
		held   *bellwire.Limits
		nobody error
	)
	if in.Tenant != "" {
		held, nobody = i.requireImportTenant(ctx, in.Tenant)
	}
	key, err := i.service.importedKey(ctx, in)
	if err := bellwire.Join(nobody, err); err != nil {
		return false, err
	}
	stored, err := i.storedKey(ctx, line, key, in.ID)
	if err != nil {
		return false, err
	}
	if stored != nil {
		if stored.Tenant != key.Tenant {
			return false, bellwire.Errorf(bellwire.CodeConflict, "the id or the secret is that of the key %s of another owner", stored.ID)
		}
		was, is := fieldsOfKey(stored), fieldsOfKey(key)
		was["secret"], is["secret"] = stored.Hash, key.Hash
		return true, differing("key", was, is)
	}
	if held != nil {
		usage, err := i.usage(ctx, in.Tenant)
		if err := cmp.Or(err, checkUsage(limits.Keys, held, usage.Keys)); err != nil {
			return false, err
		}
		if i.dryRun {
			more := i.coming.more[in.Tenant]
			more.Keys++
			i.coming.more[in.Tenant] = more
		}
	}
	if i.checks(ctx) {
		return false, nil
	}
	if err := i.service.store.CreateKey(ctx, key); err != nil {
		return false, err
	}
	i.service.forget(key.Tenant)
	return false, nil
}

// usage returns what a tenant has, with what a dry run would have created for it.
func (i *Import) usage(ctx context.Context, tenant string) (bellwire.Usage, error) {
	more := i.coming.more[tenant]
	if i.coming.tenants[tenant] != nil {
		return more, nil
	}
	has, err := i.service.store.Usage(ctx, tenant)
	if err != nil {
		return more, err
	}
	return bellwire.Usage{Keys: has.Keys + more.Keys, Endpoints: has.Endpoints + more.Endpoints, Configuration: has.Configuration + more.Configuration}, nil
}

// importedKey returns the key of a line.
func (s *Service) importedKey(ctx context.Context, in *ImportedKey) (*bellwire.Key, error) {
	faults := []error{
		checkLine("name", in.Name, bellwire.MaxNameLength), checkRole(in.Tenant, in.Role), checkOwnSecret(&in.NewKey), s.checkScopes(in.Role, in.Scopes), checkImportTime(in.CreatedAt), checkSecretHash(&in.NewKey),
	}
	if in.Secret == "" && in.SecretSHA256 == nil {
		faults = append(faults, bellwire.Invalid("secret", "is required, or secret_sha256"))
	}
	if err := bellwire.Join(faults...); err != nil {
		return nil, err
	}
	key := &bellwire.Key{ID: in.ID, Tenant: in.Tenant, Name: in.Name, Role: in.Role, Scopes: bellwire.ScopesOf(in.Scopes), CreatedAt: now(), ExpiresAt: in.ExpiresAt}
	if !in.CreatedAt.IsZero() {
		key.CreatedAt = bellwire.StoredTime(in.CreatedAt)
	}
	if key.ID.IsZero() {
		key.ID = bellwire.NewID[bellwire.KeyKind](key.CreatedAt)
	}
	return key, s.setSecret(ctx, key, &in.NewKey)
}

// storedKey returns the stored key with the id or the secret of a line, nil if there is none. id is zero if the line has none.
func (i *Import) storedKey(ctx context.Context, line int, key *bellwire.Key, id bellwire.KeyID) (*bellwire.Key, error) {
	if before, again := i.seen(line, "secret "+string(key.Hash[:])); again {
		return nil, bellwire.Invalid("secret", "is that of the key in line %d, too", before)
	}
	if !id.IsZero() {
		if err := i.first(line, ImportKey, id.String()); err != nil {
			return nil, err
		}
		stored, err := i.service.store.Key(ctx, id)
		if bellwire.CodeOf(err) != bellwire.CodeNotFound {
			return stored, err
		}
	}
	stored, err := i.service.store.KeyByHash(ctx, key.Hash)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return nil, nil
	case err == nil && !id.IsZero():
		return nil, bellwire.Invalid("secret", "is that of the key %s", stored.ID)
	}
	return stored, err
}
