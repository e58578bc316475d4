// Package token verifies JSON Web Tokens (RFC 7519) by which callers of a dialect's management API say which tenant they
// act for. Keys come from a JWKS, which is fetched again as it ages, or are one shared secret.
package token

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/bellwire/bellwire"
)

// Bounds of what is fetched, and when.
const (
	fetchTimeout = 5 * time.Second
	maxKeySet    = 1 << 20          // bytes
	maxAge       = 10 * time.Minute // after that the keys are fetched again
	minAge       = 10 * time.Second // for a key that is not known, they are not fetched more often than this
	maxToken     = 16 << 10         // bytes
	skew         = 30 * time.Second // between the issuer's clock and ours
	minSecret    = 32               // bytes of a shared secret (RFC 7518, 3.2)
)

// Config says what a Verifier takes. One of JWKSURL and Secret is set, and Audience.
type Config struct {
	JWKSURL     string // where the issuer publishes its public keys
	Secret      string // shared with the issuer, who signs by HS256, HS384 or HS512
	Audience    string // that tokens must be for
	TenantClaim string // that holds the tenant's id; "tenant" if empty
	Client      *http.Client
	Now         func() time.Time // nil: time.Now
}

// Verifier verifies tokens. It is safe for concurrent use, and fetches keys only when it is asked something.
type Verifier struct {
	config Config
	secret jwk.Key // nil: keys come from the JWKS

	mu      sync.Mutex
	keys    jwk.Set // nil: none were fetched yet
	fetched time.Time
	failure error // of the last fetch
}

// New makes a Verifier. It fetches nothing.
func New(c Config) (*Verifier, error) {
	if c.TenantClaim == "" {
		c.TenantClaim = "tenant"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: fetchTimeout}
	}
	v := &Verifier{config: c}
	switch {
	case (c.JWKSURL == "") == (c.Secret == ""):
		return nil, bellwire.Invalid("jwt", "Tokens are verified with either a JWKS or a shared secret; give one of them.")
	case c.Audience == "":
		return nil, bellwire.Invalid("jwt-audience", "Tokens of other services would be taken without an audience; give one.")
	case c.JWKSURL != "":
		u, err := url.Parse(c.JWKSURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, bellwire.Invalid("jwks-url", "It is an absolute http or https URL.")
		}
		return v, nil
	case len(c.Secret) < minSecret:
		return nil, bellwire.Invalid("jwt-secret", "It has at least %d bytes (RFC 7518, 3.2).", minSecret)
	}
	key, err := jwk.Import([]byte(c.Secret))
	if err != nil {
		return nil, bellwire.Errorf(bellwire.CodeInternal, "The shared secret cannot be used as a key.")
	}
	v.secret = key
	return v, nil
}

// Tenant returns the tenant that a token speaks for. CodeUnauthenticated: it is no token, is signed by nobody known, is for
// another audience, or is not valid now; CodeUnavailable: the keys could not be fetched.
func (v *Verifier) Tenant(ctx context.Context, text string) (string, error) {
	if len(text) > maxToken {
		return "", refuse("The token is too long.", nil)
	}
	payload, err := v.verify(ctx, []byte(text))
	if err != nil {
		return "", err
	}
	token, err := jwt.ParseInsecure(payload)
	if err != nil {
		return "", refuse("The token's claims cannot be read.", err)
	}
	err = jwt.Validate(token, jwt.WithClock(jwt.ClockFunc(v.config.Now)), jwt.WithAcceptableSkew(skew),
		jwt.WithAudience(v.config.Audience), jwt.WithRequiredClaim(jwt.ExpirationKey))
	if err != nil {
		return "", refuse("The token has expired, is not valid yet, or is for another audience.", err)
	}
	var tenant string
	if err := token.Get(v.config.TenantClaim, &tenant); err != nil || bellwire.CheckTenantID(tenant) != nil {
		return "", refuse("The token does not say which tenant it is for.", err)
	}
	return tenant, nil
}

func refuse(message string, cause error) error {
	return bellwire.Wrap(bellwire.CodeUnauthenticated, cause, "%s", message)
}

