package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// publisherStub takes everything, or nothing if err is set.
type publisherStub struct {
	useCases

	receipt service.Receipt
	err     error
	taken   []service.Draft
	full    bool // bodies wait for their turn in vain
	read    int  // bytes of bodies that are being parsed
}

func (p *publisherStub) Authenticate(context.Context, string) (service.Caller, error) {
	return service.Caller{Role: bellwire.RolePublisher}, nil
}

func (p *publisherStub) BeginReading(_ context.Context, _ string, bytes int) (func(), error) {
	if p.full {
		return nil, bellwire.Errorf(bellwire.CodeRateLimited, "too much is being checked at the moment")
	}
	p.read += bytes
	return func() { p.read -= bytes }, nil
}

func (p *publisherStub) AuthenticatePublisher(ctx context.Context, secret string) (service.Caller, error) {
	return p.Authenticate(ctx, secret)
}

func (p *publisherStub) Publish(ctx context.Context, _ service.Caller, _ string, d service.Draft) (service.Receipt, error) {
	if ctx.Err() != nil {
		return service.Receipt{}, ctx.Err()
	}
	p.taken = append(p.taken[:0], d)
	return p.receipt, p.err
}

func (p *publisherStub) PublishBatch(ctx context.Context, _ service.Caller, _ string, ds []service.Draft) ([]service.Receipt, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p.taken = ds
	receipts := make([]service.Receipt, len(ds))
	for i := range receipts {
		receipts[i] = p.receipt
	}
	return receipts, p.err
}

func (p *publisherStub) MaxEventBytes() int { return service.DefaultMaxEventBytes }

// newStubbed makes an API whose publishing ends in p.
func newStubbed(svc useCases) *api { return newAPI(svc, Options{}) }

func newID() bellwire.EventID {
	id, err := bellwire.ParseID[bellwire.EventKind]("evt_0198c7a3f2e47d0a9b1c2d3e4f506172")
	if err != nil {
		panic(err)
	}
	return id
}

func post(path, body string) *http.Request {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	return r
}

// A body is parsed in its tenant's turn, which ends with that; without a turn it is refused.
func TestBodiesAreParsedInTurns(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]string{
		"events": `{"type":"a.b","data":1}`, "events/batch": `{"events":[{"type":"a.b","data":1}]}`, "events/": `{`,
	} {
		stub := &publisherStub{receipt: service.Receipt{Event: newID()}}
		a := newStubbed(stub)
		path = base + "/tenants/acme/" + strings.TrimSuffix(path, "/")
		a.mux.ServeHTTP(httptest.NewRecorder(), post(path, body))
		if stub.read != 0 {
			t.Errorf("%s: a turn of %d bytes has not ended", path, stub.read)
		}
		stub.full = true
		w := httptest.NewRecorder()
		a.mux.ServeHTTP(w, post(path, body))
		if w.Code != http.StatusTooManyRequests {
			t.Errorf("%s: without a turn it is answered %d", path, w.Code)
		}
	}
}

func TestPublishAnswers(t *testing.T) {
	t.Parallel()
	a := newStubbed(&publisherStub{receipt: service.Receipt{Event: newID(), Deliveries: 3, Duplicate: true}})
	receipt := `{"id":"evt_0198c7a3f2e47d0a9b1c2d3e4f506172","type":"a.b","deliveries":3,"duplicate":true}`
	event := `{"type":"a.b","data":1}`
	for path, test := range map[string]struct{ body, want string }{
		"/api/v1/tenants/acme/events":       {event, receipt},
		"/api/v1/tenants/acme/events/batch": {`{"events":[` + event + `,` + event + `]}`, `{"data":[` + receipt + `,` + receipt + `]}`},
	} {
		w := httptest.NewRecorder()
		a.mux.ServeHTTP(w, post(path, test.body))
		if w.Code != http.StatusAccepted || w.Body.String() != test.want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s %v", path, w.Code, w.Body, w.Header())
		}
	}
}

