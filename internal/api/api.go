// Package api is the native HTTP API below /api/v1, its OpenAPI 3.1 document at /openapi.json and the
// page for people at /docs. The routes are those of the public contract; the document is made from the
// same Go types that the handlers use.
//
// Requests and answers are JSON, errors are problem+json (RFC 9457) with a stable code. The content type
// of a request is not looked at: every body is read as JSON. Unknown members and unknown query parameters
// are refused, because a misspelled option that is quietly ignored does harm.
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
	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

const base = "/api/v1"

// Options are what the API can be told. The zero value is good.
type Options struct {
	Logger    *slog.Logger // nil: nothing is logged
	Version   string       // of Bellwire, shown in the documentation
	PublicURL string       // where clients reach this server, for the documentation's examples
}

// New makes the handler for /api, /openapi.json and /docs. To all other paths it answers 404.
func New(svc *service.Service, o Options) http.Handler {
	return newAPI(svc, o).handler()
}

func newAPI(svc *service.Service, o Options) *api {
	a := &api{
		svc: svc, publisher: svc, log: o.Logger, outage: rate.NewLimiter(1, 10),
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if o.PublicURL == "" {
		o.PublicURL = "http://127.0.0.1:8080"
	}
	a.mux = httpx.NewMux(a.notFound, a.methodNotAllowed)
	a.huma = humago.New(a.mux, configuration(o))
	a.huma.UseMiddleware(a.authenticateCall)
	a.tenants()
	a.keys()
	a.eventTypes()
	a.endpoints()
	a.publishing()
	a.events()
	a.deliveries()
	a.audit()
	a.documentation()
	return a
}

func (a *api) handler() http.Handler { return httpx.Recover(a.log, a.panicked, a.mux) }

type api struct {
	svc       *service.Service
	publisher publisher
	log       *slog.Logger
	outage    *rate.Limiter // of log records about refusals that are nobody's fault
	mux       *httpx.Mux
	huma      huma.API
}

// call is what a handler knows of the request beside its input.
type call struct {
	caller    service.Caller
	requestID string
	url       *url.URL
	writer    http.ResponseWriter
	changes   bool    // it is asked to change something
	encoded   *[]byte // the answer's body, once it is known
	// beginReading is the service's.
	beginReading func(ctx context.Context, owner string, bytes int) (end func(), err error)
}

type callKey struct{}

// authenticateCall comes before everything else, so that who has no key learns nothing of what is valid.
func (a *api) authenticateCall(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	caller, err := a.authenticate(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if err := httpx.Confirm(r, caller.Owner()); err != nil {
		a.fail(w, r, err)
		return
	}
	next(huma.WithValue(ctx, callKey{}, call{
		caller: caller, requestID: httpx.RequestID(w), url: r.URL, writer: w,
		changes: r.Method != http.MethodGet && r.Method != http.MethodHead, encoded: new([]byte),
		beginReading: a.publisher.BeginReading,
	}))
}

// answerToChange is the room for the answer to a change, in bytes, which is taken before there is one.
const answerToChange = 64 << 10

// permit comes before parameters and body are looked at, so that a wrong role is told so whatever it sent.
func (a *api) permit(need service.Permission) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := ctx.Context().Value(callKey{}).(call)
		r, w := humago.Unwrap(ctx)
		err := service.Permit(c.caller, need, ctx.Param("tenant"))
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
	key, err := httpx.Bearer(r)
	if err != nil {
		return service.Caller{}, err
	}
	return a.publisher.Authenticate(r.Context(), key)
}

// handler is a use case between its input and output on the wire.
type handler[I, O any] func(ctx context.Context, caller service.Caller, in *I) (*O, error)

// route adds an operation, for which callers need the permission, with its documentation.
func route[I, O any](a *api, need service.Permission, op huma.Operation, handle handler[I, O]) {
	describe(&op)
	op.Middlewares = huma.Middlewares{a.permit(need)}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		c := ctx.Value(callKey{}).(call)
		out, err := handle(ctx, c.caller, in)
		if err == nil {
			err = c.encode(out)
		}
		if err != nil {
			return nil, a.problem(ctx, c.requestID, err)
		}
		return out, nil
	})
	documentBody[I](a.huma.OpenAPI(), op)
}

// answered is an output with a body.
type answered interface {
	// take returns the body, and leaves none: what it is made of is not kept while it is sent.
	take() any
}

// encode makes the body of an answer, and charges the caller for it before Huma writes its status. What a change has come
// to is told in any case.
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

// charge charges the caller for an answer, as httpx.Charge does.
func (c call) charge(bytes int) error { return httpx.Charge(c.writer, bytes) }

// encoded is JSON already.
type encoded []byte

// useEncoded has Huma write what encode has made.
func useEncoded(ctx huma.Context, _ string, v any) (any, error) {
	c, ok := ctx.Context().Value(callKey{}).(call)
	if _, refused := v.(*Problem); refused || !ok || *c.encoded == nil {
		return v, nil
	}
	return encoded(*c.encoded), nil
}

// describe fills in what all operations have in common.
func describe(op *huma.Operation) {
	op.Path = base + op.Path
	op.Security = []map[string][]string{{"key": {}}}
	op.Errors = append([]int{http.StatusUnauthorized, http.StatusForbidden}, op.Errors...)
	op.Errors = append(op.Errors, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if strings.Contains(op.Path, "{") {
		op.Errors = append(op.Errors, http.StatusNotFound)
	}
}

// documentBody adds the request body to an operation's documentation. Huma does this only for bodies that
// it reads itself; body says why it does not.
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
