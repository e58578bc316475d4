package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/suggest"
)

// The secret of a key is "bwk_", the 32 hex digits of the key's id, "_" and the unpadded base64url of 32 random bytes. Keys are
// found by their id. Secrets of another form are from other systems; their keys are found by the SHA-256 of the secret.
const (
	secretPrefix = "bwk_"
	secretRandom = 32 // bytes
	secretIDEnd  = len(secretPrefix) + 2*len(bellwire.KeyID{})

	// of the secrets of other systems, in characters
	minForeignSecret = 8
	maxForeignSecret = 512
)

var secretLength = secretIDEnd + 1 + base64.RawURLEncoding.EncodedLen(secretRandom)

// NewKey describes a key to be created.
type NewKey struct {
	Name string
	Role bellwire.Role
	HMAC bool // store the secret, sealed, so that requests can be signed with it
	// Scopes restrict a tenant's key to these operations of a dialect's management API. Empty: no restriction.
	Scopes []string
	// ID and Secret are those that the key had on another server. Without them, new ones are made.
	ID           bellwire.KeyID
	Secret       string
	SecretSHA256 []byte    // instead of Secret
	ExpiresAt    time.Time // zero: never
}

// Key is a key without its secret.
type Key struct {
	ID         bellwire.KeyID
	Tenant     string // empty for keys of the operator
	Name       string
	Role       bellwire.Role
	HMAC       bool
	Scopes     bellwire.Scopes
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	LastUsedAt time.Time // to about a minute; zero: not known
}

// Authenticate returns the caller with the given secret. Its error has CodeUnauthenticated if no key has it.
func (s *Service) Authenticate(ctx context.Context, secret string) (Caller, error) {
	return s.confirmed(ctx, nobody, func() (Caller, *bellwire.Key, error) { return s.callerWith(ctx, secret) })
}

// AuthenticatePublisher is Authenticate from this node's cache for callers that may publish. Publish checks that the key still
// exists, together with everything else that must not have changed.
func (s *Service) AuthenticatePublisher(ctx context.Context, secret string) (Caller, error) {
	return s.confirmed(ctx, publishers, func() (Caller, *bellwire.Key, error) { return s.callerWith(ctx, secret) })
}

// Callers whose keys confirmed need not read again.
func nobody(Caller) bool       { return false }
func publishers(c Caller) bool { return c.may(Publish) }
func everybody(Caller) bool    { return true }

// confirmed returns the result of find, which authenticates a caller with a key that this node may have in its cache, and returns
// that key also if it refuses the caller because of it. If another node has deleted or replaced the key, find is called again. Callers
// that except selects are accepted without reading the key again.
func (s *Service) confirmed(ctx context.Context, except func(Caller) bool, find func() (Caller, *bellwire.Key, error)) (Caller, error) {
	c, key, err := find()
	if key == nil || !s.shared || err == nil && except(c) {
		return c, err
	}
	changed, failed := s.directory.KeyChanged(ctx, key, err == nil)
	if failed != nil {
		return Caller{}, failed
	}
	if changed {
		c, _, err = find()
	}
	return c, err
}

// callerWith returns the caller with a secret, and its key, which is nil if the configured admin key or no key was decisive.
func (s *Service) callerWith(ctx context.Context, secret string) (Caller, *bellwire.Key, error) {
	hash := sha256.Sum256([]byte(secret))
	if s.adminHash != nil && subtle.ConstantTimeCompare(hash[:], s.adminHash[:]) == 1 {
		return Caller{Role: bellwire.RoleAdmin}, nil, nil
	}
	key, err := s.keyOf(ctx, secret, hash)
	if err != nil {
		return Caller{}, nil, unknownKey(err)
	}
	if subtle.ConstantTimeCompare(hash[:], key.Hash[:]) == 0 {
		return Caller{}, key, errUnauthenticated()
	}
	return s.admitKey(ctx, key)
}

// admitKey returns the caller that has proven to have the secret of a key, and counts its request.
func (s *Service) admitKey(ctx context.Context, key *bellwire.Key) (Caller, *bellwire.Key, error) {
	if key.Expired(now()) {
		return Caller{}, key, errExpired(key)
	}
	s.keyUses.note(key.ID)
	c := callerOf(key)
	if err := s.allowRequest(ctx, c); err != nil {
		return Caller{}, nil, err
	}
	return c, key, nil
}

