package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// maxWholeImport is the size of the largest import that is checked whole before anything changes. It is kept in memory meanwhile.
const maxWholeImport = 16 << 20

// imports adds the route for imports. It does not use Huma, because a body can be larger than memory.
func (a *api) imports() {
	op := a.documentImports()
	a.mux.HandleFunc("POST "+base+"/imports", func(w http.ResponseWriter, r *http.Request) {
		faults := &faultStream{w: w}
		report, err := a.importBody(w, r, op, faults)
		if err != nil && faults.begun {
			a.log.LogAttrs(r.Context(), slog.LevelWarn, "check of an import not completed", slog.Any("error", err))
			panic(http.ErrAbortHandler) // so that the client does not take a part of the faults for all
		}
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if faults.wanted {
			_ = faults.end(report) // the client may be gone
			return
		}
		body, err := marshal(nil, report)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		w.Header()["Content-Type"] = jsonType
		_, _ = w.Write(body) // the client may be gone
	})
}

// faultStream is the answer to a dry run as NDJSON: each fault when it is found, and the report last. So it has them all, however
// many there are, and keeps none.
type faultStream struct {
	w             http.ResponseWriter
	wanted, begun bool
}

// importAnswerLine is a line of the answer.
type importAnswerLine struct {
	Fault  *importFault  `json:"fault,omitempty" doc:"What is wrong with a line of the import."`
	Report *importReport `json:"report,omitempty" doc:"The last line. Without it, the answer is not complete."`
}

// isWanted reports whether the client asks for this form of the answer.
func (s *faultStream) isWanted(r *http.Request) bool {
	for accepted := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if form, _, err := mime.ParseMediaType(accepted); err == nil && form == ndjsonType {
			return true
		}
	}
	return false
}

// begin begins the answer, while the client still sends.
func (s *faultStream) begin() {
	if s.begun {
		return
	}
	s.begun = true
	_ = http.NewResponseController(s.w).EnableFullDuplex() // what does not support it is duplex always, or a recorder in memory
	s.w.Header()["Content-Type"] = []string{ndjsonType}
}

func (s *faultStream) tell(fault service.ImportFault) error {
	s.begin()
	return s.line(importAnswerLine{Fault: (*importFault)(&fault)})
}

func (s *faultStream) end(report *importReport) error {
	s.begin()
	return s.line(importAnswerLine{Report: report})
}

func (s *faultStream) line(line importAnswerLine) error {
	text, err := marshal(nil, line)
	if err != nil {
		return err
	}
	if _, err := s.w.Write(append(text, '\n')); err != nil {
		return bellwire.Wrap(bellwire.CodeCanceled, err, "the client does not read the faults that are found")
	}
	return nil
}

func (a *api) importBody(w http.ResponseWriter, r *http.Request, op *huma.Operation, faults *faultStream) (*importReport, error) {
	ctx := bellwire.WithCall(r.Context(), httpx.CallOf(w, r))
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
	if err != nil {
		return nil, err
	}
	most := base64.StdEncoding.EncodedLen(a.svc.MaxEventBytes()) + importWrapper
	body, err := httpx.StreamBody(w, r, maxWholeImport+most)
	if err != nil {
		return nil, err
	}
	dryRun, err := parseDryRun(r.URL.Query().Get("dry_run"))
	if err != nil {
		return nil, err
	}
	im, err := a.svc.BeginImport(ctx, caller, dryRun)
	if err != nil {
		return nil, err
	}
	defer im.End()
	if dryRun {
		if faults.wanted = faults.isWanted(r); faults.wanted {
			im.Tell = faults.tell
		}
		return importLines(ctx, im, body, most, false)
	}
	return importAll(ctx, im, body, most)
}

