package service

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// SignatureWindow is the largest difference between the time of a signed request and the server's clock.
const SignatureWindow = 300 * time.Second

// maxNonce is the maximum length of a nonce.
const maxNonce = 128

// SignedRequest has the parameters of a request that is signed with the secret of a key.
type SignedRequest struct {
	Key   string // the key's id, in any form that ParseKeyID takes
	Nonce string // used once
	At    time.Time
}

// Claim is the unverified sender of a request whose signature covers its body.
type Claim struct {
	service *Service
	id      bellwire.KeyID
	request SignedRequest
	owner   string
}

// ClaimSigned checks what can be checked without the body of a signed request: its time, the form of its nonce, and whether the
// key exists and can sign. Its error has CodeUnauthenticated if any of these is wrong.
func (s *Service) ClaimSigned(ctx context.Context, r SignedRequest) (*Claim, error) {
	id, ok := ParseKeyID(r.Key)
	if !ok {
		return nil, errUnauthenticated()
	}
	if err := r.inWindow(); err != nil {
		return nil, err
	}
	if r.Nonce == "" || len(r.Nonce) > maxNonce {
		return nil, bellwire.Errorf(bellwire.CodeUnauthenticated, "the nonce must have 1 to %d characters", maxNonce)
	}
	if err := checkText("nonce", r.Nonce, maxNonce); err != nil {
		return nil, errUnauthenticated()
	}
	c := &Claim{service: s, id: id, request: r}
	claimed, err := s.confirmed(ctx, everybody, func() (Caller, *bellwire.Key, error) { return c.claimed(ctx) })
	if err != nil {
		return nil, err
	}
	c.owner = claimed.Owner()
	return c, nil
}

func (r *SignedRequest) inWindow() error {
	if off := now().Sub(r.At).Abs(); off > SignatureWindow {
		return bellwire.Errorf(bellwire.CodeUnauthenticated, "the request was signed too long ago, or in the future; check the clock")
	}
	return nil
}

// claimed returns the claimed sender and its key.
func (c *Claim) claimed(ctx context.Context) (Caller, *bellwire.Key, error) {
	key, err := c.service.directory.Key(ctx, c.id)
	if err != nil {
		return Caller{}, nil, unknownKey(err)
	}
	if key.Sealed == nil {
		return Caller{}, key, bellwire.Errorf(bellwire.CodeUnauthenticated, "this key cannot sign requests; use one that was created with hmac")
	}
	return callerOf(key), key, nil
}

// Owner returns the claimed owner, in the form of Caller.Owner.
func (c *Claim) Owner() string { return c.owner }

// Prove returns the caller that signed the request. verify reports whether the request was signed with the secret; it must compare
// in constant time, and must not retain the secret. It can be called twice. An invalid signature and a nonce that was used before are
// errors with CodeUnauthenticated. Nonces are stored, so that they cannot be reused on another node or after a restart.
func (c *Claim) Prove(ctx context.Context, verify func(secret string) bool) (Caller, error) {
	// Reading the body may have taken long.
	if err := c.request.inWindow(); err != nil {
		return Caller{}, err
	}
	s := c.service
	caller, err := s.confirmed(ctx, nobody, func() (Caller, *bellwire.Key, error) { return c.proven(ctx, verify) })
	if err != nil {
		return Caller{}, err
	}
	// The request stays valid until its time leaves the window, plus a second for times truncated to seconds.
	err = s.store.UseNonce(onBehalfOf(ctx, caller), c.id, c.request.Nonce, c.request.At.Add(SignatureWindow+time.Second))
	if bellwire.CodeOf(err) == bellwire.CodeConflict {
		return Caller{}, bellwire.Errorf(bellwire.CodeUnauthenticated, "the nonce was used before; use a new one for each request")
	}
	if err != nil {
		return Caller{}, err
	}
	return caller, nil
}

// proven returns the caller that signed the request, and its key.
func (c *Claim) proven(ctx context.Context, verify func(secret string) bool) (Caller, *bellwire.Key, error) {
	claimed, key, err := c.claimed(ctx)
	if err != nil {
		return claimed, key, err
	}
	secret, err := c.service.keyring.OpenKeySecret(c.id, key.Sealed)
	if err != nil {
		return Caller{}, nil, err
	}
	if !verify(secret) {
		return Caller{}, key, bellwire.Errorf(bellwire.CodeUnauthenticated, "the signature of the request is not valid")
	}
	return c.service.admitKey(ctx, key)
}

