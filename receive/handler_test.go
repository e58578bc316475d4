package receive_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/receive"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	const secretDetail = "the database password is hunter2"
	now := time.Now()
	notEvent := `{"a":1}`
	for _, tc := range []struct {
		name    string
		method  string
		h       http.Header
		body    io.Reader
		fails   error // that Deliver returns
		status  int
		reached bool // Deliver was called
		says    string
	}{
		{"good", "POST", signed(t, "evt_1", now, body, secret), strings.NewReader(body), nil, 200, true, ""},
		{"cannot be processed", "POST", signed(t, "evt_1", now, body, secret), strings.NewReader(body), errors.New(secretDetail), 500, true, "could not be processed"},
		{"bad signature", "POST", signed(t, "evt_1", now, body, otherSecret), strings.NewReader(body), nil, 401, false, "signature"},
		{"too old", "POST", signed(t, "evt_1", now.Add(-time.Hour), body, secret), strings.NewReader(body), nil, 401, false, "too old"},
		{"no headers", "POST", http.Header{}, strings.NewReader(body), nil, 400, false, "webhook-id"},
		{"no event", "POST", signed(t, "evt_1", now, notEvent, secret), strings.NewReader(notEvent), nil, 400, false, "type"},
		{"too large", "POST", signed(t, "evt_1", now, body, secret), strings.NewReader(strings.Repeat("x", 1025)), nil, 413, false, "too large"},
		{"connection breaks", "POST", signed(t, "evt_1", now, body, secret), broken{}, nil, 400, false, ""},
		{"not a POST", "GET", http.Header{}, nil, nil, 405, false, "POST"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got *receive.Delivery
			handler := &receive.Handler{
				Verifier: verifier(t, now, secret), MaxBody: 1024,
				Deliver: func(_ context.Context, d *receive.Delivery) error {
					got = d
					return tc.fails
				},
			}
			r := httptest.NewRequest(tc.method, "/webhooks", tc.body)
			for name, values := range tc.h {
				r.Header[name] = values
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != tc.status || (got != nil) != tc.reached {
				t.Errorf("status %d, reached %t (%s)", w.Code, got != nil, w.Body)
			}
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Error("the answer reveals what went wrong inside")
			}
			if tc.says != "" && !strings.Contains(w.Body.String(), tc.says) {
				t.Errorf("the answer is %q", w.Body)
			}
		})
	}
}

// broken is a body that ends before its end.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestHandlerLimitsBodiesByDefault(t *testing.T) {
	t.Parallel()
	handler := &receive.Handler{Verifier: verifier(t, time.Now(), secret)}
	for size, want := range map[int]int{receive.DefaultMaxBody: 400, receive.DefaultMaxBody + 1: 413} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", size))))
		if w.Code != want {
			t.Errorf("%d bytes: status %d", size, w.Code)
		}
	}
}
