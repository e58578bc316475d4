package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	stdjson "encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// ndjsonType is the content type of lines of JSON.
const ndjsonType = "application/x-ndjson"

// kindExport is the kind of the first line of an export.
const kindExport = "export"

// exportPiece is the size of what an export writes at once.
const exportPiece = 64 << 10

// exports adds the route for exports. It does not use Huma, because a body can be larger than memory.
func (a *api) exports() {
	op := a.documentExports()
	a.mux.HandleFunc("GET "+base+"/exports", func(w http.ResponseWriter, r *http.Request) {
		ctx := bellwire.WithCall(r.Context(), httpx.CallOf(w, r))
		export, options, err := a.beginExport(ctx, w, r, op)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		defer export.End()
		// The server's read timeout is for requests, and would end a long export. Only test servers cannot change it.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		w.Header()["Content-Type"] = []string{ndjsonType}
		w.Header().Set("Cache-Control", "no-store")
		lines := &exportWriter{w: w}
		err = lines.encode(exportHeader{Kind: kindExport, Format: exportFormat, Secrets: options.Secrets})
		if err == nil {
			err = export.Write(ctx, lines)
		}
		if err == nil {
			err = lines.flush()
		}
		if err != nil {
			a.log.LogAttrs(ctx, slog.LevelWarn, "export not completed", slog.Any("error", err))
			panic(http.ErrAbortHandler) // so that the client does not take a part for the whole
		}
	})
}

func (a *api) beginExport(ctx context.Context, w http.ResponseWriter, r *http.Request, op *huma.Operation) (*service.Export, service.ExportOptions, error) {
	var options service.ExportOptions
	caller, err := a.authenticate(r)
	if err == nil {
		err = httpx.Confirm(r, caller.Owner())
	}
	if err == nil {
		err = a.svc.Permit(ctx, caller, service.Manage, "")
	}
	if err == nil {
		err = checkParameters(op, r.URL.RawQuery)
	}
	if err == nil {
		options, err = exportOptions(r)
	}
	if err == nil {
		err = httpx.Charge(w, service.ExportPageBytes)
	}
	if err != nil {
		return nil, options, err
	}
	export, err := a.svc.BeginExport(ctx, caller, options)
	return export, options, err
}

func exportOptions(r *http.Request) (o service.ExportOptions, err error) {
	query := r.URL.Query()
	o.Tenant = query.Get("tenant")
	secrets, badSecrets := parseFlag("secrets", query.Get("secrets"), false)
	events, badEvents := parseFlag("events", query.Get("events"), true)
	o.Secrets, o.NoEvents = secrets, !events
	var badSince error
	if text := query.Get("since"); text != "" {
		if o.Since, badSince = time.Parse(time.RFC3339, text); badSince != nil {
			badSince = bellwire.Invalid("since", "must be an RFC 3339 time, such as 2026-01-31T12:30:00Z")
		}
	}
	return o, bellwire.Join(badSecrets, badEvents, badSince)
}

func parseFlag(name, text string, otherwise bool) (bool, error) {
	switch text {
	case "":
		return otherwise, nil
	case "true", "false":
		return text == "true", nil
	}
	return false, bellwire.Invalid(name, "must be true or false")
}

// exportWriter writes the lines of an export, which importLine reads.
type exportWriter struct {
	w      http.ResponseWriter
	buffer bytes.Buffer
}

func (x *exportWriter) flush() error {
	_, err := x.w.Write(x.buffer.Bytes())
	x.buffer.Reset()
	return err
}

// end ends a line.
func (x *exportWriter) end() error {
	x.buffer.WriteByte('\n')
	if x.buffer.Len() < exportPiece {
		return nil
	}
	return x.flush()
}

// encode writes a line, in the same way each time.
func (x *exportWriter) encode(v any) error {
	line, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return err
	}
	x.buffer.Write(line)
	return x.end()
}

