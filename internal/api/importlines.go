package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// lineReader reads lines of bounded length.
type lineReader struct {
	in     *bufio.Reader
	most   int
	number int // of the last line
	buffer []byte
}

// next returns the next line without the white space around it, valid until the next call. A line that is too long is passed over, and
// is an error with CodeTooLarge.
func (l *lineReader) next() ([]byte, error) {
	l.buffer = l.buffer[:0]
	long := false
	for first := true; ; first = false {
		part, err := l.in.ReadSlice('\n')
		if errors.Is(err, io.EOF) && first && len(part) == 0 {
			return nil, io.EOF
		}
		if first {
			l.number++
		}
		if long = long || len(l.buffer)+len(part) > l.most+1; !long {
			l.buffer = append(l.buffer, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case long:
			return nil, bellwire.Errorf(bellwire.CodeTooLarge, "the line must have at most %s bytes", bellwire.Number(l.most))
		default:
			line := l.buffer
			if l.number == 1 {
				line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")) // some programs write a byte order mark
			}
			return bytes.TrimSpace(line), nil
		}
	}
}

// importLine imports one line.
func importLine(ctx context.Context, im *service.Import, number int, line []byte) error {
	if !utf8.Valid(line) {
		return bellwire.Errorf(bellwire.CodeMalformed, "the line is not UTF-8 text")
	}
	kind, err := kindOf(line)
	if err != nil {
		return err
	}
	switch kind {
	case service.ImportTenant:
		return parsed(ctx, line, func(ctx context.Context, v *importedTenant) error { return im.Tenant(ctx, number, v.imported()) })
	case service.ImportKey:
		return parsed(ctx, line, func(ctx context.Context, v *importedKey) error {
			key, misfits := v.imported()
			return bellwire.AddFaults(misfits, im.Key(checkOnly(ctx, misfits), number, key))
		})
	case service.ImportEventType:
		return parsed(ctx, line, func(ctx context.Context, v *importedType) error { return im.EventType(ctx, number, v.imported()) })
	case service.ImportEndpoint:
		return parsed(ctx, line, func(ctx context.Context, v *importedEndpoint) error {
			return im.Endpoint(ctx, number, v.Tenant, v.imported())
		})
	case kindExport:
		return parsed(ctx, line, func(_ context.Context, v *importedHeader) error { return v.check() })
	case service.ImportEvent:
		e, misfits := parseImportedEvent(line)
		if misfits != nil && bellwire.CodeOf(misfits) != bellwire.CodeInvalid {
			return misfits
		}
		return bellwire.AddFaults(misfits, im.Event(checkOnly(ctx, misfits), number, e))
	}
	return bellwire.Invalid("kind", "must be %s", bellwire.OneOf(service.ImportKinds))
}

// ofLine turns the error of a body that is not JSON into that of a line.
func ofLine(line []byte, err error) error {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok || bellwire.CodeOf(err) != bellwire.CodeMalformed {
		return err
	}
	fault := httpx.ExplainSyntax(line, syntax)
	return bellwire.Errorf(bellwire.CodeMalformed, "the line is not JSON: %s in column %d", fault.Problem, fault.Column)
}

// parsed parses a line, and calls f with what it describes, without the fields that do not fit.
func parsed[T any](ctx context.Context, line []byte, f func(ctx context.Context, v *T) error) error {
	v := new(T)
	fits, misfits := httpx.ParseFitting(line, v)
	if !fits {
		return misfits
	}
	return bellwire.AddFaults(misfits, f(checkOnly(ctx, misfits), v))
}

// checkOnly returns the context in which to look for more faults of what has misfits, which must change nothing, and ctx if there are none.
func checkOnly(ctx context.Context, misfits error) context.Context {
	if misfits == nil {
		return ctx
	}
	return bellwire.DryRun(ctx)
}

// kindOf returns the kind of a line.
func kindOf(line []byte) (string, error) {
	p := newParser(line)
	defer p.release()
	if p.dec.PeekKind() != '{' {
		if err := p.skip(nil); err != nil {
			return "", err
		}
		return "", bellwire.Errorf(bellwire.CodeInvalid, "the line must be an object, such as {\"kind\": \"tenant\", \"id\": \"acme\"}")
	}
	if err := p.begin('{', alone, ""); err != nil {
		return "", err
	}
	for p.dec.PeekKind() != '}' {
		name, err := p.name()
		if err != nil {
			return "", err
		}
		if string(name) == `"kind"` {
			return p.text(alone, "kind")
		}
		if err := p.skip(nil); err != nil {
			return "", err
		}
	}
	return "", bellwire.Invalid("kind", "is required; it must be %s", bellwire.OneOf(service.ImportKinds))
}

// The lines of each kind but events, which parseImportedEvent parses.
type (
	importedTenant struct {
		Kind string `json:"kind"`
		NewTenant
		CreatedAt time.Time `json:"created_at,omitzero"`
		LeftOut   []string  `json:"left_out,omitzero"`
	}
	importedKey struct {
		Kind         string        `json:"kind"`
		Tenant       string        `json:"tenant,omitzero"`
		Name         string        `json:"name,omitzero"`
		Role         bellwire.Role `json:"role"`
		HMAC         bool          `json:"hmac,omitzero"`
		Scopes       []string      `json:"scopes,omitzero"`
		ID           string        `json:"id,omitzero"`
		Secret       string        `json:"secret,omitzero"`
		SecretSHA256 string        `json:"secret_sha256,omitzero"`
		CreatedAt    time.Time     `json:"created_at,omitzero"`
		ExpiresAt    *time.Time    `json:"expires_at,omitzero"`
	}
	importedType struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
		EventTypeInput
		Older     []importedVersion `json:"older_versions,omitzero"`
		CreatedAt time.Time         `json:"created_at,omitzero"`
	}
	importedVersion struct {
		Version int `json:"version,omitzero"` // its place says it, too
		NewVersionInput
	}
	importedEndpoint struct {
		Kind   string `json:"kind"`
		Tenant string `json:"tenant"`
		NewEndpoint
		UpdatedAt       time.Time         `json:"updated_at,omitzero"`
		StatusReason    string            `json:"status_reason,omitzero"` // instead of NewEndpoint's: Bellwire's own can be longer
		DialectSettings map[string]string `json:"dialect_settings,omitzero"`
		UnlistedEvents  []string          `json:"unlisted_events,omitzero"`
		LeftOut         []string          `json:"left_out,omitzero"`
	}
	importedHeader struct {
		Kind    string `json:"kind"`
		Format  int    `json:"format"`
		Secrets bool   `json:"secrets"`
	}
)

