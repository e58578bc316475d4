package declared

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

// maxVectors is the maximum number of test vectors of a file.
const maxVectors = 32

// vector is a request that the dialect must make.
type vector struct {
	name     string
	line     int
	message  *bellwire.Message
	endpoint bellwire.Endpoint
	server   Server
	secrets  []bellwire.Secret // newest first
	body     *string           // in place of the rendered one
	content  *string           // in place of what is signed
	want     []expectation
}

// expectation is a part of the request: a header, or the body if it has no name.
type expectation struct {
	header string
	value  string
	line   int
}

// The parts of sample requests.
var (
	sampleEvent    = bellwire.EventID{0x01, 0x8d, 0xf9, 0x4b, 0x3e, 0x00, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}
	sampleDelivery = bellwire.DeliveryID{0x01, 0x8d, 0xf9, 0x4b, 0x3e, 0x00, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 2}
	sampleTime     = time.Date(2024, time.March, 1, 10, 0, 0, 123456000, time.UTC)
	sampleServer   = Server{URL: "https://hooks.example.com", Host: "hooks.example.com"}
)

const sampleData = `{"id": 42, "total": 19.90}`

// sampleMessage returns the delivery of a sample event.
func sampleMessage() *bellwire.Message {
	return &bellwire.Message{
		Event:    &bellwire.Event{ID: sampleEvent, Tenant: "acme", Type: "order.paid", Data: []byte(sampleData), CreatedAt: sampleTime},
		Delivery: sampleDelivery, SentAt: sampleTime.Add(2 * time.Second),
	}
}

func sampleEndpoint() bellwire.Endpoint {
	return bellwire.Endpoint{ID: "ep_018df94b3e0070008000000000000003", Tenant: "acme", URL: "https://customer.example/hooks"}
}

// vectors reads the test vectors of a file.
func (r *reader) vectors(d *Dialect, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "vectors must be a list")
		return
	}
	for i, element := range r.list(n, "vectors", maxVectors) {
		d.vectors = append(d.vectors, r.vector(d, element, fmt.Sprintf("vectors[%d].", i)))
	}
}

func (r *reader) vector(d *Dialect, n *yaml.Node, path string) vector {
	v := vector{line: n.Line, message: sampleMessage(), endpoint: sampleEndpoint(), server: sampleServer}
	keys := r.mapping(n, path, "name", "source", "event", "delivery", "endpoint", "tenant", "server", "sent_at", "secrets", "body", "content", "expect")
	v.name, _ = r.text(keys["name"], path+"name", maxShort)
	_, _ = r.text(keys["source"], path+"source", maxShort)
	if event := keys["event"]; event != nil {
		r.vectorEvent(v.message.Event, event, path+"event.")
	}
	if text, ok := r.text(keys["delivery"], path+"delivery", maxName); ok {
		if err := v.message.Delivery.UnmarshalText([]byte(text)); err != nil {
			r.fault(keys["delivery"], "%sdelivery must be the id of a delivery, dlv_ and 32 hex digits", path)
		}
	}
	if text, ok := r.text(keys["tenant"], path+"tenant", maxName); ok {
		v.message.Event.Tenant, v.endpoint.Tenant = text, text
	}
	if text, ok := r.text(keys["server"], path+"server", maxShort); ok {
		v.server = ServerAt(text)
	}
	if endpoint := keys["endpoint"]; endpoint != nil {
		members := r.mapping(endpoint, path+"endpoint.", "id", "url")
		if text, ok := r.text(members["id"], path+"endpoint.id", maxName); ok {
			v.endpoint.ID = text
		}
		if text, ok := r.text(members["url"], path+"endpoint.url", bellwire.MaxURLLength); ok {
			v.endpoint.URL = text
		}
	}
	if at, ok := r.time(keys["sent_at"], path+"sent_at"); ok {
		v.message.SentAt = at
	}
	if keys["secrets"] != nil {
		for _, element := range r.list(keys["secrets"], path+"secrets", 5) {
			v.secrets = append(v.secrets, r.vectorSecret(d, element, path+"secrets", len(v.secrets), v.message.SentAt))
		}
	}
	v.body, v.content = r.optional(keys["body"], path+"body"), r.optional(keys["content"], path+"content")
	if keys["expect"] == nil {
		if n.Kind == yaml.MappingNode {
			r.fault(n, "%sexpect is required", path)
		}
		return v
	}
	expected := r.mapping(keys["expect"], path+"expect.", "body", "headers")
	if text, ok := r.text(expected["body"], path+"expect.body", maxFile); ok {
		v.want = append(v.want, expectation{value: text, line: expected["body"].Line})
	}
	if headers := expected["headers"]; headers != nil {
		for key, value := range r.pairs(headers, path+"expect.headers") {
			if text, ok := r.text(value, path+"expect.headers."+key.Value, maxTemplate); ok {
				v.want = append(v.want, expectation{header: key.Value, value: text, line: key.Line})
			}
		}
	}
	if len(v.want) == 0 {
		r.fault(keys["expect"], "%sexpect must have body or headers", path)
	}
	return v
}

func (r *reader) optional(n *yaml.Node, what string) *string {
	text, ok := r.text(n, what, maxFile)
	if !ok {
		return nil
	}
	return &text
}