// raw adds a field that is JSON already to the line.
func (x *exportWriter) raw(name string, value []byte) {
	if len(value) == 0 {
		return
	}
	x.buffer.WriteString(`,"` + name + `":`)
	if !hasLineBreak(value) {
		x.buffer.Write(value)
		return
	}
	_ = stdjson.Compact(&x.buffer, value) // it was checked when it was stored
}

func hasLineBreak(value []byte) bool { return bytes.ContainsAny(value, "\r\n") }

// The lines of each kind. Fields that are empty are left out.
type (
	exportHeader struct {
		Kind    string `json:"kind"`
		Format  int    `json:"format"`
		Secrets bool   `json:"secrets"`
	}
	exportedType struct {
		Kind        string            `json:"kind"`
		Name        string            `json:"name"`
		Group       string            `json:"group,omitzero"`
		Description string            `json:"description,omitzero"`
		Archived    bool              `json:"archived,omitzero"`
		CreatedAt   time.Time         `json:"created_at"`
		Older       []exportedVersion `json:"older_versions,omitempty"`
	}
	exportedVersion struct {
		Version   int     `json:"version"`
		Schema    rawJSON `json:"schema,omitzero"`
		Example   rawJSON `json:"example,omitzero"`
		Converter string  `json:"converter"`
	}
	exportedKey struct {
		Kind         string         `json:"kind"`
		Tenant       string         `json:"tenant,omitzero"`
		ID           bellwire.KeyID `json:"id"`
		Name         string         `json:"name,omitzero"`
		Role         bellwire.Role  `json:"role"`
		HMAC         bool           `json:"hmac,omitzero"`
		Scopes       []string       `json:"scopes,omitempty"`
		Secret       string         `json:"secret,omitzero"`
		SecretSHA256 string         `json:"secret_sha256,omitzero"`
		CreatedAt    time.Time      `json:"created_at"`
		ExpiresAt    time.Time      `json:"expires_at,omitzero"`
	}
	exportedTenant struct {
		Kind              string                `json:"kind"`
		ID                string                `json:"id"`
		Name              string                `json:"name,omitzero"`
		Metadata          map[string]string     `json:"metadata,omitempty"`
		Limits            heldLimits            `json:"limits,omitempty"`
		Status            bellwire.TenantStatus `json:"status,omitzero"`
		StatusReason      string                `json:"status_reason,omitzero"`
		OperationalEvents bool                  `json:"operational_events,omitzero"`
		Dialects          dialectsSettings      `json:"dialects,omitempty"`
		LeftOut           []string              `json:"left_out,omitempty"`
		CreatedAt         time.Time             `json:"created_at"`
	}
	exportedEndpoint struct {
		Kind             string                  `json:"kind"`
		Tenant           string                  `json:"tenant"`
		ID               string                  `json:"id"`
		URL              string                  `json:"url"`
		Description      string                  `json:"description,omitzero"`
		Dialect          string                  `json:"dialect"`
		Events           []string                `json:"events"`
		UnlistedEvents   []string                `json:"unlisted_events,omitempty"`
		Filter           string                  `json:"filter,omitzero"`
		OnError          bellwire.OnError        `json:"on_error"`
		Retry            bellwire.RetryPolicy    `json:"retry"`
		Secrets          []movedSecret           `json:"secrets,omitempty"`
		Auth             *auth                   `json:"auth,omitzero"`
		Headers          headers                 `json:"headers,omitempty"`
		LeftOut          []string                `json:"left_out,omitempty"`
		RateLimit        float64                 `json:"rate_limit,omitzero"`
		MaxInFlight      int                     `json:"max_in_flight"`
		Timeout          bellwire.Duration       `json:"timeout"`
		AutoDisableAfter bellwire.Duration       `json:"auto_disable_after"`
		Ordering         bellwire.Ordering       `json:"ordering"`
		Signing          bellwire.Signing        `json:"signing"`
		Status           bellwire.EndpointStatus `json:"status"`
		StatusReason     string                  `json:"status_reason,omitzero"`
		Metadata         map[string]string       `json:"metadata,omitempty"`
		Versions         map[string]int          `json:"versions,omitempty"`
		DialectSettings  map[string]string       `json:"dialect_settings,omitempty"`
		CreatedAt        time.Time               `json:"created_at"`
		UpdatedAt        time.Time               `json:"updated_at"`
	}
	exportedEvent struct {
		Key         string    `json:"key,omitzero"`
		CreatedAt   time.Time `json:"created_at"`
		OccurredAt  time.Time `json:"occurred_at,omitzero"`
		DeliverAt   time.Time `json:"deliver_at,omitzero"`
		ExpiresAt   time.Time `json:"expires_at,omitzero"`
		OrderingKey string    `json:"ordering_key,omitzero"`
		Version     int       `json:"version,omitzero"`
		ErasedAt    time.Time `json:"erased_at,omitzero"`
	}
)

