// Package token verifies JSON Web Tokens (RFC 7519) by which callers of a dialect's management API say which tenant they
// act for. Keys come from a JWKS, which is fetched again as it ages, or are one shared secret.
package token

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds of what is taken.
const (
	maxToken  = 16 << 10         // bytes
	skew      = 30 * time.Second // between the issuer's clock and ours
	minSecret = 32               // bytes of a shared secret (RFC 7518, 3.2)
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
	secret jwk.Key // nil: keys come from the issuer
	issuer *issuer
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
		v.issuer = &issuer{url: c.JWKSURL, client: c.Client, now: c.Now}
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
	key, err := v.issuer.key(ctx, keyID)
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