// verify checks the signature and returns what was signed.
func (v *Verifier) verify(ctx context.Context, text []byte) ([]byte, error) {
	algorithm, keyID, err := header(text)
	if err != nil {
		return nil, err
	}
	if v.secret != nil {
		if !slices.Contains(symmetric, algorithm) {
			return nil, refuse("The token is not signed by HMAC with the shared secret.", nil)
		}
		return check(text, algorithm, v.secret)
	}
	if !slices.Contains(asymmetric, algorithm) {
		return nil, refuse("The token is not signed with a public key's algorithm.", nil)
	}
	key, err := v.key(ctx, keyID)
	if err != nil {
		return nil, err
	}
	if own, given := key.Algorithm(); given && own.String() != algorithm.String() { // RFC 8725, 3.1
		return nil, refuse("The token is signed by another algorithm than its key is for.", nil)
	}
	return check(text, algorithm, key)
}

// The algorithms that are taken. A token's own word is not enough: it must fit the kind of key, so that a public key is
// never taken for a shared secret, and "none" for a signature.
var (
	symmetric  = []jwa.SignatureAlgorithm{jwa.HS256(), jwa.HS384(), jwa.HS512()}
	asymmetric = []jwa.SignatureAlgorithm{
		jwa.RS256(), jwa.RS384(), jwa.RS512(), jwa.PS256(), jwa.PS384(), jwa.PS512(),
		jwa.ES256(), jwa.ES384(), jwa.ES512(), jwa.EdDSA(),
	}
)

// header reads by which algorithm and with which key a token says that it is signed.
func header(text []byte) (algorithm jwa.SignatureAlgorithm, keyID string, err error) {
	message, err := jws.Parse(text, jws.WithCompact())
	if err != nil || len(message.Signatures()) != 1 {
		return algorithm, "", refuse("It is no token that is signed.", err)
	}
	head := message.Signatures()[0].ProtectedHeaders()
	algorithm, ok := head.Algorithm()
	if !ok {
		return algorithm, "", refuse("The token does not say how it is signed.", nil)
	}
	keyID, _ = head.KeyID()
	return algorithm, keyID, nil
}

// check verifies the signature. A token whose header says that something of it must be understood ("crit", RFC 7515,
// 4.1.11) is refused: nothing of the kind is.
func check(text []byte, algorithm jwa.SignatureAlgorithm, key jwk.Key) ([]byte, error) {
	payload, err := jws.Verify(text, jws.WithKey(algorithm, key), jws.WithCritValidation(true))
	if err != nil {
		return nil, refuse("The token's signature is not good.", err)
	}
	return payload, nil
}

// key returns the public key of an id. Without an id there must be one key only.
func (v *Verifier) key(ctx context.Context, id string) (jwk.Key, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	age := v.config.Now().Sub(v.fetched)
	key := find(v.keys, id)
	if v.keys == nil || age > maxAge || key == nil && age > minAge {
		if err := v.fetch(ctx); err != nil && key == nil {
			return nil, err
		}
		key = find(v.keys, id)
	}
	switch {
	case key != nil:
		return key, nil
	case v.failure != nil:
		return nil, v.failure // whether the issuer publishes the key by now is not known
	}
	return nil, refuse("The token is signed with a key that the issuer does not publish.", nil)
}

// fetch gets the keys. It is not tried again at once if it fails; the keys that were there stay.
func (v *Verifier) fetch(ctx context.Context) error {
	if v.keys == nil && v.config.Now().Sub(v.fetched) <= time.Second {
		return unavailable(nil)
	}
	v.fetched = v.config.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	keys, err := jwk.Fetch(ctx, v.config.JWKSURL, jwk.WithHTTPClient(v.config.Client), jwk.WithMaxFetchBodySize(maxKeySet))
	if err != nil {
		v.failure = unavailable(err)
		return v.failure
	}
	v.keys, v.failure = keys, nil
	return nil
}

func unavailable(cause error) error {
	return &bellwire.Error{
		Code: bellwire.CodeUnavailable, RetryAfter: time.Second, Err: cause,
		Message: "The keys that tokens are verified with cannot be fetched now; try again.",
	}
}

func find(keys jwk.Set, id string) jwk.Key {
	if keys == nil {
		return nil
	}
	if id != "" {
		if key, ok := keys.LookupKeyID(id); ok {
			return public(key)
		}
		return nil
	}
	if keys.Len() != 1 {
		return nil
	}
	key, _ := keys.Key(0)
	return public(key)
}

// public keeps keys out that are shared secrets, which have no business in a JWKS, or that encrypt and do not sign.
func public(key jwk.Key) jwk.Key {
	use, given := key.KeyUsage()
	if key.KeyType() == jwa.OctetSeq() || given && use != jwk.ForSignature.String() {
		return nil
	}
	return key
}
