package service

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on credentials.
const (
	MaxHeaders     = 50
	MaxHeaderValue = 4 << 10  // bytes
	MaxHeaderBytes = 16 << 10 // names and values of an endpoint's own headers together
	MaxCredential  = 4 << 10  // bytes of a key, user name, password or token
	maxHeaderName  = 128      // bytes
	maxSecrets     = 5        // of one endpoint that sign at the same time
)

// MaxOverlap is the longest time for which a rotated secret can continue to sign.
const MaxOverlap = 30 * 24 * time.Hour

// EndpointSecret is what receivers verify deliveries with. It is empty if the endpoint has no secret.
type EndpointSecret struct {
	LiveSecret              // the newest
	Live       []LiveSecret // all that sign, newest first
}

// LiveSecret is a secret that signs.
type LiveSecret struct {
	Secret    string
	PublicKey string    // in the dialect's form; empty if there is none
	ExpiresAt time.Time // zero if it does not expire
	Imported  bool      // another system made it, in a form that the dialect does not give to its own
}

// revealedTo is revealed for a caller of a change, who need not be allowed to read secrets.
func (s *Service) revealedTo(c Caller, ep *bellwire.Endpoint, credentials *bellwire.Credentials, at time.Time) *EndpointSecret {
	if !c.may(ReadSecrets) {
		return new(EndpointSecret)
	}
	return s.revealed(ep, credentials, at)
}

func (s *Service) revealed(ep *bellwire.Endpoint, c *bellwire.Credentials, at time.Time) *EndpointSecret {
	secret := new(EndpointSecret)
	dialect := s.dialects[ep.Dialect]
	several := dialect != nil && dialect.Defaults().Overlap > 0
	for i, kept := range c.Secrets {
		if i > 0 && (!several || !kept.Signs(at)) {
			continue
		}
		live := LiveSecret{Secret: kept.Value, ExpiresAt: kept.ExpiresAt, Imported: kept.Imported}
		if dialect != nil && ep.Signing != bellwire.SigningHMAC {
			live.PublicKey = dialect.PublicKey(kept)
		}
		secret.Live = append(secret.Live, live)
	}
	if len(secret.Live) > 0 {
		secret.LiveSecret = secret.Live[0]
	}
	return secret
}

// chooseSecrets sets the secrets that the endpoint's dialect and signing need: the caller's own, the present ones if they have
// the right form, or new ones.
func chooseSecrets(d bellwire.Dialect, ep *bellwire.Endpoint, c *bellwire.Credentials, own *string, newDialect bool) error {
	if own != nil {
		if err := d.CheckSecret(*own); err != nil {
			return err
		}
		private := ""
		if len(c.Secrets) > 0 {
			private = c.Secrets[0].PrivateKey
		}
		c.Secrets = []bellwire.Secret{{Value: *own, PrivateKey: private}}
	} else if newDialect {
		c.Secrets = fitting(d, c.Secrets)
	}
	made, err := d.NewSecret(ep.Signing)
	if err != nil {
		return err
	}
	switch {
	case made == (bellwire.Secret{}):
		c.Secrets = nil
	case len(c.Secrets) == 0:
		c.Secrets = []bellwire.Secret{made}
	case c.Secrets[0].PrivateKey == "":
		c.Secrets[0].PrivateKey = made.PrivateKey
	}
	return nil
}

// fitting returns the secrets that have the dialect's form, and none if the newest does not.
func fitting(d bellwire.Dialect, secrets []bellwire.Secret) []bellwire.Secret {
	if len(secrets) == 0 || d.CheckSecret(secrets[0].Value) != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(secrets), func(s bellwire.Secret) bool { return d.CheckSecret(s.Value) != nil })
}

