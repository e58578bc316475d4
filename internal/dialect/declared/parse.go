package declared

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
)

// Bounds on a file.
const (
	maxFile       = 64 << 10
	maxTemplate   = 16 << 10
	maxShort      = 1 << 10 // of a template in a header, and of a description
	maxName       = 64
	maxSplices    = 4 // of the event's data into a body
	maxHeaders    = 20
	maxSignatures = 4
	maxStatuses   = 64
	maxSecret     = 512 // bytes of a secret, or characters
)

// Bounds on the timeout of an attempt.
const (
	minTimeout = time.Second
	maxTimeout = time.Minute
)

const (
	defaultOverlap = 24 * time.Hour
	maxOverlap     = 30 * 24 * time.Hour
	defaultPrefix  = "ep_"
	defaultSize    = 32 // bytes of a new secret
	minSize        = 16
	maxSize        = 64
	leastText      = 8 // characters of a secret that is any text
	mostText       = 256
)

var (
	nameForm   = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	prefixForm = regexp.MustCompile(`^[a-z]{1,16}_$`)
	secretForm = regexp.MustCompile(`^[A-Za-z0-9_.-]*$`)
	hostForm   = regexp.MustCompile(`^[A-Za-z0-9.-]+$`) // or a part of one
	tokenForm  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// Lengths of texts with these forms. The forms do not have them, because counted repetitions are large in memory and slow to compile.
const (
	maxDialectName = 32
	maxPrefix      = 32 // of secrets
	maxToken       = 128
)

func hasForm(text string, form *regexp.Regexp, most int) bool {
	return len(text) <= most && form.MatchString(text)
}

// Parse parses a file and checks its test vectors. Its error is a Faults, with all faults of the file.
func Parse(file string, text []byte) (*Dialect, error) {
	r := &reader{file: file}
	if len(text) > maxFile {
		r.faultAt(0, "must have at most %d KiB", maxFile>>10)
		return nil, r.faults
	}
	document := r.document(text)
	if document == nil {
		return nil, r.faults
	}
	d := &Dialect{file: file, text: text, retryAfter: true, timeout: bellwire.DefaultTimeout, overlap: defaultOverlap, idPrefix: defaultPrefix}
	r.dialect(d, document)
	if len(r.faults) == 0 {
		r.checkBody(d, document)
	}
	if len(r.faults) == 0 {
		r.checkVectors(d)
	}
	if err := r.faults.asError(); err != nil {
		return nil, err
	}
	return d, nil
}

// dialect reads the keys of a file.
func (r *reader) dialect(d *Dialect, document *yaml.Node) {
	keys := r.mapping(document, "", "dialect", "description", "content_type", "body", "headers", "secret", "signatures", "acknowledge", "gone",
		"retry", "timeout", "honor_retry_after", "endpoint_id", "handshake", "batch", "vectors")
	for _, required := range []string{"dialect", "body"} {
		if keys[required] == nil {
			r.fault(document, "%s is required", required)
		}
	}
	if name, ok := r.text(keys["dialect"], "dialect", maxName); ok {
		if d.name = name; !hasForm(name, nameForm, maxDialectName) {
			r.fault(keys["dialect"], "dialect must have 1 to 32 lower-case letters, digits and hyphens, beginning with a letter")
		}
	}
	if text, ok := r.text(keys["description"], "description", maxShort); ok {
		if d.description = strings.TrimSpace(text); strings.ContainsFunc(d.description, func(c rune) bool { return !unicode.IsPrint(c) }) {
			r.fault(keys["description"], "description must have printable characters in one line")
		}
	}
	r.contentType(d, keys["content_type"])
	r.body(d, keys["body"])
	r.secret(d, keys["secret"])
	r.headers(d, keys["headers"])
	r.handshake(d, keys["handshake"])
	r.signatures(d, keys["signatures"], document)
	r.statuses(d, keys)
	r.retry(d, keys["retry"])
	r.settings(d, keys)
	if keys["vectors"] != nil {
		r.vectors(d, keys["vectors"])
	}
	d.needsYear = slices.ContainsFunc(d.templates()[1:], template.needsYear)
}

// needsYear reports whether a template has a time of the event in a form with a year.
func (t template) needsYear() bool {
	return slices.ContainsFunc(t, func(s segment) bool {
		return (s.value == valueEventTime || s.value == valueEventCreatedAt) && s.encoding != encodeUnix && s.encoding != encodeUnixMilli
	})
}

// formType is the content type of forms.
const formType = "application/x-www-form-urlencoded"

func (r *reader) contentType(d *Dialect, n *yaml.Node) {
	text := "application/json"
	if given, ok := r.text(n, "content_type", maxShort); ok {
		text = given
		if _, _, err := mime.ParseMediaType(text); err != nil || !printable(text) {
			r.fault(n, "content_type must be a media type, such as application/json")
		}
	}
	d.contentType = []string{text}
}

// isJSON reports whether the body is JSON by its content type.
func (d *Dialect) isJSON() bool {
	media, _, err := mime.ParseMediaType(d.contentType[0])
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

func (r *reader) body(d *Dialect, n *yaml.Node) {
	t, ok := r.template(n, "body", inBody, maxTemplate)
	if !ok {
		return
	}
	d.body = t
	splices := 0
	for _, s := range t {
		if s.value == valueData || s.value == valueMembers || s.value == valueObject {
			splices++
		}
		if form := d.contentType[0] == formType; form && (s.value == valueData && s.encoding != encodeForm || s.value == valueObject) {
			r.fault(n, "body must have the data as {data:form} with the content type %s", d.contentType[0])
		}
	}
	switch {
	case splices > maxSplices:
		r.fault(n, "body must have the event's data at most %d times", maxSplices)
	case strings.HasSuffix(n.Value, "\n"):
		r.fault(n, "body must not end with a line break; write |- instead of |")
	case t.has(valueMembers) && !d.isJSON():
		r.fault(n, "body must be JSON to have {data.members}")
	}
	d.sameBody = !t.has(valueDeliveryID, valueEndpointID)
}

// checkBody renders the body of events with all kinds of data, and refuses one that is not JSON although it must be.
func (r *reader) checkBody(d *Dialect, document *yaml.Node) {
	n := valueOf(document, "body")
	if !d.isJSON() {
		return
	}
	samples := []string{`{}`, `{"a":{"b":[1.50]}}`}
	if !d.body.has(valueMembers, valueObject) {
		samples = append(samples, `[]`, `"text"`, `null`)
	}
	bound := &renderer{Dialect: d.At(Server{URL: "https://hooks.example.com", Host: "hooks.example.com"}), endpoint: "ep_1", tenant: "acme"}
	for i, sample := range samples {
		m := sampleMessage()
		m.Event.Data = []byte(sample)
		rendered, err := bound.AppendBody(nil, m)
		if err != nil {
			r.fault(n, "body cannot be rendered: %s", err)
			return
		}
		if value := jsontext.Value(rendered); !value.IsValid() {
			r.fault(n, "body must be JSON, but is %.300s", rendered)
			return
		}
		if i > 0 || !d.body.has(valueMembers) {
			continue
		}
		names, isObject := namesOf(rendered)
		if !isObject {
			r.fault(n, "body must be an object to have {data.members}")
			return
		}
		d.ownMembers = names
	}
}

// namesOf returns the names of the fields of an object, and false for another value.
func namesOf(value []byte) (list []string, isObject bool) {
	inner, err := envelope.Object("", value)
	if err != nil {
		return nil, false
	}
	for name := range envelope.Members(inner) {
		if text, ok := envelope.Text(name); ok {
			list = append(list, text)
		}
	}
	return list, true
}

// valueOf returns the value of a key that the mapping has.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return mapping
}

// ownHeaders are headers that the sender sets, or that apply to a single connection.
var ownHeaders = []string{
	"host", "content-type", "content-length", "content-encoding", "expect", "traceparent", "connection", "proxy-connection", "keep-alive", "te",
	"trailer", "transfer-encoding", "upgrade", "proxy-authenticate", "proxy-authorization",
}

func (r *reader) headers(d *Dialect, n *yaml.Node) {
	if n == nil {
		return
	}
	if len(n.Content) > 2*maxHeaders {
		r.fault(n, "headers must have at most %d entries", maxHeaders)
		return
	}
	for key, value := range r.pairs(n, "headers") {
		name, ok := r.headerName(d, key, "headers")
		t, compiled := r.template(value, "headers."+name, inHeader, maxShort)
		if !ok || !compiled {
			continue
		}
		r.checkPrintable(value, "headers."+name, t)
		h := header{name: name, template: t}
		if text, literal := t.literal(); literal {
			h.fixed = []string{text}
		}
		if !t.has(valueSecret) && slices.Contains(credentialHeaders, strings.ToLower(name)) {
			r.fault(value, "headers.%s must have {secret}, because other text is shown with attempts; otherwise use the auth of endpoints", name)
		}
		if !t.has(valueSecret) {
			d.headers = append(d.headers, h)
			continue
		}
		if slices.ContainsFunc(t, func(s segment) bool { return s.value != valueNone && s.value != valueSecret }) {
			r.fault(value, "headers.%s must have no other names beside {secret}", name)
		}
		if !d.form.exists() || d.form.pair() {
			r.fault(value, "headers.%s has {secret}, but secret.form is %s", name, d.form.name)
		}
		d.secrets = append(d.secrets, h)
	}
}

// credentialHeaders are headers whose values are secrets.
var credentialHeaders = []string{"authorization", "cookie", "proxy-authorization"}

// originHeader has the DNS name of the sender, in deliveries and in the request for an endpoint's permission.
const originHeader = "WebHook-Request-Origin"

// handshake reads whether an endpoint must allow deliveries.
func (r *reader) handshake(d *Dialect, n *yaml.Node) {
	if n == nil {
		return
	}
	keys := r.mapping(n, "handshake.", "origin")
	if keys["origin"] == nil {
		if n.Kind == yaml.MappingNode {
			r.fault(n, "handshake.origin is required")
		}
		return
	}
	t, ok := r.template(keys["origin"], "handshake.origin", inOrigin, maxShort)
	if !ok {
		return
	}
	for _, s := range t {
		if s.value == valueNone && !hostForm.MatchString(s.literal) {
			r.fault(keys["origin"], "handshake.origin must be a DNS name, such as hooks.example.com or {server.host}")
			return
		}
	}
	if slices.Contains(d.lowerHeaders(), strings.ToLower(originHeader)) {
		r.fault(n, "handshake sets the header %s, which headers must not have", originHeader)
		return
	}
	d.origin = t
	d.headers = append(d.headers, header{name: originHeader, template: t})
}

// headerName returns the name of a header, as it is sent.
func (r *reader) headerName(d *Dialect, n *yaml.Node, what string) (string, bool) {
	name, ok := r.text(n, what, 2*maxName)
	if !ok {
		return "", false
	}
	lower := strings.ToLower(name)
	switch {
	case !hasForm(name, tokenForm, maxToken):
		r.fault(n, "%s must name a header, but %.64q is no name of one", what, name)
		return name, false
	case slices.Contains(ownHeaders, lower):
		r.fault(n, "%s must not have %s, which every request has", what, name)
		return name, false
	case slices.Contains(d.lowerHeaders(), lower):
		r.fault(n, "%s has %s twice", what, name)
		return name, false
	}
	if lower == "user-agent" {
		name = "User-Agent" // which replaces the sender's own
	}
	return name, true
}

// checkPrintable refuses literals that a header cannot contain.
func (r *reader) checkPrintable(n *yaml.Node, what string, t template) {
	for _, s := range t {
		if !printable(s.literal) {
			r.fault(n, "%s must have printable ASCII characters only", what)
			return
		}
	}
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' })
}

func (r *reader) secret(d *Dialect, n *yaml.Node) {
	d.form = form{name: formNone}
	if n == nil {
		return
	}
	keys := r.mapping(n, "secret.", "form", "prefix", "bytes", "min", "max", "key", "encoding", "overlap")
	forms := append(slices.Sorted(maps.Keys(textEncodings)), formText, formEd25519, formNone)
	name, ok := r.choice(keys["form"], "secret.form", forms...)
	if !ok {
		if keys["form"] == nil && n.Kind == yaml.MappingNode {
			r.fault(n, "secret.form is required")
		}
		return
	}
	f := form{name: name, encoding: textEncodings[name]}
	for _, only := range []struct {
		key   string
		forms []string
	}{
		{"bytes", []string{"hex", "base64", "base64url", formText}}, {"min", []string{"hex", "base64", "base64url", formText}},
		{"max", []string{"hex", "base64", "base64url", formText}}, {"key", []string{"hex", "base64", "base64url", formText}},
		{"encoding", []string{formEd25519}}, {"prefix", []string{"hex", "base64", "base64url", formText, formEd25519}},
		{"overlap", []string{"hex", "base64", "base64url", formText, formEd25519}},
	} {
		if keys[only.key] != nil && !slices.Contains(only.forms, name) {
			r.fault(keys[only.key], "secret.%s must not be given with the form %s", only.key, name)
		}
	}
	if text, ok := r.text(keys["prefix"], "secret.prefix", maxName); ok {
		if f.prefix = text; !hasForm(text, secretForm, maxPrefix) {
			r.fault(keys["prefix"], "secret.prefix must have at most 32 letters, digits and characters of _.-")
		}
	}
	f.size = r.number(keys["bytes"], "secret.bytes", minSize, maxSize, defaultSize)
	least, most, made := f.size, f.size, f.size
	if name == formText {
		least, most, made = leastText, mostText, 2*f.size
	}
	f.least = r.number(keys["min"], "secret.min", 1, maxSecret, min(least, made))
	f.most = r.number(keys["max"], "secret.max", 1, maxSecret, max(most, made))
	if made < f.least || made > f.most {
		r.fault(n, "secret.bytes must make a secret that secret.min and secret.max allow; a new one has the length %d", made)
	}
	f.signs = keyIsText
	if signs, ok := r.choice(keys["key"], "secret.key", keyIsText, keyIsUnprefixed, keyIsBytes); ok {
		if f.signs = signs; name == formText && signs == keyIsBytes {
			r.fault(keys["key"], "secret.key must be %s or %s with the form %s", keyIsText, keyIsUnprefixed, name)
		}
	}
	if f.pair() {
		f.least, f.most = 32, 32
		f.encoding = textEncodings["hex"]
		if encoding, ok := r.choice(keys["encoding"], "secret.encoding", slices.Sorted(maps.Keys(textEncodings))...); ok {
			f.encoding = textEncodings[encoding]
		}
	}
	d.form = f
	if overlap, ok := r.duration(keys["overlap"], "secret.overlap", time.Second, maxOverlap); ok {
		d.overlap = overlap
	}
}

func (r *reader) duration(n *yaml.Node, what string, least, most time.Duration) (time.Duration, bool) {
	text, ok := r.text(n, what, maxName)
	if !ok {
		return 0, false
	}
	var d bellwire.Duration
	if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) < least || time.Duration(d) > most {
		r.fault(n, "%s must be a time between %s and %s, such as 10s", what, bellwire.Duration(least), bellwire.Duration(most))
		return 0, false
	}
	return time.Duration(d), true
}