// keyOf returns the key that a secret can be that of. Its hash must still be compared.
func (s *Service) keyOf(ctx context.Context, secret string, hash [32]byte) (*bellwire.Key, error) {
	if id, ok := keyIDOf(secret); ok {
		return s.directory.Key(ctx, id)
	}
	if checkForeignSecret(secret) != nil {
		return nil, errUnauthenticated()
	}
	if id, ok := s.foreignKeys.find(hash); ok {
		key, err := s.directory.Key(ctx, id)
		if err == nil && key.Hash == hash || err != nil && bellwire.CodeOf(err) != bellwire.CodeNotFound {
			return key, err
		}
		s.foreignKeys.forget(hash) // another key may have the secret now
	}
	var key *bellwire.Key
	err := s.foreignKeys.lookups.Find(ctx, hash, func() (err error) {
		key, err = s.store.KeyByHash(ctx, hash)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.foreignKeys.add(hash, key.ID)
	return s.directory.Key(ctx, key.ID)
}

// ErrKeyExpired is the cause of the error for a key that has expired.
var ErrKeyExpired = errors.New("the key has expired")

func errExpired(key *bellwire.Key) error {
	err := bellwire.Wrap(bellwire.CodeUnauthenticated, ErrKeyExpired, "the API key has expired")
	err.Hint = "The key expired at " + key.ExpiresAt.UTC().Format(time.RFC3339) + ". Ask for a new one."
	return err
}

func keyIDOf(secret string) (id bellwire.KeyID, ok bool) {
	if len(secret) != secretLength || !strings.HasPrefix(secret, secretPrefix) || secret[secretIDEnd] != '_' {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(secret[len(secretPrefix):secretIDEnd]))
	return id, err == nil
}

// BootstrapAdmin creates the first admin key, whose secret is shown once, unless an admin key is configured or stored already.
func (s *Service) BootstrapAdmin(ctx context.Context) (secret string, created bool, err error) {
	if s.adminHash != nil {
		return "", false, nil
	}
	for page := (bellwire.Page{Limit: MaxPageLimit}); ; {
		keys, err := s.store.Keys(ctx, "", page)
		if err != nil {
			return "", false, err
		}
		for _, key := range keys.Items {
			if key.Role == bellwire.RoleAdmin {
				return "", false, nil
			}
		}
		if keys.Next == "" {
			break
		}
		page.After = keys.Next
	}
	_, secret, err = s.makeKey(ctx, nil, "", NewKey{Name: "first key", Role: bellwire.RoleAdmin})
	return secret, err == nil, err
}

// CreateKey creates a key of a tenant, or of the operator if tenant is empty. Its secret is returned here only.
func (s *Service) CreateKey(ctx context.Context, c Caller, tenant string, in NewKey) (key *Key, secret string, err error) {
	if err := s.requireKeys(ctx, c, tenant); err != nil {
		return nil, "", err
	}
	err = bellwire.Join(checkLine("name", in.Name, bellwire.MaxNameLength), checkRole(tenant, in.Role), checkExpiry(in.ExpiresAt), checkOwnSecret(&in), checkSecretHash(&in),
		s.checkScopes(in.Role, in.Scopes))
	if err != nil {
		return nil, "", err
	}
	made, secret, err := s.createKey(ctx, c, tenant, in)
	if err != nil {
		return nil, "", err
	}
	s.changed(ctx, c, "key.create", slog.String("tenant", tenant), slog.String("key", made.ID.String()))
	return s.viewKey(made), secret, nil
}

func checkExpiry(at time.Time) error {
	if !at.IsZero() && !at.After(now()) {
		return bellwire.Invalid("expires_at", "must be in the future")
	}
	return nil
}

// checkOwnSecret refuses a secret that callers cannot send, and an id that is not in it although it has Bellwire's form. It sets the
// id.
func checkOwnSecret(in *NewKey) error {
	if in.Secret == "" {
		return nil
	}
	if !strings.HasPrefix(in.Secret, secretPrefix) {
		return checkForeignSecret(in.Secret)
	}
	id, ok := keyIDOf(in.Secret)
	if _, err := base64.RawURLEncoding.Strict().DecodeString(in.Secret[min(secretIDEnd+1, len(in.Secret)):]); !ok || err != nil {
		return bellwire.Invalid("secret", "must not begin with bwk_, unless it has the form of Bellwire's secrets: bwk_, the 32 hex digits of the key's id, an underscore and 43 letters, digits, - or _")
	}
	if !in.ID.IsZero() && in.ID != id {
		return bellwire.Invalid("id", "must be the one in secret")
	}
	in.ID = id
	return nil
}

// checkForeignSecret refuses what cannot be sent as a credential.
func checkForeignSecret(secret string) error {
	if len(secret) < minForeignSecret || len(secret) > maxForeignSecret || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return bellwire.Invalid("secret", "must have %d to %d printable ASCII characters without spaces, or the form of Bellwire's secrets: bwk_, the 32 hex digits of the key's id, "+
			"an underscore and 43 letters, digits, - or _", minForeignSecret, maxForeignSecret)
	}
	return nil
}

func checkSecretHash(in *NewKey) error {
	switch {
	case in.SecretSHA256 == nil:
		return nil
	case in.Secret != "":
		return bellwire.Invalid("secret_sha256", "must not be given together with secret")
	case len(in.SecretSHA256) != sha256.Size:
		return bellwire.Invalid("secret_sha256", "must have 64 hex digits")
	case in.HMAC:
		return bellwire.Invalid("secret_sha256", "must not be given together with hmac, for which the secret itself is needed")
	}
	return nil
}

// checkRole refuses a role that a key of the tenant, or of the operator if tenant is empty, cannot have.
func checkRole(tenant string, role bellwire.Role) error {
	switch {
	case tenant == "" && (!role.Valid() || role.OfTenant()):
		return bellwire.Invalid("role", "must be %s; a key with another role must belong to a tenant",
			bellwire.OneOf([]bellwire.Role{bellwire.RoleAdmin, bellwire.RolePublisher}))
	case tenant != "" && role != bellwire.RoleTenant && role != bellwire.RoleTenantRead:
		return bellwire.Invalid("role", "must be %s; a key with another role must not belong to a tenant",
			bellwire.OneOf([]bellwire.Role{bellwire.RoleTenant, bellwire.RoleTenantRead}))
	}
	return nil
}

// Bounds on the scopes of a key.
const maxScopes = 32

// Scoped is a dialect whose management API knows scopes of keys.
type Scoped interface {
	// Scopes returns all scopes.
	Scopes() []string
}

// checkScopes refuses scopes that no dialect knows, and those that are given twice.
func (s *Service) checkScopes(role bellwire.Role, scopes []string) error {
	switch {
	case len(scopes) == 0:
		return nil
	case !role.OfTenant():
		return bellwire.Invalid("scopes", "must be left out for a key that does not belong to a tenant")
	case len(scopes) > maxScopes:
		return bellwire.Invalid("scopes", "must have at most %d entries", maxScopes)
	}
	var known []string
	for _, name := range slices.Sorted(maps.Keys(s.dialects)) {
		if d, ok := s.dialects[name].(Scoped); ok {
			known = append(known, d.Scopes()...)
		}
	}
	var faults []error
	for i, scope := range scopes {
		field := fmt.Sprintf("scopes[%d]", i)
		switch {
		case slices.Contains(scopes[:i], scope):
			faults = append(faults, bellwire.Invalid(field, "repeats %.128q", scope))
		case !slices.Contains(known, scope):
			faults = append(faults, bellwire.Invalid(field, "is not a scope of a dialect of this server%s", suggest.DidYouMean(scope, known)))
		}
	}
	return bellwire.Join(faults...)
}

// createKey creates a key within the limit of its tenant.
func (s *Service) createKey(ctx context.Context, c Caller, tenant string, in NewKey) (*bellwire.Key, string, error) {
	if tenant == "" {
		return s.makeKey(ctx, &c, "", in)
	}
	unlock, err := s.locks.lock(ctx, tenant)
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	held, err := s.directory.Limits(ctx, tenant)
	if err != nil {
		return nil, "", err
	}
	usage, err := s.store.Usage(ctx, tenant)
	if err != nil {
		return nil, "", err
	}
	if err := checkUsage(limits.Keys, held, usage.Keys); err != nil {
		return nil, "", err
	}
	return s.makeKey(ctx, &c, tenant, in)
}

// makeKey stores a new key. by is nil for a key that Bellwire makes itself.
func (s *Service) makeKey(ctx context.Context, by *Caller, tenant string, in NewKey) (*bellwire.Key, string, error) {
	key := &bellwire.Key{
		ID: in.ID, Tenant: tenant, Name: in.Name, Role: in.Role, Scopes: bellwire.ScopesOf(in.Scopes), CreatedAt: now(), ExpiresAt: in.ExpiresAt,
	}
	if key.ID.IsZero() {
		key.ID = bellwire.NewID[bellwire.KeyKind](key.CreatedAt)
	}
	switch {
	case in.Secret == "" && in.SecretSHA256 == nil:
		in.Secret = newSecret(key.ID)
	default:
		if err := s.checkNewHash(ctx, in.hash()); err != nil {
			return nil, "", err
		}
	}
	if err := s.setSecret(ctx, key, &in); err != nil {
		return nil, "", err
	}
	if by != nil {
		ctx = s.audit(ctx, *by, tenant, "key.create", key.ID.String(), nil, fieldsOfKey(key))
	}
	if err := s.store.CreateKey(ctx, key); err != nil {
		return nil, "", err
	}
	s.forget(tenant)
	return key, in.Secret, nil
}

// hash returns the SHA-256 of the secret.
func (in *NewKey) hash() [sha256.Size]byte {
	if in.SecretSHA256 != nil {
		return [sha256.Size]byte(in.SecretSHA256)
	}
	return sha256.Sum256([]byte(in.Secret))
}

// checkNewHash refuses the secret of another key, because callers with it would be either.
func (s *Service) checkNewHash(ctx context.Context, hash [sha256.Size]byte) error {
	key, err := s.store.KeyByHash(ctx, hash)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return nil
	case err != nil:
		return err
	}
	return bellwire.Errorf(bellwire.CodeConflict, "the secret is that of key %s", key.ID)
}

