// Package api is the native HTTP API below /api/v1, its OpenAPI 3.1 document at /openapi.json and the
// page for people at /docs. The routes are those of the public contract; the document is made from the
// same Go types that the handlers use.
//
// Requests and responses are JSON; errors are problem+json (RFC 9457) with a stable code. The content type of a request is
// ignored: every body is parsed as JSON. Unknown fields and query parameters are refused, because silently ignoring a misspelled
// option does harm.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

const base = "/api/v1"

// Options configure the API. The zero value is valid.
type Options struct {
	Logger    *slog.Logger // nil for no logging
	Version   string       // of Bellwire, shown in the documentation
	PublicURL string       // where clients reach this server, for the documentation's examples
}

// New returns the handler for /api, /openapi.json and /docs. It responds to all other paths with 404.
func New(svc *service.Service, o Options) http.Handler {
	return newAPI(svc, o).handler()
}

func newAPI(svc useCases, o Options) *api {
	a := &api{svc: svc, log: o.Logger}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.refused = httpx.NewRefusalLog(a.log)
	if o.PublicURL == "" {
		o.PublicURL = "http://127.0.0.1:8080"
	}
	a.publicURL = strings.TrimRight(o.PublicURL, "/")
	a.cookie = newCookie(o.PublicURL)
	a.mux = httpx.NewMux(a.notFound, a.methodNotAllowed)
	a.huma = humago.New(a.mux, configuration(o))
	a.huma.UseMiddleware(a.authenticateCall)
	a.tenants()
	a.keys()
	a.eventTypes()
	a.endpoints()
	a.filters()
	a.urls()
	a.publishing()
	a.events()
	a.deliveries()
	a.jobs()
	a.dialects()
	a.statistics()
	a.audit()
	a.sessions()
	a.imports()
	a.exports()
	a.nodes()
	a.alerts()
	a.ids()
	a.stream()
	a.documentation()
	return a
}

func (a *api) handler() http.Handler { return httpx.Recover(a.log, a.panicked, a.mux) }

type api struct {
	svc     useCases
	log     *slog.Logger
	refused *httpx.RefusalLog
	mux     *httpx.Mux
	huma    huma.API

	publicURL string // without a slash at its end
	cookie    *cookie
}

// call has what handlers need to know about a request in addition to its input.
type call struct {
	caller    service.Caller
	requestID string
	url       *url.URL
	userAgent string
	writer    http.ResponseWriter
	changes   bool             // the request changes something
	encoded   *[]byte          // the body of the response, once it is known
	body      *[]byte          // of the request, if it has been read
	misfits   *error           // the fields of the body that do not fit, which are left out
	request   *service.Request // nil if the request has no idempotency key
	// beginReading is the service's.
	beginReading func(ctx context.Context, owner string, bytes int) (end func(), err error)
}

type callKey struct{}

// callOf returns the call of a context that an operation gets.
func callOf(ctx context.Context) call { return ctx.Value(callKey{}).(call) }

// authenticateCall runs before everything else, so that unauthenticated callers cannot probe what exists.
func (a *api) authenticateCall(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	caller, err := a.callerOf(ctx.Operation(), r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	ctx = huma.WithContext(ctx, bellwire.WithCall(ctx.Context(), httpx.CallOf(w, r)))
	next(huma.WithValue(ctx, callKey{}, call{
		caller: caller, requestID: httpx.RequestID(w), url: r.URL, userAgent: r.UserAgent(), writer: w,
		changes: r.Method != http.MethodGet && r.Method != http.MethodHead, encoded: new([]byte), misfits: new(error),
		beginReading: a.svc.BeginReading,
	}))
}

// callerOf returns the caller of an operation, nobody if it needs none.
func (a *api) callerOf(op *huma.Operation, r *http.Request) (service.Caller, error) {
	if len(op.Security) == 0 {
		httpx.Claim(r, "nobody")
		return service.Caller{}, nil
	}
	caller, err := a.authenticate(r)
	if err != nil {
		return caller, err
	}
	return caller, httpx.Confirm(r, caller.Owner())
}

// answerToChange is the size, in bytes, that is reserved for the response to a change before the change is made.
const answerToChange = 64 << 10

// permit runs before parameters and body are read, so that a missing permission is reported whatever the request contains.
func (a *api) permit(need service.Permission) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := callOf(ctx.Context())
		r, w := humago.Unwrap(ctx)
		err := a.svc.Permit(ctx.Context(), c.caller, need, ctx.Param("tenant"))
		if err == nil {
			err = checkParameters(ctx.Operation(), r.URL.RawQuery)
		}
		if err == nil && c.changes {
			err = c.charge(answerToChange)
		}
		if err != nil {
			a.fail(w, r, err)
			return
		}
		next(ctx)
	}
}