func (r *reader) signatures(d *Dialect, n, document *yaml.Node) {
	if n == nil {
		if d.form.exists() && len(d.secrets) == 0 {
			r.fault(document, "signatures is required, because secret.form is %s and no header has {secret}", d.form.name)
		}
		return
	}
	if n.Kind == yaml.MappingNode || n.Kind == yaml.ScalarNode {
		r.fault(n, "signatures must be a list")
		return
	}
	if !d.form.exists() {
		r.fault(n, "signatures must not be given without secret")
	}
	for i, element := range r.list(n, "signatures", maxSignatures) {
		path := "signatures[" + strconv.Itoa(i) + "]."
		if s, ok := r.scheme(d, element, path); ok {
			d.signatures = append(d.signatures, s)
			d.several = d.several || s.each != nil
		}
	}
	if overlap := d.overlap; !d.several && overlap != defaultOverlap {
		r.fault(n, "signatures must have a format with {signatures} for secret.overlap to have an effect")
	}
}

// scheme reads one entry of signatures.
func (r *reader) scheme(d *Dialect, n *yaml.Node, path string) (s scheme, ok bool) {
	before := len(r.faults)
	keys := r.mapping(n, path, "header", "algorithm", "encoding", "content", "format", "each", "separator")
	for _, required := range []string{"header", "algorithm", "encoding", "content"} {
		if keys[required] == nil && n.Kind == yaml.MappingNode {
			r.fault(n, "%s%s is required", path, required)
		}
	}
	if keys["header"] != nil {
		s.header, _ = r.headerName(d, keys["header"], path+"header")
	}
	if name, ok := r.choice(keys["algorithm"], path+"algorithm", "sha1", "sha256", "sha512", "ed25519"); ok {
		s.algorithm = algorithms[slices.IndexFunc(algorithms, func(a algorithm) bool { return a.name == name })]
		if pair := name == "ed25519"; pair != d.form.pair() && d.form.exists() {
			r.fault(keys["algorithm"], "%salgorithm must fit secret.form: both or neither must be ed25519", path)
		}
	}
	if name, ok := r.choice(keys["encoding"], path+"encoding", slices.Sorted(maps.Keys(signatureEncodings))...); ok {
		s.encode, s.alphabet = signatureEncodings[name], alphabets[name]
	}
	s.content, _ = r.template(keys["content"], path+"content", inContent, maxShort)
	if slices.ContainsFunc(s.content, func(c segment) bool { return c.value == valueData && c.encoding == encodeJSON }) {
		r.fault(keys["content"], "%scontent must not have {data:json}", path)
	}
	if keys["content"] != nil && len(r.faults) == before && !s.content.has(valueBody, valueData) {
		r.fault(keys["content"], "%scontent must have {body} or {data}; otherwise the signature does not protect the message", path)
	}
	s.format = template{{value: valueSignature}}
	if keys["format"] != nil {
		s.format, _ = r.template(keys["format"], path+"format", inFormat, maxShort)
		r.checkPrintable(keys["format"], path+"format", s.format)
	}
	r.several(&s, n, keys, path)
	return s, len(r.faults) == before
}