// TestPublishErrors holds the table from code to status, where it matters most.
func TestPublishErrors(t *testing.T) {
	t.Parallel()
	for code, want := range map[bellwire.Code]int{
		bellwire.CodeMalformed: 400, bellwire.CodeInvalid: 422, bellwire.CodeUnauthenticated: 401, bellwire.CodeForbidden: 403,
		bellwire.CodeNotFound: 404, bellwire.CodeConflict: 409, bellwire.CodeStale: 409, bellwire.CodeTooLarge: 413,
		bellwire.CodeUnavailable: 503, bellwire.CodeNoSpace: 507, bellwire.CodeCanceled: 408, bellwire.CodeInternal: 500,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			refusal := &bellwire.Error{Code: code, Message: "told", Err: fmt.Errorf("untold"), RetryAfter: 2500 * time.Millisecond}
			a := newStubbed(&publisherStub{err: refusal})
			w := httptest.NewRecorder()
			a.mux.ServeHTTP(w, post("/api/v1/tenants/acme/events", `{"type":"a","data":1}`))
			p := checkProblem(t, w, want, code)
			if strings.Contains(w.Body.String(), "untold") {
				t.Errorf("%s: the cause is told: %s", code, w.Body)
			}
			if told := p.Detail == "told"; told == (code == bellwire.CodeInternal) {
				t.Errorf("%s: detail %q", code, p.Detail)
			}
			if got := w.Header().Get("Retry-After"); (got == "3") != (code == bellwire.CodeUnavailable) {
				t.Errorf("%s: Retry-After %q", code, got)
			}
			if got := w.Header().Get("WWW-Authenticate"); (got != "") != (code == bellwire.CodeUnauthenticated) {
				t.Errorf("%s: WWW-Authenticate %q", code, got)
			}
		})
	}
}

// TestHalfClosedPublishersAreAnswered: to net/http the context of a client that has closed its side is canceled.
func TestHalfClosedPublishersAreAnswered(t *testing.T) {
	t.Parallel()
	a := newStubbed(&publisherStub{receipt: service.Receipt{Event: newID()}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for path, body := range map[string]string{"events": `{"type":"a","data":1}`, "events/batch": `{"events":[{"type":"a","data":1}]}`} {
		w := httptest.NewRecorder()
		a.mux.ServeHTTP(w, post("/api/v1/tenants/acme/"+path, body).WithContext(ctx))
		if w.Code != http.StatusAccepted {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestPublishLimits(t *testing.T) {
	t.Parallel()
	a := newStubbed(&publisherStub{receipt: service.Receipt{Event: newID()}})
	tests := []struct {
		name, path string
		size       int
		want       int
	}{
		{"an event of the limit", "events", service.DefaultMaxEventBytes, 202},
		{"an event far over it", "events", service.DefaultMaxEventBytes + wrapperBytes, 413},
		{"a large batch", "events/batch", 4 << 20, 202},
		{"a batch over the limit", "events/batch", maxBatchBody, 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := `{"type":"a","data":"` + strings.Repeat("x", test.size-2) + `"}`
			if test.path != "events" {
				body = `{"events":[` + body + `]}`
			}
			w := httptest.NewRecorder()
			a.mux.ServeHTTP(w, post("/api/v1/tenants/acme/"+test.path, body))
			if w.Code != test.want {
				t.Errorf("%s: %d %s", test.name, w.Code, w.Body)
			}
		})
	}
}

func TestPanicsAreAnswered(t *testing.T) {
	t.Parallel()
	a := newStubbed(struct{ useCases }{}) // whose methods panic
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, post("/api/v1/tenants/acme/events", `{}`))
	checkProblem(t, w, http.StatusInternalServerError, bellwire.CodeInternal)
}

type nopWriter struct{ header http.Header }

func (w nopWriter) Header() http.Header         { return w.header }
func (w nopWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w nopWriter) WriteHeader(int)             {}

func BenchmarkPublish(b *testing.B) {
	a := newStubbed(&publisherStub{receipt: service.Receipt{Event: newID(), Deliveries: 2}})
	body := []byte(`{"type":"invoice.paid","id":"in_123-paid","data":{"invoice":"in_123","text":"` + strings.Repeat("x", 430) + `"}}`)
	benchmark(b, a, "/api/v1/tenants/acme/events", body)
}

func BenchmarkPublishBatch(b *testing.B) {
	a := newStubbed(&publisherStub{receipt: service.Receipt{Event: newID(), Deliveries: 2}})
	event := `{"type":"invoice.paid","data":{"invoice":"in_123","text":"` + strings.Repeat("x", 430) + `"}}`
	body := []byte(`{"events":[` + strings.Repeat(event+",", 99) + event + `]}`)
	benchmark(b, a, "/api/v1/tenants/acme/events/batch", body)
}

func benchmark(b *testing.B, a *api, path string, body []byte) {
	r := post(path, "")
	r.ContentLength = int64(len(body))
	reader := bytes.NewReader(body)
	r.Body = io.NopCloser(reader)
	handler := a.handler()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		handler.ServeHTTP(nopWriter{http.Header{}}, r)
	}
}
