// Package token verifies JSON Web Tokens (RFC 7519) that name the tenant of a caller. The keys come from a JWKS, which is
// fetched again as it ages, or are one shared secret. With a shared secret it can also issue such tokens, for sandboxes.
package token

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds of tokens that are accepted.
const (
	maxToken  = 16 << 10         // bytes
	skew      = 30 * time.Second // between the issuer's clock and this server's
	minSecret = 32               // bytes of a shared secret (RFC 7518, 3.2)
)

// Config configures a Verifier. Audience and exactly one of JWKSURL and Secret are required.
type Config struct {
	JWKSURL     string // where the issuer publishes its public keys
	Secret      string // shared with the issuer, who signs by HS256, HS384 or HS512
	Audience    string // that tokens must name
	Issuer      string // that tokens must name; empty: any
	TenantClaim string // that has the tenant's id; default "tenant"
	ScopeClaim  string // that has what the token is for, as a list or separated by spaces; empty: tokens are for everything
	Client      *http.Client
	Now         func() time.Time // default time.Now
}

// Verifier verifies tokens. It is safe for concurrent use, and fetches keys only to verify a token.
type Verifier struct {
	config Config
	secret jwk.Key // nil: the keys come from the issuer
	issuer *issuer // nil: the secret is the key
}

// New returns a Verifier. It does not fetch keys yet.
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
		return nil, bellwire.Errorf(bellwire.CodeInvalid, "tokens need either a JWKS URL or a shared secret, not both")
	case c.Audience == "":
		return nil, bellwire.Invalid("jwt-audience", "is required; without it tokens for other services would be accepted")
	case c.JWKSURL != "":
		u, err := url.Parse(c.JWKSURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, bellwire.Invalid("jwks-url", "must be an absolute http or https URL, such as https://example.com/jwks.json")
		}
		v.issuer = &issuer{url: c.JWKSURL, client: c.Client, now: c.Now}
		return v, nil
	case len(c.Secret) < minSecret:
		return nil, bellwire.Invalid("jwt-secret", "must have at least %d bytes (RFC 7518, 3.2)", minSecret)
	}
	key, err := jwk.Import([]byte(c.Secret))
	if err != nil {
		return nil, bellwire.Errorf(bellwire.CodeInternal, "the shared secret cannot be used as a key")
	}
	v.secret = key
	return v, nil
}

// HasForm reports whether a text has the form of a signed token: three parts, of which the first is a JSON object with "alg" (RFC 7515,
// 7.1). Other texts with two dots can be API keys.
func HasForm(text string) bool {
	head, rest, _ := strings.Cut(text, ".")
	if strings.Count(rest, ".") != 1 {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return false
	}
	var fields struct {
		Algorithm string `json:"alg"`
	}
	return json.Unmarshal(raw, &fields) == nil && fields.Algorithm != ""
}

// Claims are what a token says of its bearer.
type Claims struct {
	Tenant string
	scopes []string // nil: everything
}

// Allow reports whether the token is for a scope.
func (c *Claims) Allow(scope string) bool { return c.scopes == nil || slices.Contains(c.scopes, scope) }

// Tenant returns the tenant that a token names. Its errors are those of Claims.
func (v *Verifier) Tenant(ctx context.Context, text string) (string, error) {
	claims, err := v.Claims(ctx, text)
	if err != nil {
		return "", err
	}
	return claims.Tenant, nil
}

// Claims returns what a token says. Its error has CodeUnauthenticated if the token is not valid, and CodeUnavailable if the keys
// cannot be fetched. A vendor's customers read its message.
func (v *Verifier) Claims(ctx context.Context, text string) (*Claims, error) {
	if len(text) > maxToken {
		return nil, refuse("the token is too long", nil)
	}
	payload, err := v.verify(ctx, []byte(text))
	if err != nil {
		return nil, err
	}
	token, err := jwt.ParseInsecure(payload)
	if err != nil {
		return nil, refuse("the claims of the token cannot be read", err)
	}
	rules := []jwt.ValidateOption{
		jwt.WithClock(jwt.ClockFunc(v.config.Now)), jwt.WithAcceptableSkew(skew),
		jwt.WithAudience(v.config.Audience), jwt.WithRequiredClaim(jwt.ExpirationKey),
	}
	if v.config.Issuer != "" {
		rules = append(rules, jwt.WithIssuer(v.config.Issuer))
	}
	if err := jwt.Validate(token, rules...); err != nil {
		return nil, refuse(invalidity(err), err)
	}
	claims := new(Claims)
	if err := token.Get(v.config.TenantClaim, &claims.Tenant); err != nil || bellwire.CheckTenantID(claims.Tenant) != nil {
		return nil, refuse("the token does not name a customer", err)
	}
	if v.config.ScopeClaim != "" {
		claims.scopes = scopesOf(token, v.config.ScopeClaim)
	}
	return claims, nil
}