func exportedVersions(t *bellwire.EventType) (versions []exportedVersion) {
	for _, v := range wireOlder(t) {
		versions = append(versions, exportedVersion{Version: v.Version, Schema: v.Schema, Example: v.Example, Converter: v.Converter})
	}
	return versions
}

// EventType writes an event type.
func (x *exportWriter) EventType(t *bellwire.EventType) error {
	line, err := json.Marshal(exportedType{
		Kind: service.ImportEventType, Name: t.Name, Group: t.Group, Description: t.Description, Archived: t.Archived, CreatedAt: t.CreatedAt.UTC(),
		Older: exportedVersions(t),
	})
	if err != nil {
		return err
	}
	x.buffer.Write(line[:len(line)-1])
	x.raw("schema", t.Schema)
	x.raw("example", t.Example)
	x.buffer.WriteByte('}')
	return x.end()
}

// Key writes a key.
func (x *exportWriter) Key(k *service.ExportedKey) error {
	line := exportedKey{
		Kind: service.ImportKey, Tenant: k.Tenant, ID: k.ID, Name: k.Name, Role: k.Role, HMAC: k.Sealed != nil, Scopes: k.Scopes.List(), Secret: k.Secret,
		CreatedAt: k.CreatedAt.UTC(), ExpiresAt: k.ExpiresAt.UTC(),
	}
	if k.Secret == "" {
		line.SecretSHA256 = hex.EncodeToString(k.Hash[:])
	}
	return x.encode(line)
}

// Tenant writes a tenant.
func (x *exportWriter) Tenant(t *service.ExportedTenant) error {
	line := exportedTenant{
		Kind: service.ImportTenant, ID: t.ID, Name: t.Name, Metadata: t.Metadata, Limits: wireOwn(t.Limits), StatusReason: t.StatusReason,
		OperationalEvents: t.OperationalEvents, Dialects: wireDialects(t.Dialects), CreatedAt: t.CreatedAt.UTC(), LeftOut: t.LeftOut,
	}
	if t.Paused {
		line.Status = bellwire.TenantPaused
	}
	return x.encode(line)
}

// Endpoint writes an endpoint.
func (x *exportWriter) Endpoint(ep *service.ExportedEndpoint) error {
	line := exportedEndpoint{
		Kind: service.ImportEndpoint, Tenant: ep.Tenant, ID: ep.ID, URL: ep.URL, Description: ep.Description, Dialect: ep.Dialect, Events: ep.Events,
		UnlistedEvents: ep.Unlisted, Filter: ep.Filter, OnError: ep.OnError, Retry: ep.Retry, LeftOut: ep.LeftOut, RateLimit: ep.RateLimit,
		MaxInFlight: ep.MaxInFlight, Timeout: bellwire.Duration(ep.Timeout), AutoDisableAfter: bellwire.Duration(ep.AutoDisableAfter), Ordering: ep.Ordering,
		Signing: ep.Signing, Status: ep.Status, StatusReason: ep.StatusReason, Metadata: ep.Metadata, Versions: ep.Gets, DialectSettings: ep.Extra,
		CreatedAt: ep.CreatedAt.UTC(), UpdatedAt: ep.UpdatedAt.UTC(),
	}
	if c := ep.Credentials; c != nil {
		for _, s := range c.Secrets {
			line.Secrets = append(line.Secrets, movedSecret{Secret: s.Value, PrivateKey: s.PrivateKey, ExpiresAt: s.ExpiresAt.UTC()})
		}
		if c.Auth.Type != "" && c.Auth.Type != bellwire.AuthNone {
			line.Auth = &auth{
				Type: c.Auth.Type, Header: c.Auth.Header, Key: c.Auth.Key, Username: c.Auth.Username, Password: c.Auth.Password, Token: c.Auth.Token,
			}
		}
		line.Headers = headers(c.Headers)
	}
	return x.encode(line)
}