// AuthenticateKey returns the caller with the given key id, in any form that ParseKeyID accepts, and secret.
func (s *Service) AuthenticateKey(ctx context.Context, id, secret string) (Caller, error) {
	want, ok := ParseKeyID(id)
	if !ok {
		return Caller{}, errUnauthenticated()
	}
	c, err := s.Authenticate(ctx, secret)
	if err != nil {
		return Caller{}, err
	}
	if c.Key != want {
		return Caller{}, errUnauthenticated()
	}
	return c, nil
}

// ParseKeyID parses a key's id: "key_" and 32 hex digits, or the same number as a UUID with or without hyphens.
func ParseKeyID(text string) (id bellwire.KeyID, ok bool) {
	digits, prefixed := strings.CutPrefix(text, "key_")
	if prefixed && len(digits) != hex.EncodedLen(len(id)) {
		return id, false
	}
	return parseUUID(digits)
}

// parseUUID parses a UUID with or without hyphens.
func parseUUID(text string) (id [16]byte, ok bool) {
	if len(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-' {
		text = text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
	}
	if len(text) != hex.EncodedLen(len(id)) {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err == nil
}

// TokenOrKey returns the caller of a credential that is a token, as verify says, or an API key: a key from another system can have the
// form of a token. A nil verify means that it can only be a key. Vendors call both a token.
func (s *Service) TokenOrKey(ctx context.Context, text string, verify func() (Caller, error)) (Caller, error) {
	var refusal error
	if verify != nil {
		c, err := verify()
		if code := bellwire.CodeOf(err); code != bellwire.CodeUnauthenticated && code != bellwire.CodeUnavailable {
			return c, err
		}
		refusal = err
	}
	c, err := s.Authenticate(ctx, text)
	switch {
	case bellwire.CodeOf(err) != bellwire.CodeUnauthenticated:
		return c, err
	case errors.Is(err, ErrKeyExpired):
		return Caller{}, bellwire.Wrap(bellwire.CodeUnauthenticated, err, "the token has expired")
	case refusal != nil:
		return Caller{}, refusal
	}
	return Caller{}, bellwire.Wrap(bellwire.CodeUnauthenticated, err, "the token is not valid")
}

// TrustTenant returns a caller of a tenant that a front end has authenticated itself, such as by a token of an issuer that the
// operator trusts. Its error has CodeForbidden if the tenant does not exist.
func (s *Service) TrustTenant(ctx context.Context, tenant string) (Caller, error) {
	c, err := s.trust(ctx, tenant)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return c, bellwire.Errorf(bellwire.CodeForbidden, "tenant %q does not exist", tenant)
	}
	return c, err
}

// trust returns a caller of a tenant. Its error has CodeNotFound if the tenant does not exist.
func (s *Service) trust(ctx context.Context, tenant string) (Caller, error) {
	if err := s.allow(ctx, limits.RequestRate, tenant); err != nil {
		return Caller{}, err
	}
	if _, err := s.store.Tenant(ctx, tenant); err != nil {
		return Caller{}, err
	}
	return Caller{Role: bellwire.RoleTenant, Tenant: tenant}, nil
}

// ProvisionTenant is TrustTenant, and creates the tenant if it does not exist.
func (s *Service) ProvisionTenant(ctx context.Context, tenant string) (Caller, error) {
	c, err := s.trust(ctx, tenant)
	if bellwire.CodeOf(err) != bellwire.CodeNotFound {
		return c, err
	}
	t, err := s.newTenant(ctx, NewTenant{ID: tenant})
	if err != nil {
		return Caller{}, err
	}
	creator := Caller{Role: bellwire.RoleTenant, Tenant: tenant}
	err = s.addTenant(onBehalfOf(ctx, creator), creator, t)
	switch bellwire.CodeOf(err) {
	case "":
	case bellwire.CodeConflict: // another request was faster
		s.directory.ForgetTenant(tenant)
	default:
		return Caller{}, err
	}
	return s.TrustTenant(ctx, tenant)
}

func callerOf(key *bellwire.Key) Caller {
	return Caller{Key: key.ID, Role: key.Role, Tenant: key.Tenant, Scopes: key.Scopes, key: key}
}

// unknownKey replaces a "not found" error, which would reveal which keys exist. It returns other errors unchanged.
func unknownKey(err error) error {
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return errUnauthenticated()
	}
	return err
}
