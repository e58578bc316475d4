package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

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