// Event writes an event, its data byte for byte. Data with line breaks is written as base64.
func (x *exportWriter) Event(e *bellwire.Event) error {
	line := exportedEvent{
		Key: e.IdempotencyKey, CreatedAt: e.CreatedAt.UTC(), OccurredAt: e.OccurredAt.UTC(), DeliverAt: e.DeliverAt.UTC(), ExpiresAt: e.ExpiresAt.UTC(),
		OrderingKey: e.OrderingKey, Version: e.Version.Number,
	}
	b := append(x.buffer.AvailableBuffer(), `{"kind":"event","tenant":"`...)
	b = append(b, e.Tenant...) // letters, digits, _ and -
	b = append(b, `","id":"`...)
	b, _ = e.ID.AppendText(b) // never fails
	b = append(b, `","type":"`...)
	b = append(b, e.Type...) // letters, digits and . _ : -
	switch {
	case e.Erased != nil:
		line.ErasedAt = e.Erased.At.UTC()
		b = append(b, `","data":null,`...)
	case hasLineBreak(e.Data):
		b = append(b, `","data_base64":"`...)
		b = base64.StdEncoding.AppendEncode(b, e.Data)
		b = append(b, `",`...)
	default:
		b = append(b, `","data":`...)
		b = append(b, e.Data...)
		b = append(b, ',')
	}
	x.buffer.Write(b)
	rest, err := json.Marshal(line)
	if err != nil {
		return err
	}
	x.buffer.Write(rest[1:])
	return x.end()
}

func (a *api) documentExports() *huma.Operation {
	doc := a.huma.OpenAPI()
	flag := func(name, doc string, otherwise bool) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeBoolean, Default: otherwise}}
	}
	op := &huma.Operation{
		OperationID: "export", Method: http.MethodGet, Path: "/exports", Tags: []string{tagServer},
		Summary: "Export everything",
		Description: "For admin keys. Responds with NDJSON, in the format that `POST /imports` reads: event types, keys, tenants, endpoints and events. " +
			"Keys have the SHA-256 of their secret. Without `secrets`, an endpoint has a field `left_out`, with the names of what is missing. " +
			"What belongs to one tenant is read at one revision, and the whole as it comes: what changes meanwhile may be missing. " +
			"Events that are accepted meanwhile are left out, and events of tests are too. A response that ends early is not complete.",
		Parameters: []*huma.Param{
			flag("secrets", "With the secrets, authentication and headers of endpoints, and with the secrets of keys that sign requests. The audit log says so.", false),
			flag("events", "With events.", true),
			{Name: "tenant", In: "query", Description: "Only the catalogue and this tenant.", Example: "acme", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "since", In: "query", Description: "Only events that were accepted at this time or later, and those of the hour before.", Schema: &huma.Schema{Type: huma.TypeString, Format: "date-time"}},
		},
	}
	describe(op)
	op.Responses = map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK),
		Content: map[string]*huma.MediaType{ndjsonType: {
			Schema: &huma.Schema{Type: huma.TypeString}, Example: `{"kind":"export","format":1,"secrets":false}`,
		}},
	}}
	addErrors(doc, op, op.Errors...)
	addErrors(doc, op, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError)
	doc.AddOperation(op)
	return op
}
