package service

import (
	"context"
	"errors"
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// RequestBody is the body of the requests of a delivery, which is the same on every attempt.
type RequestBody struct {
	ContentType string
	Body        []byte
}

// DeliveryBody returns the body of a delivery's requests, as the endpoint's dialect makes it of the event. The error has
// CodeNotFound if none can be made, because the event's data was erased, or because the dialect cannot represent it.
func (s *Service) DeliveryBody(ctx context.Context, c Caller, tenant string, id bellwire.DeliveryID) (*RequestBody, error) {
	ctx, end, err := s.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	d, err := s.store.Delivery(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	event, err := s.store.Event(ctx, tenant, d.Event)
	if err != nil {
		return nil, err
	}
	if event.Erased != nil {
		return nil, bellwire.Errorf(bellwire.CodeNotFound, "the data of event %q was erased at %s, and with it the body of its requests", event.ID, moment(event.Erased.At))
	}
	ep, err := s.store.Endpoint(ctx, d.Endpoint)
	if err != nil {
		return nil, err
	}
	var body *RequestBody
	if event, err = s.converted(ctx, ep, event); err == nil {
		body, err = s.render(ep, &bellwire.Message{Event: event, Delivery: id, SentAt: now()})
	}
	if bellwire.CodeOf(err) == bellwire.CodeInvalid {
		return nil, bellwire.Errorf(bellwire.CodeNotFound, "delivery %q has no request body: %s", id, reasonOf(err))
	}
	return body, err
}

// render makes the body of a message to an endpoint. It uses a secret of its own, because the body does not depend on secrets, and
// a deleted endpoint has none.
func (s *Service) render(ep *bellwire.Endpoint, m *bellwire.Message) (*RequestBody, error) {
	dialect, err := s.dialect(ep.Dialect)
	if err != nil {
		return nil, err
	}
	secret, err := dialect.NewSecret(ep.Signing)
	if err != nil {
		return nil, err
	}
	renderer, err := dialect.Bind(ep, &bellwire.Credentials{Secrets: []bellwire.Secret{secret}})
	if err != nil {
		return nil, err
	}
	body, err := renderer.AppendBody(nil, m)
	if err != nil {
		return nil, err
	}
	headers := make(http.Header)
	renderer.SetHeaders(headers, m, body)
	return &RequestBody{ContentType: headers.Get("Content-Type"), Body: body}, nil
}

// reasonOf returns the text of an error as a part of a sentence.
func reasonOf(err error) string {
	var e *bellwire.Error
	if errors.As(err, &e) {
		return e.Text()
	}
	return "it cannot be made"
}