// rotate adds a new secret. The others continue to sign until the overlap ends, which is the dialect's default if nil.
func (s *Service) rotate(ctx context.Context, ep *bellwire.Endpoint, c *bellwire.Credentials, overlap *time.Duration) error {
	dialect, err := s.dialect(ep.Dialect)
	if err != nil {
		return err
	}
	made, err := dialect.NewSecret(ep.Signing)
	if err != nil {
		return err
	}
	if made == (bellwire.Secret{}) {
		return bellwire.Errorf(bellwire.CodeConflict, "endpoints of the dialect %q have no secret to rotate", ep.Dialect)
	}
	lap := dialect.Defaults().Overlap
	switch {
	case overlap == nil:
	case lap == 0 && *overlap > 0:
		return bellwire.Invalid("overlap", "must be 0s, because deliveries of the dialect %s carry one signature only", ep.Dialect)
	default:
		lap = *overlap
	}
	at := ep.UpdatedAt
	secrets := []bellwire.Secret{made}
	for _, old := range c.Secrets {
		if end := at.Add(lap); old.ExpiresAt.IsZero() || old.ExpiresAt.After(end) {
			old.ExpiresAt = end
		}
		if old.Signs(at) {
			secrets = append(secrets, old)
		}
	}
	if len(secrets) > maxSecrets {
		return tooManySecrets(c.Secrets, at)
	}
	c.Secrets = secrets
	return s.seal(ctx, ep, c)
}

// seal seals the credentials of an endpoint that is about to be stored.
func (s *Service) seal(ctx context.Context, ep *bellwire.Endpoint, c *bellwire.Credentials) (err error) {
	if err := s.maySeal(ctx); err != nil {
		return err
	}
	ep.Sealed, err = s.keyring.SealCredentials(ep.ID, c)
	return err
}

// maySeal returns an error if the primary key was taken out of use while this node ran, which can happen only if other nodes use
// the database.
func (s *Service) maySeal(ctx context.Context) error {
	if !s.shared {
		return nil
	}
	return s.keyring.MaySeal(ctx, s.store)
}

func tooManySecrets(secrets []bellwire.Secret, at time.Time) error {
	var ends []string
	for _, old := range secrets {
		if !old.ExpiresAt.IsZero() && old.Signs(at) {
			ends = append(ends, old.ExpiresAt.UTC().Format(time.RFC3339))
		}
	}
	slices.Sort(ends)
	err := bellwire.Errorf(bellwire.CodeConflict, "the endpoint has %d secrets that sign, the most it can have; the older ones expire at %s",
		maxSecrets, strings.Join(ends, ", "))
	err.Hint = "Wait until one of them expires, or rotate with the overlap 0s, which makes all of them expire at once."
	return err
}

// applyCredentials sets authentication and headers. It refuses headers that conflict with the authentication. A header that is given
// with the redacted value, as it is shown, keeps the value that it has.
func applyCredentials(c *bellwire.Credentials, in *EndpointInput) error {
	var faults []error
	if in.Auth != nil {
		faults = append(faults, checkAuth(*in.Auth))
		c.Auth = *in.Auth
	}
	if in.Headers != nil {
		c.Headers = unredacted(*in.Headers, c.Headers)
	}
	if in.Auth != nil || in.Headers != nil {
		faults = append(faults, checkHeaders(c.Headers, c.Auth.HeaderName()))
	}
	return bellwire.Join(faults...)
}

// unredacted returns headers with the present values of those that are redacted. Redacted ones that are not present stay so.
func unredacted(given, present []bellwire.Header) []bellwire.Header {
	whole := slices.Clone(given)
	for i, h := range whole {
		if h.Value != bellwire.Redacted {
			continue
		}
		named := func(p bellwire.Header) bool { return strings.EqualFold(p.Name, h.Name) }
		if at := slices.IndexFunc(present, named); at >= 0 {
			whole[i].Value = present[at].Value
		}
	}
	return whole
}

var authTypes = []bellwire.AuthType{bellwire.AuthNone, bellwire.AuthAPIKey, bellwire.AuthBasic, bellwire.AuthBearer}