// several reads how several signatures share a header.
func (r *reader) several(s *scheme, n *yaml.Node, keys map[string]*yaml.Node, path string) {
	one, many := s.format.has(valueSignature), s.format.has(valueSignatures)
	switch {
	case keys["format"] != nil && one == many && s.format != nil:
		r.fault(keys["format"], "%sformat must have either {signature} or {signatures}", path)
		return
	case !many:
		for _, key := range []string{"each", "separator"} {
			if keys[key] != nil {
				r.fault(keys[key], "%s%s must be together with a format that has {signatures}", path, key)
			}
		}
		return
	}
	s.each = template{{value: valueSignature}}
	if keys["each"] != nil {
		s.each, _ = r.template(keys["each"], path+"each", inEach, maxShort)
		r.checkPrintable(keys["each"], path+"each", s.each)
		if s.each != nil && !s.each.has(valueSignature) {
			r.fault(keys["each"], "%seach must have {signature}", path)
		}
	}
	separator, ok := r.text(keys["separator"], path+"separator", maxName)
	switch {
	case keys["separator"] == nil:
		r.fault(n, "%sseparator is required, because the format has {signatures}", path)
	case ok && (separator == "" || !printable(separator)):
		r.fault(keys["separator"], "%sseparator must have printable ASCII characters", path)
	case ok && strings.Trim(separator, s.alphabet) == "":
		r.fault(keys["separator"], "%sseparator must have a character that signatures do not have, so that receivers can tell them apart", path)
	}
	s.separator = separator
}