func parseDryRun(text string) (bool, error) {
	switch text {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, bellwire.Invalid("dry_run", "must be true or false")
}

// importWrapper is the size allowed for a line in addition to the data of an event.
const importWrapper = 64 << 10

// importAll checks a body whole before it imports it. What is larger than maxWholeImport is imported as it comes, up to the first fault.
func importAll(ctx context.Context, im *service.Import, body io.Reader, most int) (*importReport, error) {
	head := new(bytes.Buffer)
	if _, err := io.CopyN(head, body, maxWholeImport+1); err == nil {
		return importLines(ctx, im, io.MultiReader(head, body), most, true)
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	check := im.DryRun()
	report, err := importLines(ctx, check, bytes.NewReader(head.Bytes()), most, false)
	if err != nil {
		return nil, err
	}
	if report.FaultCount > 0 {
		return nil, report.refusal("nothing was imported")
	}
	return importLines(ctx, im, head, most, true)
}

// importLines imports lines. With stop, it stops at the first fault.
func importLines(ctx context.Context, im *service.Import, body io.Reader, most int, stop bool) (*importReport, error) {
	lines := &lineReader{in: bufio.NewReaderSize(body, 64<<10), most: most}
	for !stop || !im.Faulty() {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && len(line) == 0 {
			continue
		}
		if err == nil {
			err = ofLine(line, importLine(ctx, im, lines.number, line))
		}
		if err == nil {
			continue
		}
		if err := im.Fault(lines.number, err); err != nil {
			_, _ = im.Finish(ctx) // what is stored already is recorded
			return nil, err
		}
	}
	done, err := im.Finish(ctx)
	if err != nil {
		return nil, err
	}
	report := wireImport(done, lines.number)
	if stop && report.FaultCount > 0 {
		return nil, report.refusal(report.progress())
	}
	return report, nil
}

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
			return joinFaults(misfits, im.Key(checkOnly(ctx, misfits), number, key))
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
		return joinFaults(misfits, im.Event(checkOnly(ctx, misfits), number, e))
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
	return joinFaults(misfits, f(checkOnly(ctx, misfits), v))
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
		StatusReason    string            `json:"status_reason,omitzero"`
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

// parseImportedEvent parses the line of an event. Its data is copied, byte for byte.
func parseImportedEvent(line []byte) (e service.ImportedEvent, err error) {
	p := newParser(line)
	defer p.release()
	if err := p.begin('{', alone, ""); err != nil {
		return e, err
	}
	seen := make(map[string]bool)
	var faults faultList
	for p.dec.PeekKind() != '}' {
		quoted, err := p.name()
		if err != nil {
			return e, err
		}
		name := string(quoted[1 : len(quoted)-1])
		switch name {
		case "kind":
			_, err = p.text(alone, name)
		case "tenant":
			e.Tenant, err = p.text(alone, name)
		case "type":
			e.Type, err = p.text(alone, name)
		case "data":
			e.Data, err = p.raw()
		case "data_base64":
			e.Data, err = p.base64JSON(name)
		case "id":
			e.ID, err = p.optionalText(alone, name)
		case "key":
			e.Key, err = p.optionalText(alone, name)
		case "created_at":
			e.CreatedAt, err = p.time(alone, name)
		case "occurred_at":
			e.OccurredAt, err = p.time(alone, name)
		case "deliver_at":
			e.DeliverAt, err = p.time(alone, name)
		case "expires_at":
			e.ExpiresAt, err = p.time(alone, name)
		case "ordering_key":
			e.OrderingKey, err = p.optionalText(alone, name)
		case "version":
			e.Version, err = p.number(name)
		case "erased_at":
			e.ErasedAt, err = p.time(alone, name)
		default:
			err = p.skip(unknown(alone, quoted, eventMembers...))
		}
		if err == nil && seen[name] {
			err = twice(name)
		}
		if !faults.add(err) {
			return e, err
		}
		seen[name] = true
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return e, p.broken(err)
	}
	for _, name := range []string{"tenant", "type"} {
		if !seen[name] {
			faults.add(bellwire.Invalid(name, "is required"))
		}
	}
	switch {
	case seen["data"] && seen["data_base64"]:
		faults.add(bellwire.Invalid("data_base64", "must not be given together with data"))
	case !seen["data"] && !seen["data_base64"] && !seen["erased_at"]:
		faults.add(bellwire.Invalid("data", "is required; it may be null"))
	}
	if err := faults.join(); err != nil {
		return e, err
	}
	e.Data = bytes.Clone(e.Data)
	return e, p.end()
}

// eventMembers are the members of the line of an event.
var eventMembers = []string{
	"kind", "tenant", "type", "data", "data_base64", "id", "key", "created_at", "occurred_at", "deliver_at", "expires_at", "ordering_key", "version", "erased_at",
}

// number parses a whole number from 1.
func (p *parser) number(name string) (int, error) {
	text, err := p.raw()
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return 0, bellwire.Invalid(name, "must be a whole number from 1")
	}
	return n, nil
}

// base64JSON parses text that is the base64 of JSON.
func (p *parser) base64JSON(name string) ([]byte, error) {
	text, err := p.text(alone, name)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !utf8.Valid(data) || !jsontext.Value(data).IsValid(parserOptions...) {
		return nil, bellwire.Invalid(name, "must be the base64, with padding, of a JSON value")
	}
	return data, nil
}

// importReport is the answer.
type importReport struct {
	Lines     int          `json:"lines" doc:"Number of lines that were read."`
	Created   importCounts `json:"created" doc:"What was created, or with dry_run would be."`
	Unchanged importCounts `json:"unchanged" doc:"What existed already."`
	// PastRetention and RetainedSince tell what the server's retention makes of the events.
	PastRetention int           `json:"past_retention" doc:"How many of the created events the next clean-up deletes, which begins within a minute: those from before retained_since, or older than the event_retention of their tenant."`
	RetainedSince *time.Time    `json:"retained_since" nullable:"true" doc:"Events that were accepted earlier are deleted; null: none are."`
	FaultCount    int           `json:"fault_count" doc:"Number of faults. Always 0 without dry_run, because a faulty import is refused with 422."`
	Faults        []importFault `json:"faults" doc:"The first 100 faults. With Accept: application/x-ndjson, a dry run answers with all."`
}

type importCounts struct {
	Tenants    int `json:"tenants"`
	Keys       int `json:"keys"`
	EventTypes int `json:"event_types"`
	Endpoints  int `json:"endpoints"`
	Events     int `json:"events"`
}

type importFault struct {
	Line    int    `json:"line" example:"3"`
	Field   string `json:"field" example:"url" doc:"The member at fault; empty if it is the whole line."`
	Message string `json:"message" example:"must be an absolute http or https URL, such as https://example.com/hooks"`
}

func wireImport(r *service.ImportReport, lines int) *importReport {
	wire := &importReport{
		Lines: lines, Created: countsOf(r.Created), Unchanged: countsOf(r.Unchanged), PastRetention: r.PastRetention, RetainedSince: timeOrNull(r.RetainedSince), FaultCount: r.FaultCount, Faults: make([]importFault, len(r.Faults)),
	}
	for i, fault := range r.Faults {
		wire.Faults[i] = importFault(fault)
	}
	return wire
}

func countsOf(byKind map[string]int) importCounts {
	return importCounts{
		Tenants: byKind[service.ImportTenant], Keys: byKind[service.ImportKey], EventTypes: byKind[service.ImportEventType],
		Endpoints: byKind[service.ImportEndpoint], Events: byKind[service.ImportEvent],
	}
}

// progress says how much of an import was done before its first fault.
func (r *importReport) progress() string {
	c := r.Created
	return fmt.Sprintf("the lines before it were imported: %d tenants, %d keys, %d event types, %d endpoints and %d events; correct the line, and import the same file again",
		c.Tenants, c.Keys, c.EventTypes, c.Endpoints, c.Events)
}

// refusal returns the error of an import with faults.
func (r *importReport) refusal(done string) error {
	faults := make([]error, min(len(r.Faults), maxFaults))
	for i, fault := range r.Faults[:len(faults)] {
		field := fmt.Sprintf("lines[%d]", fault.Line)
		if fault.Field != "" {
			field += "." + fault.Field
		}
		faults[i] = bellwire.Invalid(field, "%s", fault.Message)
	}
	err := bellwire.Join(faults...)
	if known, ok := errors.AsType[*bellwire.Error](err); ok {
		known.Hint = fmt.Sprintf("The import has %d faults; %s.", r.FaultCount, done)
		if r.FaultCount == 1 {
			known.Hint = fmt.Sprintf("The import has one fault; %s.", done)
		}
	}
	return err
}

func (a *api) documentImports() *huma.Operation {
	doc := a.huma.OpenAPI()
	op := &huma.Operation{
		OperationID: "import", Method: http.MethodPost, Path: "/imports", Tags: []string{tagServer},
		Summary: "Import from another system",
		Description: "For admin keys. The body is NDJSON: one object a line, with a `kind`: `tenant`, `key`, `event_type`, `endpoint` or `event`. " +
			"A line may refer to what is stored, or to lines before it. Events are history: they are listed at their own times and can be replayed, and are sent to nobody. " +
			"Nothing that exists is changed: the same body again creates nothing. A body of at most 16 MiB is checked whole before anything changes. " +
			"A larger one is imported as it comes, up to the first fault: make a dry run of it first. With `Accept: application/x-ndjson`, a dry " +
			"run answers with every fault when it is found, one a line, and then the report: read the answer while you send.",
		Parameters: []*huma.Param{{
			Name: "dry_run", In: "query", Description: "Check all lines, and change nothing.", Schema: &huma.Schema{Type: huma.TypeBoolean},
		}},
	}
	describe(op)
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		ndjsonType: {Schema: &huma.Schema{Type: huma.TypeString}, Example: `{"kind":"tenant","id":"acme"}`},
	}}
	op.Responses = map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK),
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: doc.Components.Schemas.Schema(reflect.TypeFor[importReport](), true, "")},
			ndjsonType:         {Schema: doc.Components.Schemas.Schema(reflect.TypeFor[importAnswerLine](), true, "")},
		},
	}}
	addErrors(doc, op, op.Errors...)
	addErrors(doc, op, http.StatusBadRequest, http.StatusConflict, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
		http.StatusInternalServerError, http.StatusInsufficientStorage)
	doc.AddOperation(op)
	return op
}
