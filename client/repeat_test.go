//go:build go1.25

package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/client"
)

// TestPublishIsRepeated: a publish that may not have arrived is sent again, byte for byte.
func TestPublishIsRepeated(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Err: errors.New("connection reset")}
	unavailable := answer{status: 503, body: `{"code":"unavailable","detail":"the node is stopping"}`, header: http.Header{"Retry-After": {"7"}}}
	limited := answer{status: 429, body: `{"code":"rate_limited","detail":"too many requests"}`, header: http.Header{"Retry-After": {"2"}}}
	ok := answer{status: 202, body: receipt}
	tests := []struct {
		name     string
		answers  []answer
		attempts int
		calls    int
		code     client.Code // of the error in the end
		least    time.Duration
		most     time.Duration
	}{
		{"at once", []answer{ok}, 5, 1, "", 0, 0},
		{"after a broken connection", []answer{{err: reset}, {err: reset}, ok}, 5, 3, "", 300 * time.Millisecond, 600 * time.Millisecond},
		{"after being told when", []answer{unavailable, ok}, 5, 2, "", 7 * time.Second, 7 * time.Second},
		{"after too many", []answer{limited, limited, ok}, 5, 3, "", 4 * time.Second, 4 * time.Second},
		{"until too many are spent", []answer{limited}, 2, 2, client.CodeRateLimited, 2 * time.Second, 2 * time.Second},
		{"after a gateway's fault", []answer{{status: 502, body: "<html>"}, ok}, 5, 2, "", 100 * time.Millisecond, 200 * time.Millisecond},
		{"until the attempts are spent", []answer{unavailable}, 3, 3, "unavailable", 14 * time.Second, 14 * time.Second},
		{"not at all", []answer{unavailable}, 1, 1, "unavailable", 0, 0},
		{"not what is refused", []answer{{status: 422, body: `{"code":"invalid"}`}}, 5, 1, "invalid", 0, 0},
		{"not a conflict", []answer{{status: 409, body: `{"code":"conflict"}`}}, 5, 1, "conflict", 0, 0},
		{"not a fault of the server", []answer{{status: 500, body: `{"code":"internal"}`}}, 5, 1, "internal", 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &server{answers: test.answers}
				start := time.Now()
				_, err := newClient(t, s, client.WithAttempts(test.attempts)).Publish(t.Context(), "acme", client.Publication{Type: "a", Data: json.RawMessage(`1`)})
				if took := time.Since(start); took < test.least || took > test.most {
					t.Errorf("took %s, want %s to %s", took, test.least, test.most)
				}
				var refusal *client.Error
				if errors.As(err, &refusal); test.code != "" && (refusal == nil || refusal.Code != test.code) || test.code == "" && err != nil {
					t.Errorf("error %v, want %q", err, test.code)
				}
				if len(s.calls) != test.calls {
					t.Fatalf("%d calls, want %d", len(s.calls), test.calls)
				}
				var body struct{ ID string }
				if err := json.Unmarshal([]byte(s.calls[0].Body), &body); err != nil || len(body.ID) < 20 {
					t.Errorf("no id was made: %s", s.calls[0].Body)
				}
				for _, c := range s.calls {
					if c != s.calls[0] {
						t.Errorf("repeated otherwise: %v, then %v", s.calls[0], c)
					}
				}
			})
		})
	}
}

func TestContextEndsTheWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{answers: []answer{{status: 503, body: `{"code":"unavailable"}`, header: http.Header{"Retry-After": {"60"}}}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := newClient(t, s).Publish(ctx, "acme", client.Publication{Type: "a", Data: json.RawMessage(`1`)})
		var refusal *client.Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &refusal) {
			t.Errorf("the error tells of only one of the reasons: %v", err)
		}
		if took := time.Since(start); took != time.Second || len(s.calls) != 1 {
			t.Errorf("%s and %d calls", took, len(s.calls))
		}
	})
}
