package service

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// RequestBody is the body of the requests of a delivery.
type RequestBody struct {
	ContentType string
	Body        []byte
	Dialect     string    // that has made it
	Version     int       // of the event's type, in which the data is
	Sent        *SentBody // nil: the body is what an attempt would send now
}

// SentBody is what is known of the body that an attempt has sent.
type SentBody struct {
	Attempt int
	Hash    [32]byte // zero: it was not recorded
	Same    bool     // the RequestBody has this hash
	Reason  string   // why it is not the same, or why that is not known
}

// DeliveryBody returns the body of a delivery's requests. With an attempt's number, 0 for none, that is what the attempt has sent, made
// again in the version and the dialect that it recorded; otherwise it is what an attempt would send now. The error has CodeNotFound if
// no body can be made, because the event's data was erased, or because the dialect cannot represent it.
func (s *Service) DeliveryBody(ctx context.Context, c Caller, tenant string, id bellwire.DeliveryID, attempt int) (*RequestBody, error) {
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
	body, err := s.attemptBody(ctx, ep, event, id, attempt)
	if bellwire.CodeOf(err) == bellwire.CodeInvalid {
		return nil, bellwire.Errorf(bellwire.CodeNotFound, "delivery %q has no request body: %s", id, reasonOf(err))
	}
	return body, err
}

// attemptBody is DeliveryBody for what was read. Its error has CodeInvalid if no body can be made.
func (s *Service) attemptBody(ctx context.Context, ep *bellwire.Endpoint, e *bellwire.Event, id bellwire.DeliveryID, attempt int) (*RequestBody, error) {
	if attempt == 0 {
		made, _, err := s.convert(ctx, ep, e)
		if err != nil {
			return nil, err
		}
		return s.render(ep, &bellwire.Message{Event: made, Delivery: id, SentAt: now()})
	}
	attempts, err := s.store.Attempts(ctx, id, maxAttemptsShown)
	if err != nil {
		return nil, err
	}
	for _, a := range attempts {
		if a.Number == attempt {
			body, _, err := s.sentBody(ctx, ep, e, a)
			return body, err
		}
	}
	return nil, bellwire.Errorf(bellwire.CodeNotFound, "delivery %q has no attempt %d whose request is stored", id, attempt)
}

// sentBody makes the body of an attempt again, and returns how many steps the conversion of its data took. Its error has CodeInvalid if
// that cannot be done any more.
func (s *Service) sentBody(ctx context.Context, ep *bellwire.Endpoint, e *bellwire.Event, a *bellwire.Attempt) (body *RequestBody, steps int, err error) {
	if a.Dropped {
		return nil, 0, bellwire.Errorf(bellwire.CodeNotFound,
			"the details of attempt %d were dropped; of a delivery with many attempts only the first and the last keep them", a.Number)
	}
	made, steps, err := s.inVersion(ctx, e, a.Request.Version)
	if err != nil {
		return nil, steps, err
	}
	sender := *ep
	if a.Request.Dialect != "" && a.Request.Dialect != ep.Dialect {
		sender.Dialect, sender.Signing = a.Request.Dialect, bellwire.SigningHMAC
	}
	if s.dialects[sender.Dialect] == nil {
		return nil, steps, bellwire.Errorf(bellwire.CodeInvalid, "the dialect %s, which has made it, is not one of this server any more", sender.Dialect)
	}
	body, err = s.render(&sender, &bellwire.Message{Event: made, Delivery: a.Delivery, SentAt: a.StartedAt})
	if err != nil {
		return nil, steps, err
	}
	body.Sent = &SentBody{Attempt: a.Number, Hash: a.Request.BodyHash}
	if body.Sent.Same = sha256.Sum256(body.Body) == a.Request.BodyHash; !body.Sent.Same {
		body.Sent.Reason, err = s.whyAnother(ctx, ep, e, a, body)
	}
	return body, steps, err
}

// inVersion returns an event in an older version of its type, and how many steps that took. If there is no such version any more, or if
// the number is 0, it is as it was published.
func (s *Service) inVersion(ctx context.Context, e *bellwire.Event, number int) (made *bellwire.Event, steps int, err error) {
	if number == 0 || number >= e.Version.Of() {
		return e, 0, nil
	}
	conversion, err := s.directory.ConversionTo(ctx, e, number)
	if err != nil || conversion == nil {
		return e, 0, err
	}
	return conversion.Convert(e)
}

// whyAnother says why the body of an attempt is not what it has sent, as far as that can be known.
func (s *Service) whyAnother(ctx context.Context, ep *bellwire.Endpoint, e *bellwire.Event, a *bellwire.Attempt, made *RequestBody) (string, error) {
	sent := &a.Request
	switch {
	case sent.BodyHash == ([32]byte{}):
		return "no hash of its body was kept with the attempt", nil
	case sent.Version != 0 && sent.Version != made.Version:
		return "the event type was deleted since, and with it the converters that made version " + strconv.Itoa(sent.Version) + " of the data", nil
	case sent.Dialect != ep.Dialect:
		return "the endpoint's dialect was changed from " + sent.Dialect + " to " + ep.Dialect + " since, and its settings with it", nil
	}
	if made.Version < e.Version.Of() {
		catalogue, err := s.directory.Catalogue(ctx)
		if err != nil {
			return "", err
		}
		if t, known := catalogue.Type(e.Type); known && t.UpdatedAt.After(a.StartedAt) {
			return "the event type was changed at " + moment(t.UpdatedAt) + ", after the attempt: its converters make other data now", nil
		}
	}
	return "the endpoint, the server's settings or the release of Bellwire have changed since the attempt", nil
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
	return &RequestBody{ContentType: headers.Get("Content-Type"), Body: body, Dialect: ep.Dialect, Version: m.Event.Version.Of()}, nil
}

// reasonOf returns the text of an error as a part of a sentence.
func reasonOf(err error) string {
	var e *bellwire.Error
	if errors.As(err, &e) {
		return e.Text()
	}
	return "it cannot be made"
}