func (r *reader) vectorEvent(e *bellwire.Event, n *yaml.Node, path string) {
	keys := r.mapping(n, path, "id", "type", "time", "created_at", "data")
	if text, ok := r.text(keys["id"], path+"id", maxName); ok {
		if err := e.ID.UnmarshalText([]byte(text)); err != nil {
			r.fault(keys["id"], "%sid must be the id of an event, evt_ and 32 hex digits", path)
		}
	}
	if text, ok := r.text(keys["type"], path+"type", 4*maxName); ok {
		e.Type = text
		if err := bellwire.CheckEventTypeName(text); err != nil {
			r.fault(keys["type"], "%stype %s", path, err)
		}
	}
	if at, ok := r.time(keys["time"], path+"time"); ok {
		e.OccurredAt = at
	}
	if at, ok := r.time(keys["created_at"], path+"created_at"); ok {
		e.CreatedAt = at
	}
	if text, ok := r.text(keys["data"], path+"data", maxFile); ok {
		e.Data = []byte(text)
	}
}

func (r *reader) time(n *yaml.Node, what string) (time.Time, bool) {
	text, ok := r.text(n, what, maxName)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		r.fault(n, "%s must be a time in RFC 3339, such as 2024-03-01T10:00:00Z", what)
		return time.Time{}, false
	}
	return at, true
}

// vectorSecret reads a secret, which need not have the form of the dialect's own, or the seed of a key pair in hex.
func (r *reader) vectorSecret(d *Dialect, n *yaml.Node, what string, place int, at time.Time) (s bellwire.Secret) {
	if place > 0 {
		s.ExpiresAt = at.Add(time.Hour)
	}
	text, ok := r.text(n, what, maxShort)
	if !ok {
		return s
	}
	s.Value = text
	if !d.form.pair() {
		return s
	}
	seed, err := hex.DecodeString(text)
	if err != nil || len(seed) != ed25519.SeedSize {
		r.fault(n, "%s must have seeds of ed25519 keys: %d hex digits", what, 2*ed25519.SeedSize)
		return s
	}
	private := ed25519.NewKeyFromSeed(seed)
	s.Value, s.PrivateKey = d.form.public(private), sign.FormatPrivateKey(private)
	return s
}

// checkVectors makes the requests of all test vectors, and compares them with what the file expects.
func (r *reader) checkVectors(d *Dialect) {
	for i := range d.vectors {
		v := &d.vectors[i]
		header, body, err := d.request(v)
		if err != nil {
			r.faultAt(v.line, "vectors[%d] cannot be rendered: %s", i, err)
			continue
		}
		for _, want := range v.want {
			got, what := string(body), "body"
			if want.header != "" {
				got, what = header.Get(textproto.CanonicalMIMEHeaderKey(want.header)), "headers."+want.header
				if len(header.Values(want.header)) == 0 {
					r.faultAt(want.line, "vectors[%d].expect.%s is a header that deliveries do not have", i, what)
					continue
				}
			}
			if got != want.value {
				r.faultAt(want.line, "vectors[%d].expect.%s is %.200q, but the dialect makes %.200q", i, what, want.value, got)
			}
		}
	}
}

// request makes the request of a test vector.
func (d *Dialect) request(v *vector) (http.Header, []byte, error) {
	there := d.At(v.server)
	if v.content != nil {
		there.signatures = nil
		for _, s := range d.signatures {
			s.content = template{{literal: *v.content}}
			there.signatures = append(there.signatures, s)
		}
	}
	secrets := v.secrets
	if len(secrets) == 0 {
		made, err := d.form.make()
		if err != nil {
			return nil, nil, err
		}
		secrets = []bellwire.Secret{made}
	}
	return there.render(&v.endpoint, secrets, v.message, v.body)
}

// render makes a whole request, with the names of headers in their canonical form.
func (d *Dialect) render(ep *bellwire.Endpoint, secrets []bellwire.Secret, m *bellwire.Message, given *string) (http.Header, []byte, error) {
	bound, err := d.bind(ep, secrets)
	if err != nil {
		return nil, nil, err
	}
	var body []byte
	if given != nil {
		body = []byte(*given)
	} else if body, err = bound.AppendBody(nil, m); err != nil {
		return nil, nil, err
	}
	spelled, header := make(http.Header), make(http.Header)
	bound.SetHeaders(spelled, m, body)
	for name, values := range spelled {
		header[textproto.CanonicalMIMEHeaderKey(name)] = values
	}
	for _, h := range d.Headers(&bellwire.Credentials{Secrets: secrets}) {
		header.Set(h.Name, h.Value)
	}
	return header, body, nil
}

// Sample is a request of a sample event.
type Sample struct {
	Data    string
	Headers []bellwire.Header // as they are spelled
	Body    []byte
	Err     error // why the event cannot be sent; nil: it can
}

// Samples returns requests of sample events, signed with a new secret.
func (d *Dialect) Samples() ([]Sample, error) {
	made, err := d.form.make()
	if err != nil {
		return nil, err
	}
	ep, secrets := sampleEndpoint(), []bellwire.Secret{made}
	bound, err := d.At(sampleServer).bind(&ep, secrets)
	if err != nil {
		return nil, err
	}
	var samples []Sample
	for _, data := range []string{sampleData, `["a", "list"]`} {
		m := sampleMessage()
		m.Event.Data = []byte(data)
		s := Sample{Data: data}
		if s.Body, s.Err = bound.AppendBody(nil, m); s.Err == nil {
			h := make(http.Header)
			bound.SetHeaders(h, m, s.Body)
			for _, name := range append([]string{"Content-Type"}, d.headerNames()...) {
				if values := h[name]; len(values) > 0 {
					s.Headers = append(s.Headers, bellwire.Header{Name: name, Value: strings.Join(values, ", ")})
				}
			}
			s.Headers = append(s.Headers, d.Headers(&bellwire.Credentials{Secrets: secrets})...)
		}
		samples = append(samples, s)
	}
	return samples, nil
}
