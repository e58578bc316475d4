package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"regexp"
	"time"
)

// Publication is an event to publish.
type Publication struct {
	Type string
	// Data is any JSON value. It is sent, stored and delivered byte for byte.
	Data json.RawMessage
	// ID is the idempotency id: publishing it again with the same type and data returns the first event. If it is
	// empty and there is no [WithIdempotencyKey], the client generates one, which [Event.PublisherID] does not return.
	ID         string
	OccurredAt time.Time // zero means now, by the server's clock
	DeliverAt  time.Time // when it is delivered at the earliest; zero means at once
	ExpiresAt  time.Time // from when on nothing is sent any more; zero means never
	// OrderingKey puts the event into the order of all events with the same key, at endpoints with OrderingKey. Others ignore it.
	OrderingKey string
}

// generatedPrefix begins the ids that clients generate. Those of Svix do the same, with a UUID.
const generatedPrefix = "auto_"

var generatedID = regexp.MustCompile(`^` + generatedPrefix + `([A-Z2-7]{26}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// PublisherID returns the id under which the event was published; empty if there is none, or if a client has generated it only to
// be able to repeat its request.
func (e *Event) PublisherID() string {
	if e.IdempotencyKey == nil || generatedID.MatchString(*e.IdempotencyKey) {
		return ""
	}
	return *e.IdempotencyKey
}

// Receipt confirms a publication.
type Receipt struct {
	ID         string `json:"id"` // of the event; receivers see it as webhook-id
	Type       string `json:"type"`
	Deliveries int    `json:"deliveries"` // number of endpoints that get the event
	Duplicate  bool   `json:"duplicate"`  // the event was published before, under the same id
}

// Publish publishes an event. When it returns nil, the server has stored the event and its deliveries on disk.
func (c *Client) Publish(ctx context.Context, tenant string, p Publication) (Receipt, error) {
	var receipt Receipt
	if p.ID == "" {
		p.ID = idempotencyKeyOf(ctx)
	}
	body, err := appendPublication(nil, p)
	if err != nil {
		return receipt, err
	}
	path := inTenant(tenant, "events")
	if err = c.sendSafely(ctx, path, body, &receipt); err == nil && receipt.ID == "" {
		err = misread(http.MethodPost, path, io.EOF)
	}
	return receipt, err
}

// PublishBatch publishes up to 1000 events, all or none. It returns their receipts in the same order.
func (c *Client) PublishBatch(ctx context.Context, tenant string, ps []Publication) ([]Receipt, error) {
	body := []byte(`{"events":[`)
	for i, p := range ps {
		if i > 0 {
			body = append(body, ',')
		}
		if key := idempotencyKeyOf(ctx); p.ID == "" && key != "" {
			p.ID = fmt.Sprintf("%s/%d", key, i)
		}
		var err error
		if body, err = appendPublication(body, p); err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
	}
	var answer struct{ Data []Receipt }
	path := inTenant(tenant, "events", "batch")
	err := c.sendSafely(ctx, path, append(body, "]}"...), &answer)
	if err == nil && len(answer.Data) != len(ps) {
		err = misread(http.MethodPost, path, io.EOF)
	}
	return answer.Data, err
}

// appendPublication appends the JSON of a publication. encoding/json would reformat its data.
func appendPublication(b []byte, p Publication) ([]byte, error) {
	if !json.Valid(p.Data) {
		return nil, errors.New("data must be valid JSON")
	}
	if p.ID == "" {
		p.ID = generatedPrefix + rand.Text()
	}
	rest := struct {
		Type       string    `json:"type"`
		ID         string    `json:"id"`
		OccurredAt time.Time `json:"occurred_at,omitzero"`
		DeliverAt  time.Time `json:"deliver_at,omitzero"`
		ExpiresAt  time.Time `json:"expires_at,omitzero"`
		Key        string    `json:"ordering_key,omitempty"`
	}{p.Type, p.ID, p.OccurredAt, p.DeliverAt, p.ExpiresAt, p.OrderingKey}
	members, err := json.Marshal(rest)
	if err != nil {
		return nil, err
	}
	b = append(b, members[:len(members)-1]...)
	b = append(b, `,"data":`...)
	b = append(b, p.Data...)
	return append(b, '}'), nil
}

// The pauses between attempts to publish.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 10 * time.Second
	longestWait  = time.Minute // for a Retry-After
)

// ErrUncertain is wrapped by the error of a publish that was refused in the end, after an attempt whose answer was lost: what was
// published may have been stored then.
var ErrUncertain = errors.New("an earlier attempt may have been stored")

// sendSafely posts publications, which may be repeated because they have ids, until they have arrived or all attempts have failed.
func (c *Client) sendSafely(ctx context.Context, path string, body []byte, out any) error {
	ctx = WithIdempotencyKey(ctx, "") // the ids are in the body
	lost := false
	for attempt := 1; ; attempt++ {
		err := c.send(ctx, http.MethodPost, path, body, out)
		if err == nil || ctx.Err() != nil {
			return err
		}
		var refusal *Error
		refused := errors.As(err, &refusal) && refusal.Status < http.StatusInternalServerError
		if refused && lost {
			err = fmt.Errorf("%w; %w", err, ErrUncertain)
		}
		lost = lost || !refused
		wait, again := pause(err, attempt)
		switch {
		case !again:
			return err
		case attempt == c.attempts && attempt > 1:
			return fmt.Errorf("%w; tried %d times", err, attempt)
		case attempt == c.attempts:
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w; gave up waiting to try again: %w", err, ctx.Err())
		}
	}
}

// pause returns how long to wait before the next attempt, and reports whether another attempt can help.
func pause(err error, attempt int) (time.Duration, bool) {
	var refusal *Error
	if errors.As(err, &refusal) {
		switch refusal.Status {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		default:
			return 0, false
		}
		if refusal.RetryAfter > 0 {
			return min(refusal.RetryAfter, longestWait), true
		}
	}
	longest := min(float64(longestPause), float64(firstPause)*math.Pow(2, float64(attempt-1)))
	return time.Duration(longest * (0.5 + mathrand.Float64()/2)), true
}
