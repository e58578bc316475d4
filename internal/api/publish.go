package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// publisher is the part of the service that publishing needs.
type publisher interface {
	Authenticate(ctx context.Context, secret string) (service.Caller, error)
	AuthenticatePublisher(ctx context.Context, secret string) (service.Caller, error)
	Publish(ctx context.Context, c service.Caller, tenant string, d service.Draft) (service.Receipt, error)
	PublishBatch(ctx context.Context, c service.Caller, tenant string, drafts []service.Draft) ([]service.Receipt, error)
	BeginReading(ctx context.Context, tenant string, bytes int) (end func(), err error)
	MaxEventBytes() int
}

const (
	// wrapperBytes is the room that a publish has for what is around data.
	wrapperBytes = 4 << 10
	// maxBatchBody is the most bytes that a whole batch may have.
	maxBatchBody = 16 << 20
	// receiptBytes is the room for a receipt beside its event type's name.
	receiptBytes = 112
)

// publishing adds the two routes that handle raw bytes, without Huma: data is neither decoded nor
// encoded again on its way.
func (a *api) publishing() {
	a.mux.HandleFunc("POST "+base+"/tenants/{tenant}/events", a.publish)
	a.mux.HandleFunc("POST "+base+"/tenants/{tenant}/events/batch", a.publishBatch)
	a.documentPublishing()
}

// authenticatePublisher refuses who may not publish before any of the body is read.
func (a *api) authenticatePublisher(r *http.Request) (service.Caller, error) {
	key, err := httpx.Bearer(r)
	if err != nil {
		return service.Caller{}, err
	}
	caller, err := a.publisher.AuthenticatePublisher(r.Context(), key)
	if err != nil {
		return caller, err
	}
	if err := httpx.Confirm(r, caller.Owner()); err != nil {
		return caller, err
	}
	return caller, service.Permit(caller, service.Publish, r.PathValue("tenant"))
}

// unhurried is the request's context without its end. net/http ends it when the client closes its side of the
// connection, which one that has sent everything may do and still wait for the answer. What was handed in is
// stored in any case.
func unhurried(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }

func (a *api) publish(w http.ResponseWriter, r *http.Request) {
	caller, err := a.authenticatePublisher(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	key, err := idempotencyKey(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	body, err := httpx.ReadBody(r, int64(a.publisher.MaxEventBytes()+wrapperBytes))
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
	receipt, err := a.publisher.Publish(unhurried(r), caller, r.PathValue("tenant"), draft)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	answer := make([]byte, 0, receiptBytes+len(draft.Type))
	accepted(w, appendReceipt(answer, draft.Type, receipt))
}

func (a *api) publishBatch(w http.ResponseWriter, r *http.Request) {
	caller, err := a.authenticatePublisher(r)
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
	receipts, err := a.publisher.PublishBatch(unhurried(r), caller, r.PathValue("tenant"), drafts)
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

// inTurn parses a body. Large ones take turns.
func inTurn[T any](a *api, r *http.Request, body []byte, parse func([]byte) (T, error)) (parsed T, err error) {
	end, err := a.publisher.BeginReading(unhurried(r), r.PathValue("tenant"), len(body))
	if err != nil {
		return parsed, err
	}
	defer end()
	return parse(body)
}

// jsonType is shared by all answers; a header's values are not changed in place.
var jsonType = []string{"application/json"}

func accepted(w http.ResponseWriter, body []byte) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(body) // the publisher may be gone; the event is stored all the same
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