// exportFormat is the version of the format that exports are in.
const exportFormat = 1

// check refuses exports in a format that this server does not know.
func (h *importedHeader) check() error {
	if h.Format != exportFormat {
		return bellwire.Invalid("format", "must be %d; an export in another format needs another version of Bellwire", exportFormat)
	}
	return nil
}

func (e *importedEndpoint) imported() service.EndpointInput {
	in := e.input()
	if in.Origins == nil {
		in.Origins = new(service.Origins)
	}
	in.Origins.UpdatedAt, in.Origins.StatusReason, in.Origins.LeftOut = e.UpdatedAt, e.StatusReason, e.LeftOut
	in.Unlisted = e.UnlistedEvents
	if e.DialectSettings != nil {
		in.Extra = &e.DialectSettings
	}
	return in
}

func (t *importedTenant) imported() service.ImportedTenant {
	return service.ImportedTenant{CreatedAt: t.CreatedAt, LeftOut: t.LeftOut, NewTenant: service.NewTenant{
		ID: t.ID, Name: t.Name, Metadata: t.Metadata, Limits: t.Limits, Status: t.Status.given, StatusReason: t.StatusReason.given,
		OperationalEvents: t.OperationalEvents.given, Dialects: t.Dialects.settings(),
	}}
}

func (k *importedKey) imported() (service.ImportedKey, error) {
	in := service.ImportedKey{
		Tenant: k.Tenant, CreatedAt: k.CreatedAt,
		NewKey: service.NewKey{Name: k.Name, Role: k.Role, HMAC: k.HMAC, Scopes: k.Scopes, Secret: k.Secret},
	}
	if k.ExpiresAt != nil && !k.ExpiresAt.IsZero() {
		in.ExpiresAt = bellwire.StoredTime(*k.ExpiresAt)
	}
	var badID, badHash error
	if k.ID != "" {
		in.ID, badID = parseKeyID(k.ID)
	}
	if k.SecretSHA256 != "" {
		in.SecretSHA256, badHash = parseHash(k.SecretSHA256)
	}
	return in, bellwire.Join(badID, badHash)
}

// parseKeyID parses the id of a key in the forms of Bellwire and of the vendors.
func parseKeyID(text string) (bellwire.KeyID, error) {
	id, ok := service.ParseKeyID(strings.TrimPrefix(text, "api_"))
	if !ok {
		return id, bellwire.Invalid("id", "must be key_ or api_ and 32 hex digits, or a UUID")
	}
	return id, nil
}

// parseHash parses the SHA-256 of a secret. Text at fault is a hash, too, so that none is missed.
func parseHash(text string) ([]byte, error) {
	hash, err := hex.DecodeString(text)
	if err != nil || len(hash) != sha256.Size {
		return []byte{}, bellwire.Invalid("secret_sha256", "must have 64 hex digits")
	}
	return hash, nil
}

func (t *importedType) imported() service.ImportedType {
	var older []service.NewVersion
	for _, v := range t.Older {
		older = append(older, service.NewVersion{Schema: []byte(v.Schema.Value), Example: []byte(v.Example.Value), Converter: v.Converter})
	}
	return service.ImportedType{Name: t.Name, CreatedAt: t.CreatedAt, Older: older, EventTypeInput: service.EventTypeInput{
		Description: t.Description, Group: t.Group, Archived: t.Archived,
		Schema: []byte(t.Schema.Value), Example: []byte(t.Example.Value),
	}}
}