// statuses reads which statuses acknowledge, and which disable the endpoint.
func (r *reader) statuses(d *Dialect, keys map[string]*yaml.Node) {
	if keys["acknowledge"] == nil {
		d.setStatuses("2xx", bellwire.Acknowledged)
	}
	for _, of := range []struct {
		key     string
		verdict bellwire.Verdict
	}{{"acknowledge", bellwire.Acknowledged}, {"gone", bellwire.Gone}} {
		n := keys[of.key]
		if n == nil {
			continue
		}
		for _, element := range r.list(n, of.key, maxStatuses) {
			if text, ok := r.text(element, of.key, maxName); ok && !d.setStatuses(text, of.verdict) {
				r.fault(element, "%s must have statuses such as 200, or classes such as 2xx, each in one list", of.key)
			}
		}
	}
}

// setStatuses sets the verdict on a status or on a class of statuses, and reports whether the text is one that has no other
// verdict.
func (d *Dialect) setStatuses(text string, verdict bellwire.Verdict) bool {
	first, count := 0, 1
	if class, isClass := strings.CutSuffix(text, "xx"); isClass {
		text, count = class+"00", 100
	}
	if n, err := strconv.Atoi(text); err == nil && len(text) == 3 {
		first = n
	}
	if first < 200 || first+count > len(d.verdicts) {
		return false
	}
	for i := first; i < first+count; i++ {
		if d.verdicts[i] != bellwire.Failed && d.verdicts[i] != verdict {
			return false
		}
		d.verdicts[i] = verdict
	}
	return true
}