// scopesOf returns the scopes of a claim. A token without the claim, or with one of another form, is for nothing.
func scopesOf(token jwt.Token, claim string) []string {
	var text string
	if token.Get(claim, &text) == nil {
		return append([]string{}, strings.Fields(text)...)
	}
	scopes := []string{}
	var list []any
	if token.Get(claim, &list) != nil {
		return scopes
	}
	for _, element := range list {
		if scope, ok := element.(string); ok {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// CanIssue reports whether the verifier has the shared secret.
func (v *Verifier) CanIssue() bool { return v.secret != nil }

// Issue returns a token that the verifier accepts for a time. Only a verifier with the shared secret can.
func (v *Verifier) Issue(tenant string, scopes []string, valid time.Duration) (string, error) {
	if !v.CanIssue() {
		return "", bellwire.Errorf(bellwire.CodeInternal, "tokens can be issued with a shared secret only")
	}
	now := v.config.Now()
	b := jwt.NewBuilder().Audience([]string{v.config.Audience}).IssuedAt(now).Expiration(now.Add(valid)).Claim(v.config.TenantClaim, tenant)
	if v.config.Issuer != "" {
		b = b.Issuer(v.config.Issuer)
	}
	if v.config.ScopeClaim != "" {
		b = b.Claim(v.config.ScopeClaim, strings.Join(scopes, " "))
	}
	token, err := b.Build()
	if err != nil {
		return "", bellwire.Wrap(bellwire.CodeInternal, err, "a token cannot be issued")
	}
	signed, err := jwt.Sign(token, jwt.WithKey(jwa.HS256(), v.secret))
	if err != nil {
		return "", bellwire.Wrap(bellwire.CodeInternal, err, "a token cannot be signed")
	}
	return string(signed), nil
}

// invalidity says why a token's claims are not valid.
func invalidity(err error) string {
	switch {
	case errors.Is(err, jwt.TokenExpiredError()):
		return "the token has expired"
	case errors.Is(err, jwt.TokenNotYetValidError()):
		return "the token is not valid yet"
	case errors.Is(err, jwt.InvalidAudienceError()):
		return "the token is for another audience"
	case errors.Is(err, jwt.InvalidIssuerError()):
		return "the token is from another issuer"
	case errors.Is(err, jwt.MissingRequiredClaimError()):
		return "the token has no expiration time"
	}
	return "the claims of the token are not valid"
}

func refuse(message string, cause error) error {
	return bellwire.Wrap(bellwire.CodeUnauthenticated, cause, "%s", message)
}

// verify checks the signature and returns the payload.
func (v *Verifier) verify(ctx context.Context, text []byte) ([]byte, error) {
	algorithm, keyID, err := header(text)
	if err != nil {
		return nil, err
	}
	if v.secret != nil {
		if !slices.Contains(symmetric, algorithm) {
			return nil, refuse("the token must be signed with HMAC", nil)
		}
		return check(text, algorithm, v.secret)
	}
	if !slices.Contains(asymmetric, algorithm) {
		return nil, refuse("the token must be signed with a public-key algorithm", nil)
	}
	key, err := v.issuer.key(ctx, keyID)
	if err != nil {
		return nil, err
	}
	if own, given := key.Algorithm(); given && own.String() != algorithm.String() { // RFC 8725, 3.1
		return nil, refuse("the token is signed with another algorithm than its key is for", nil)
	}
	return check(text, algorithm, key)
}

// The algorithms that are accepted for each kind of key. The token's own header is not enough: otherwise a public key could
// pass for a shared secret, and "none" for a signature (RFC 8725, 2.1).
var (
	symmetric  = []jwa.SignatureAlgorithm{jwa.HS256(), jwa.HS384(), jwa.HS512()}
	asymmetric = []jwa.SignatureAlgorithm{
		jwa.RS256(), jwa.RS384(), jwa.RS512(), jwa.PS256(), jwa.PS384(), jwa.PS512(),
		jwa.ES256(), jwa.ES384(), jwa.ES512(), jwa.EdDSA(),
	}
)

// header returns the algorithm and the key id from the header of a token.
func header(text []byte) (algorithm jwa.SignatureAlgorithm, keyID string, err error) {
	message, err := jws.Parse(text, jws.WithCompact())
	if err != nil || len(message.Signatures()) != 1 {
		return algorithm, "", refuse("the token is not a signed JSON Web Token", err)
	}
	head := message.Signatures()[0].ProtectedHeaders()
	algorithm, ok := head.Algorithm()
	if !ok {
		return algorithm, "", refuse("the header of the token has no algorithm", nil)
	}
	keyID, _ = head.KeyID()
	return algorithm, keyID, nil
}

// check verifies the signature and returns the payload. It refuses tokens with critical extensions ("crit", RFC 7515,
// 4.1.11): none is supported.
func check(text []byte, algorithm jwa.SignatureAlgorithm, key jwk.Key) ([]byte, error) {
	payload, err := jws.Verify(text, jws.WithKey(algorithm, key), jws.WithCritValidation(true))
	if err != nil {
		return nil, refuse("the signature of the token is not valid", err)
	}
	return payload, nil
}
