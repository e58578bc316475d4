package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

const (
	// wrapperBytes is the size allowed for a publish in addition to its data.
	wrapperBytes = 4 << 10
	// maxBatchBody is the maximum size of the body of a batch.
	maxBatchBody = 16 << 20
	// receiptBytes is the size of a receipt without the name of its event type.
	receiptBytes = 112
)

// publishing adds the two routes for publishing. They do not use Huma, so that data is neither decoded nor encoded again.
func (a *api) publishing() {
	a.mux.HandleFunc("POST "+base+"/tenants/{tenant}/events", a.publish)
	a.mux.HandleFunc("POST "+base+"/tenants/{tenant}/events/batch", a.publishBatch)
	a.documentPublishing()
}

// authenticatePublisher refuses callers that must not publish, before any of the body is read.
func (a *api) authenticatePublisher(w http.ResponseWriter, r *http.Request) (service.Caller, error) {
	caller, err := a.credentials(r, func(key string) (service.Caller, error) { return a.svc.AuthenticatePublisher(r.Context(), key) })
	if err != nil {
		return caller, err
	}
	if err := httpx.Confirm(r, caller.Owner()); err != nil {
		return caller, err
	}
	tenant := r.PathValue("tenant")
	if service.Permitted(caller, service.Publish, tenant) == nil {
		return caller, nil
	}
	return caller, a.svc.Permit(bellwire.WithCall(r.Context(), httpx.CallOf(w, r)), caller, service.Publish, tenant)
}

// withoutCancel returns the request's context without its cancellation. net/http cancels it when the client closes its side of
// the connection, which a client may do and still wait for the response. What was received is stored in any case.
func withoutCancel(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }

// publisherContext returns the context of a publication, with the span that the publisher names. Several traceparent headers are none.
func publisherContext(r *http.Request) context.Context {
	ctx := withoutCancel(r)
	header := r.Header["Traceparent"]
	if len(header) != 1 {
		return ctx
	}
	if span := bellwire.ParseTraceparent(header[0]); span != nil {
		return bellwire.WithTrace(ctx, span)
	}
	return ctx
}

func (a *api) publish(w http.ResponseWriter, r *http.Request) {
	caller, err := a.authenticatePublisher(w, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	key, err := idempotencyKey(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	body, err := httpx.ReadBody(r, int64(a.svc.MaxEventBytes()+wrapperBytes))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	draft, err := inTurn(a, r, body, parsePublication)
	if err == nil {
		err = identify(&draft, key)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	receipt, err := a.svc.Publish(publisherContext(r), caller, r.PathValue("tenant"), draft)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	answer := make([]byte, 0, receiptBytes+len(draft.Type))
	accepted(w, appendReceipt(answer, draft.Type, receipt))
}

func (a *api) publishBatch(w http.ResponseWriter, r *http.Request) {
	caller, err := a.authenticatePublisher(w, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	key, err := idempotencyKey(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	body, err := httpx.ReadBody(r, maxBatchBody)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	drafts, err := inTurn(a, r, body, parseBatch)
	if err == nil {
		err = identifyAll(drafts, key)
	}
	room := len(`{"data":[]}`)
	for i := range drafts {
		room += receiptBytes + len(drafts[i].Type)
	}
	if err == nil {
		err = httpx.Charge(w, room)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	receipts, err := a.svc.PublishBatch(publisherContext(r), caller, r.PathValue("tenant"), drafts)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	answer := append(make([]byte, 0, room), `{"data":[`...)
	for i, receipt := range receipts {
		if i > 0 {
			answer = append(answer, ',')
		}
		answer = appendReceipt(answer, drafts[i].Type, receipt)
	}
	accepted(w, append(answer, "]}"...))
}

// inTurn parses a body. Large bodies wait for their turn.
func inTurn[T any](a *api, r *http.Request, body []byte, parse func([]byte) (T, error)) (parsed T, err error) {
	end, err := a.svc.BeginReading(withoutCancel(r), r.PathValue("tenant"), len(body))
	if err != nil {
		return parsed, err
	}
	defer end()
	return parse(body)
}

// jsonType is shared by all responses. It must not be modified.
var jsonType = []string{"application/json"}

func accepted(w http.ResponseWriter, body []byte) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(body) // the publisher may be gone, but the event is stored
}

func appendReceipt(b []byte, eventType string, r service.Receipt) []byte {
	b = append(b, `{"id":"`...)
	b, _ = r.Event.AppendText(b) // never fails
	b = append(b, `","type":`...)
	b, _ = jsontext.AppendQuote(b, eventType) // an event type's name is ASCII
	b = append(b, `,"deliveries":`...)
	b = strconv.AppendInt(b, int64(r.Deliveries), 10)
	b = append(b, `,"duplicate":`...)
	b = strconv.AppendBool(b, r.Duplicate)
	return append(b, '}')
}