// retry reads a retry policy in the form of the native API.
func (r *reader) retry(d *Dialect, n *yaml.Node) {
	d.retry = bellwire.StandardRetryPolicy()
	if n == nil {
		return
	}
	var (
		members map[string]any
		policy  bellwire.RetryPolicy
	)
	if n.Kind != yaml.MappingNode || n.Decode(&members) != nil {
		r.fault(n, "retry must be a mapping, as in the native API")
		return
	}
	text, err := json.Marshal(members)
	if err == nil {
		err = policy.UnmarshalJSON(text)
	}
	if err == nil {
		err = policy.Check()
	}
	if err == nil {
		d.retry = policy
		return
	}
	known, ok := errors.AsType[*bellwire.Error](err)
	if !ok {
		r.fault(n, "retry must be a retry policy, as in the native API")
		return
	}
	faults := known.Faults
	if len(faults) == 0 {
		faults = []*bellwire.Error{known}
	}
	for _, fault := range faults {
		at := n
		if key, found := strings.CutPrefix(fault.Field, "retry."); found {
			key, _, _ = strings.Cut(key, "[")
			at = valueOf(n, key)
		}
		r.fault(at, "%s", fault.Text())
	}
}

// settings reads the keys with simple values.
func (r *reader) settings(d *Dialect, keys map[string]*yaml.Node) {
	if timeout, ok := r.duration(keys["timeout"], "timeout", minTimeout, maxTimeout); ok {
		d.timeout = timeout
	}
	if honors, ok := r.choice(keys["honor_retry_after"], "honor_retry_after", "true", "false"); ok {
		d.retryAfter = honors == "true"
	}
	if prefix, ok := r.text(keys["endpoint_id"], "endpoint_id", maxName); ok {
		if d.idPrefix = prefix; !prefixForm.MatchString(prefix) {
			r.fault(keys["endpoint_id"], "endpoint_id must be the prefix of ids: 1 to 16 lower-case letters and an underscore, such as we_")
		}
	}
	if batch, ok := r.text(keys["batch"], "batch", maxName); ok && !slices.Contains([]string{"off", "false"}, cmp.Or(batch, "on")) {
		r.fault(keys["batch"], "batch must be off, because a request delivers one event")
	}
}