func checkAuth(a bellwire.Auth) error {
	fields := []struct {
		name, value string
		of          bellwire.AuthType
	}{
		{"header", a.Header, bellwire.AuthAPIKey},
		{"key", a.Key, bellwire.AuthAPIKey},
		{"username", a.Username, bellwire.AuthBasic},
		{"password", a.Password, bellwire.AuthBasic},
		{"token", a.Token, bellwire.AuthBearer},
	}
	if !slices.Contains(authTypes, a.Type) {
		return bellwire.Invalid("auth.type", "must be %s", bellwire.OneOf(authTypes))
	}
	var faults []error
	for _, m := range fields {
		field := "auth." + m.name
		switch {
		case m.of != a.Type && m.value != "":
			faults = append(faults, bellwire.Invalid(field, "must not be set with the type %q", a.Type))
		case m.of == a.Type && m.value == "" && m.name != "password":
			faults = append(faults, bellwire.Invalid(field, "is required with the type %q", a.Type))
		default:
			faults = append(faults, checkValue(field, m.value, MaxCredential))
		}
	}
	if err := bellwire.Join(faults...); err != nil {
		return err
	}
	if strings.Contains(a.Username, ":") {
		return bellwire.Invalid("auth.username", "must not contain a colon, which in HTTP begins the password")
	}
	if strings.ContainsAny(a.Token, " \t") {
		return bellwire.Invalid("auth.token", "must not contain spaces")
	}
	if a.Type == bellwire.AuthAPIKey {
		return checkHeaderName("auth.header", a.Header)
	}
	return nil
}

func checkHeaders(headers []bellwire.Header, taken string) error {
	if len(headers) > MaxHeaders {
		return bellwire.Invalid("headers", "must have at most %d entries, but has %s", MaxHeaders, bellwire.Number(len(headers)))
	}
	seen := map[string]bool{strings.ToLower(taken): true}
	size := 0
	var faults []error
	for _, h := range headers {
		if err := checkHeaderName("headers", h.Name); err != nil {
			faults = append(faults, err)
			continue
		}
		field := "headers." + h.Name
		name := strings.ToLower(h.Name)
		switch {
		case taken != "" && name == strings.ToLower(taken):
			faults = append(faults, bellwire.Invalid(field, "must not be set, because auth sets it"))
		case seen[name]:
			faults = append(faults, bellwire.Invalid(field, "is given twice"))
		default:
			faults = append(faults, checkValue(field, h.Value, MaxHeaderValue))
		}
		seen[name] = true
		size += len(h.Name) + len(h.Value)
	}
	if err := bellwire.Join(faults...); err != nil {
		return err
	}
	if size > MaxHeaderBytes {
		return bellwire.Invalid("headers", "must have at most %s bytes of names and values, but has %s", bellwire.Number(MaxHeaderBytes), bellwire.Number(size))
	}
	return nil
}

// reservedHeaders are set by Bellwire or apply to a single connection (RFC 9110, 7.6.1). An endpoint's own would break or forge a
// request.
var reservedHeaders = []string{
	"host", "user-agent", "expect",
	"connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
	"proxy-authenticate", "proxy-authorization",
}

func checkHeaderName(field, name string) error {
	if !isToken(name) {
		return bellwire.Invalid(field, "must not name a header %.64q; a name has 1 to %d letters, digits and characters of !#$%%&'*+-.^_`|~", name, maxHeaderName)
	}
	lower := strings.ToLower(name)
	if slices.Contains(reservedHeaders, lower) || strings.HasPrefix(lower, "content-") || strings.HasPrefix(lower, "webhook-") {
		if field == "headers" {
			field += "." + name
		}
		return bellwire.Invalid(field, "must not name the header %q, which is a part of every request", name)
	}
	return nil
}

// isToken reports whether a text can be the name of a header (RFC 9110, 5.6.2).
func isToken(name string) bool {
	if name == "" || len(name) > maxHeaderName {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool {
		alnum := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !alnum && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}) < 0
}

// checkValue refuses values that a header cannot carry unchanged, and the text that replaces redacted values.
func checkValue(field, value string, limit int) error {
	switch {
	case len(value) > limit:
		return bellwire.Invalid(field, "must have at most %s bytes, but has %s", bellwire.Number(limit), bellwire.Number(len(value)))
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return bellwire.Invalid(field, "must be text without control characters")
	case strings.TrimSpace(value) != value:
		return bellwire.Invalid(field, "must not begin or end with a space, which HTTP would drop")
	case value == bellwire.Redacted:
		return bellwire.Invalid(field, "must not be %q, which stands for a value that is not shown; give the value, or leave it out", bellwire.Redacted)
	}
	return nil
}