func (a *api) authenticate(r *http.Request) (service.Caller, error) {
	return a.credentials(r, func(key string) (service.Caller, error) { return a.svc.Authenticate(r.Context(), key) })
}

// handler runs a use case for an input from the wire, and returns its output for the wire.
type handler[I, O any] func(ctx context.Context, caller service.Caller, in *I) (*O, error)

// route adds an operation that requires the permission, with its documentation.
func route[I, O any](a *api, need service.Permission, op huma.Operation, handle handler[I, O]) {
	describe(&op)
	op.Middlewares = huma.Middlewares{a.permit(need)}
	if op.Method == http.MethodPost {
		op.Middlewares = append(op.Middlewares, a.repeatable)
		documentKey(&op)
	}
	register(a, op, handle)
}

// single is route for an operation that has no idempotency key, because its answer must not be kept, or because it changes nothing:
// answers are kept in the tenant's own room, which callers that only read must not be able to fill.
func single[I, O any](a *api, need service.Permission, op huma.Operation, handle handler[I, O]) {
	describe(&op)
	op.Middlewares = huma.Middlewares{a.permit(need)}
	register(a, op, handle)
}

// open adds an operation that anybody may call. Its body must be small.
func open[I, O any](a *api, op huma.Operation, handle handler[I, O]) {
	describe(&op)
	op.Security = nil
	op.Middlewares = huma.Middlewares{a.anybody}
	register(a, op, handle)
}

// anybody runs before parameters and body are read, like permit.
func (a *api) anybody(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	if err := checkParameters(ctx.Operation(), r.URL.RawQuery); err != nil {
		a.fail(w, r, err)
		return
	}
	next(ctx)
}

func register[I, O any](a *api, op huma.Operation, handle handler[I, O]) {
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		c := callOf(ctx)
		if *c.misfits != nil {
			_, err := handle(bellwire.DryRun(ctx), c.caller, in)
			return nil, a.problem(ctx, c.requestID, bellwire.AddFaults(*c.misfits, err))
		}
		out, err := handle(ctx, c.caller, in)
		if err == nil {
			err = c.encode(out)
		}
		if err != nil {
			return nil, a.problem(ctx, c.requestID, err)
		}
		c.answered(ctx, &op, out)
		return out, nil
	})
	documentBody[I](a.huma.OpenAPI(), op)
}

// answered is an output with a body.
type answered interface {
	// take returns the body and removes it from the output, so that its parts are not retained while it is sent.
	take() any
}

// encode encodes the body of a response, and charges the caller for it before Huma writes the status. The response to a change is
// sent even if the caller's share is used up.
func (c call) encode(out any) error {
	answer, ok := out.(answered)
	if !ok {
		return nil
	}
	body, err := marshal(nil, answer.take())
	if err != nil {
		return err
	}
	*c.encoded = body
	if err := c.charge(len(body)); !c.changes {
		return err
	}
	return nil
}

// charge charges the caller for a response, as httpx.Charge does.
func (c call) charge(bytes int) error { return httpx.Charge(c.writer, bytes) }

// encoded is a body that is JSON already.
type encoded []byte

// useEncoded makes Huma write the body that encode has encoded.
func useEncoded(ctx huma.Context, _ string, v any) (any, error) {
	c, ok := ctx.Context().Value(callKey{}).(call)
	if _, refused := v.(*Problem); refused || !ok || *c.encoded == nil {
		return v, nil
	}
	return encoded(*c.encoded), nil
}

// describe fills in the documentation that all operations share.
func describe(op *huma.Operation) {
	op.Path = base + op.Path
	op.Security = []map[string][]string{{"key": {}}}
	op.Errors = append([]int{http.StatusUnauthorized, http.StatusForbidden}, op.Errors...)
	op.Errors = append(op.Errors, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if strings.Contains(op.Path, "{") {
		op.Errors = append(op.Errors, http.StatusNotFound)
	}
}

// documentBody adds the request body to the documentation of an operation. Huma does this only for bodies that it reads itself.
// The type body says why it does not.
func documentBody[I any](doc *huma.OpenAPI, op huma.Operation) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[I]()) {
		b, ok := reflect.New(field.Type).Interface().(documented)
		if !ok {
			continue
		}
		operation := find(doc, op.Method, op.Path)
		operation.RequestBody = b.document(doc.Components.Schemas)
		addErrors(doc, operation, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
			http.StatusUnprocessableEntity)
	}
}