// setSecret sets the secret of a key, or its hash.
func (s *Service) setSecret(ctx context.Context, key *bellwire.Key, in *NewKey) (err error) {
	key.Hash = in.hash()
	if !in.HMAC {
		return nil
	}
	if err := s.maySeal(ctx); err != nil {
		return err
	}
	key.Sealed, err = s.keyring.SealKeySecret(key.ID, in.Secret)
	return err
}

func newSecret(id bellwire.KeyID) string {
	var random [secretRandom]byte
	rand.Read(random[:]) // never fails
	return secretPrefix + hex.EncodeToString(id[:]) + "_" + base64.RawURLEncoding.EncodeToString(random[:])
}

// Keys lists the keys of a tenant, or the operator's if tenant is empty.
func (s *Service) Keys(ctx context.Context, c Caller, tenant string, page bellwire.Page) (*bellwire.List[*Key], error) {
	if err := s.requireKeys(ctx, c, tenant); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	ctx, end, err := s.acquireReadOf(ctx, c, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	keys, err := s.store.Keys(ctx, tenant, fitted(ctx, page))
	if err != nil {
		return nil, err
	}
	return mapList(keys, s.viewKey), nil
}

// DeleteKey deletes a key of a tenant, or of the operator if tenant is empty.
func (s *Service) DeleteKey(ctx context.Context, c Caller, tenant string, id bellwire.KeyID) error {
	if err := s.requireKeys(ctx, c, tenant); err != nil {
		return err
	}
	key, err := s.store.Key(ctx, id)
	if err != nil {
		return err
	}
	if err := s.store.DeleteKey(s.audit(ctx, c, tenant, "key.delete", id.String(), fieldsOfKey(key), nil), tenant, id); err != nil {
		return err
	}
	s.forget(tenant)
	s.changed(ctx, c, "key.delete", slog.String("tenant", tenant), slog.String("key", id.String()))
	return nil
}

// fieldsOfKey returns what the audit log shows of a key.
func fieldsOfKey(k *bellwire.Key) map[string]any {
	fields := map[string]any{"name": k.Name, "role": k.Role, "hmac": k.Sealed != nil}
	if !k.ExpiresAt.IsZero() {
		fields["expires_at"] = k.ExpiresAt
	}
	if k.Scopes != "" {
		fields["scopes"] = k.Scopes.List()
	}
	return fields
}

// requireKeys checks that the caller may manage keys, and that the tenant exists unless it is empty.
func (s *Service) requireKeys(ctx context.Context, c Caller, tenant string) error {
	if tenant == "" {
		return authorize(c, Manage)
	}
	return s.requireTenant(ctx, c, Manage, tenant)
}

func (s *Service) viewKey(k *bellwire.Key) *Key {
	return &Key{
		ID: k.ID, Tenant: k.Tenant, Name: k.Name, Role: k.Role, HMAC: k.Sealed != nil, Scopes: k.Scopes,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, LastUsedAt: s.keyUses.of(k.ID, k.LastUsedAt),
	}
}
