package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"time"
)

// Publication is an event to be published.
type Publication struct {
	Type string
	// Data is any JSON value. It is sent, kept and delivered byte for byte.
	Data json.RawMessage
	// ID is the idempotency id: publishing it again with the same type and data gives the first event
	// again. One is made if it is empty.
	ID         string
	OccurredAt time.Time // zero: now, by the server's clock
}

// Receipt is what a publisher learns of an event.
type Receipt struct {
	ID         string `json:"id"` // the event's; receivers see it as webhook-id
	Type       string `json:"type"`
	Deliveries int    `json:"deliveries"` // how many endpoints get it
	Duplicate  bool   `json:"duplicate"`  // the idempotency id was known; nothing new was stored
}

// Publish publishes an event. When it returns without an error, the event and its deliveries are on the
// server's disk.
func (c *Client) Publish(ctx context.Context, tenant string, p Publication) (Receipt, error) {
	var receipt Receipt
	body, err := appendPublication(nil, p)
	if err != nil {
		return receipt, err
	}
	err = c.sendSafely(ctx, inTenant(tenant, "events"), body, &receipt)
	return receipt, err
}

// PublishBatch publishes up to 1000 events, all or none. The receipts are in the order of the events.
func (c *Client) PublishBatch(ctx context.Context, tenant string, ps []Publication) ([]Receipt, error) {
	body := []byte(`{"events":[`)
	for i, p := range ps {
		if i > 0 {
			body = append(body, ',')
		}
		var err error
		if body, err = appendPublication(body, p); err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
	}
	var answer struct{ Data []Receipt }
	err := c.sendSafely(ctx, inTenant(tenant, "events", "batch"), append(body, "]}"...), &answer)
	return answer.Data, err
}

// appendPublication writes the body by hand: encoding/json would put data into a form of its own.
func appendPublication(b []byte, p Publication) ([]byte, error) {
	if !json.Valid(p.Data) {
		return nil, errors.New("the data of a publication must be JSON")
	}
	if p.ID == "" {
		p.ID = rand.Text()
	}
	rest := struct {
		Type       string    `json:"type"`
		ID         string    `json:"id"`
		OccurredAt time.Time `json:"occurred_at,omitzero"`
	}{p.Type, p.ID, p.OccurredAt}
	members, err := json.Marshal(rest)
	if err != nil {
		return nil, err
	}
	b = append(b, members[:len(members)-1]...)
	b = append(b, `,"data":`...)
	b = append(b, p.Data...)
	return append(b, '}'), nil
}

// The pauses between the attempts of a publish.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 10 * time.Second
	longestWait  = time.Minute // that a server's Retry-After is heeded
)

// sendSafely posts a body that is safe to repeat, until it has arrived or the attempts are spent.
func (c *Client) sendSafely(ctx context.Context, path string, body []byte, out any) error {
	for attempt := 1; ; attempt++ {
		err := c.send(ctx, http.MethodPost, path, body, out)
		if err == nil || ctx.Err() != nil {
			return err
		}
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

// pause tells whether an error may pass, and how long to wait before the next attempt.
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
