// Package declared makes dialects from files. A file declares a wire format completely: body, headers, signatures, the form of
// secrets, which statuses acknowledge, and when deliveries are retried. It is parsed at the start into a compiled form, and its test
// vectors are checked then. Such a dialect has no management API but the native one. docs/dialects-from-a-file.md describes the
// files.
package declared

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Server is what templates can contain of the server that delivers.
type Server struct {
	URL  string // where clients reach it, without a slash at its end
	Host string // of that URL, without a port
}

// Dialect is a dialect that a file declares.
type Dialect struct {
	name        string
	description string
	file        string // as Load or Shipped names it
	text        []byte // of the file

	contentType []string // a header's values; nothing changes them in place
	body        template
	sameBody    bool
	ownMembers  []string // names that a template with {data.fields} writes itself
	needsYear   bool     // a time in a header or a signature must have a year of four digits
	headers     []header
	secrets     []header // those with the secret
	signatures  []scheme
	several     bool // a header has room for several signatures

	form       form
	overlap    time.Duration
	idPrefix   string
	verdicts   [600]bellwire.Verdict // by status
	retry      bellwire.RetryPolicy
	retryAfter bool
	timeout    time.Duration
	vectors    []vector
	server     Server
	origin     template // of an endpoint's permission; nil: none is needed

	receiverURL string // see ReceivedAt
}

// header is a header of every delivery.
type header struct {
	name     string
	template template
	fixed    []string // the values of a template without values, shared by all requests
}

var _ bellwire.Dialect = (*Dialect)(nil)

// Name returns the name that the file gives.
func (d *Dialect) Name() string { return d.name }

// Description returns what the file says about the dialect.
func (d *Dialect) Description() string { return d.description }

// File returns the path of the file, empty if the program contains it.
func (d *Dialect) File() string { return d.file }

// Text returns the text of the file.
func (d *Dialect) Text() []byte { return d.text }

// Vectors returns how many test vectors the file has.
func (d *Dialect) Vectors() int { return len(d.vectors) }

// Signs reports whether deliveries have a signature or a secret.
func (d *Dialect) Signs() bool { return d.form.exists() }

// NeedsServer reports whether deliveries contain the URL or the host of the server.
func (d *Dialect) NeedsServer() bool {
	for _, t := range d.templates() {
		if t.has(valueServerURL, valueServerHost) {
			return true
		}
	}
	return false
}

// templates returns all templates of the dialect.
func (d *Dialect) templates() []template {
	all := []template{d.body}
	for i := range d.headers {
		all = append(all, d.headers[i].template)
	}
	for i := range d.signatures {
		all = append(all, d.signatures[i].content, d.signatures[i].format, d.signatures[i].each)
	}
	return all
}

// At returns the dialect as a server at the URL delivers it.
func (d *Dialect) At(server Server) *Dialect {
	there := *d
	there.server = server
	return &there
}

// Digest identifies the contents of the files of some dialects. It is empty if there are none.
func Digest(dialects []*Dialect) string {
	if len(dialects) == 0 {
		return ""
	}
	h := sha256.New()
	for _, d := range dialects {
		sum := sha256.Sum256(d.text)
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Defaults returns the retry policy, the timeout and the overlap of the file.
func (d *Dialect) Defaults() bellwire.Defaults {
	defaults := bellwire.Defaults{Retry: d.retry, Timeout: d.timeout, AutoDisableAfter: bellwire.DefaultAutoDisableAfter}
	if d.several {
		defaults.Overlap = d.overlap
	}
	return defaults
}

// NewEndpointID returns the prefix and the 32 hex digits of a UUIDv7.
func (d *Dialect) NewEndpointID(now time.Time) string {
	id := bellwire.NewUUID(now)
	return d.idPrefix + hex.EncodeToString(id[:])
}

// NewSecret returns a new secret in the form of the file.
func (d *Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) { return d.form.make() }

// PublicKey returns nothing: the public key of a key pair is the secret's value.
func (d *Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses a secret that does not have the form of the file.
func (d *Dialect) CheckSecret(value string) error { return d.form.check(d.name, value) }

// Normalize refuses other signing schemes, headers that every delivery has, and secrets that cannot sign.
func (d *Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, _ func(string) string) error {
	if err := bellwire.CheckSingleSigning(d.name, ep.Signing); err != nil {
		return err
	}
	if err := bellwire.CheckOwnHeaders(d.name, c, d.headerNames()...); err != nil {
		return err
	}
	_, err := d.newKeys(c.Secrets)
	return err
}

// headerNames returns the names of all headers of a delivery but the content type.
func (d *Dialect) headerNames() []string {
	var list []string
	for _, h := range slices.Concat(d.headers, d.secrets) {
		list = append(list, h.name)
	}
	for _, s := range d.signatures {
		list = append(list, s.header)
	}
	return list
}

// lowerHeaders returns headerNames in lower case.
func (d *Dialect) lowerHeaders() []string {
	list := d.headerNames()
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list
}

// Headers returns the headers with the newest secret.
func (d *Dialect) Headers(c *bellwire.Credentials) []bellwire.Header {
	if len(c.Secrets) == 0 {
		return nil
	}
	var list []bellwire.Header
	for _, h := range d.secrets {
		list = append(list, bellwire.Header{Name: h.name, Value: h.withSecret(c.Secrets[0].Value)})
	}
	return list
}

// withSecret returns the value of a header that has a secret.
func (h *header) withSecret(secret string) string {
	var value strings.Builder
	for _, s := range h.template {
		if s.value == valueSecret {
			value.WriteString(secret)
		} else {
			value.WriteString(s.literal)
		}
	}
	return value.String()
}

// Bind returns a renderer that signs with the endpoint's secrets.
func (d *Dialect) Bind(ep *bellwire.Endpoint, c *bellwire.Credentials) (bellwire.Renderer, error) {
	return d.bind(ep, c.Secrets)
}

func (d *Dialect) bind(ep *bellwire.Endpoint, secrets []bellwire.Secret) (*renderer, error) {
	keys, err := d.newKeys(secrets)
	if err != nil {
		return nil, err
	}
	r := &renderer{Dialect: d, endpoint: ep.ID, tenant: ep.Tenant, url: ep.URL, keys: keys}
	if d.origin != nil {
		r.permission = bellwire.NewPermission(string(r.appendText(nil, d.origin, nil)))
	}
	return r, nil
}
