//go:build go1.25

package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/client"
)

// connection is what a server does with one request for a stream.
type connection struct {
	status int    // 0: 200
	header string // Retry-After
	text   string
	open   bool // it sends nothing more, and does not end the stream
	err    error
}

// streams serves connections one after the other, and notes when and with which Last-Event-ID they began.
type streams struct {
	start       time.Time
	connections []connection
	began       []string
	url         string
}

func (s *streams) RoundTrip(r *http.Request) (*http.Response, error) {
	s.began = append(s.began, fmt.Sprintf("%s %s", time.Since(s.start), r.Header.Get("Last-Event-ID")))
	s.url = r.URL.String()
	c := s.connections[0]
	s.connections = s.connections[1:]
	if c.err != nil {
		return nil, c.err
	}
	body, in := io.Pipe()
	go func() {
		_, _ = io.WriteString(in, c.text) // fails if the client has left
		if c.open {
			<-r.Context().Done()
			in.CloseWithError(context.Cause(r.Context()))
		}
		in.Close()
	}()
	response := &http.Response{StatusCode: max(c.status, 200), Header: http.Header{}, Body: body, Request: r}
	if c.status != 0 {
		response.StatusCode = c.status
		response.Header.Set("Retry-After", c.header)
	}
	return response, nil
}

func sent(event, id, data string) string {
	return "event: " + event + "\nid: " + id + "\ndata: " + data + "\n\n"
}

// TestLiveGoesOn: a stream goes on after what it saw last, whichever way its connection breaks, and ends when the key does.
func TestLiveGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &streams{start: time.Now(), connections: []connection{
			{text: "retry: 2000\n\n:\n\n" + sent("attempt", "att_1", `{"id":"att_1","outcome":"status","status":503,"duration_ms":1.5,"new":"member"}`) + sent("counters", "", `{"published":3,"attempts":2,"succeeded":1,"failed":1}`)},
			{status: 503, text: `{"code":"unavailable","detail":"the node is stopping"}`},
			{status: 429, header: "30", text: `{"code":"rate_limited","detail":"too many requests"}`},
			{text: sent("gap", "", "{}") + sent("attempt", "att_2", `{"id":"att_2"}`) + sent("skipped", "", `{"sampled":7,"dropped":1}`) + sent("later", "", "{}"), open: true},
			{err: io.ErrUnexpectedEOF},
			{text: sent("end", "", `{"status":401,"code":"unauthenticated","detail":"the session has ended"}`), open: true},
		}}
		c, err := client.New("http://bellwire.example/hooks", "a-key", client.WithHTTPClient(&http.Client{Transport: server, Timeout: time.Second}))
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		var last error
		for event, err := range c.Live(t.Context(), "acme", client.LiveFilter{Outcome: client.OutcomeFailed, Type: "invoice.*", Status: 503}) {
			switch {
			case err != nil:
				last = err
			case event.Attempt != nil:
				told = append(told, event.Attempt.ID, fmt.Sprint(event.Attempt.Status), string(event.Data))
			case event.Counters != nil:
				told = append(told, fmt.Sprint(*event.Counters.Published, event.Counters.Attempts, event.Counters.Succeeded, event.Counters.Failed))
			case event.Skipped != nil:
				told = append(told, fmt.Sprint(*event.Skipped))
			case event.Gap:
				told = append(told, "gap")
			default:
				told = append(told, event.Lost.Error())
			}
		}
		want := []string{
			"att_1", "503", `{"id":"att_1","outcome":"status","status":503,"duration_ms":1.5,"new":"member"}`, "3 2 1 1", "the server ended the stream",
			"the node is stopping (unavailable)", "too many requests (rate_limited)",
			"gap", "att_2", "0", `{"id":"att_2"}`, "{7 1}", "the server was silent for 45s", `Get "` + server.url + `": unexpected EOF`,
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %q\n want %q", told, want)
		}
		if e := (*client.Error)(nil); !errors.As(last, &e) || e.Code != client.CodeUnauthenticated {
			t.Errorf("ended with %v", last)
		}
		began := []string{"0s ", "1s att_1", "3s att_1", "33s att_1", "1m19s att_2", "1m21s att_2"}
		if !slices.Equal(server.began, began) {
			t.Errorf("connected at %q, not %q", server.began, began)
		}
		if want := "http://bellwire.example/hooks/api/v1/tenants/acme/live?outcome=failed&status=503&type=invoice.%2A"; server.url != want {
			t.Errorf("asked for %s, not %s", server.url, want)
		}
	})
}

// TestLiveFails if its first connection does, and ends without an error with its context or when its reader leaves.
func TestLiveFails(t *testing.T) {
	t.Parallel()
	follow := func(ctx context.Context, c connection, leave bool) (events int, last error) {
		api, err := client.New("http://bellwire.example", "a-key", client.WithHTTPClient(&http.Client{Transport: &streams{connections: []connection{c}}}))
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range api.Live(ctx, "", client.LiveFilter{}) {
			if events, last = events+1, err; leave {
				break
			}
		}
		return events, last
	}
	synctest.Test(t, func(t *testing.T) {
		if _, err := follow(t.Context(), connection{err: io.ErrUnexpectedEOF}, false); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("not reached: %v", err)
		}
		if _, err := follow(t.Context(), connection{status: 404, text: `{"code":"not_found","detail":"tenant \"x\" does not exist"}`}, false); err == nil || !strings.Contains(err.Error(), "not_found") {
			t.Errorf("refused: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if events, err := follow(ctx, connection{open: true}, false); events != 0 || err != nil {
			t.Errorf("canceled: %d events, %v", events, err)
		}
		if events, err := follow(t.Context(), connection{text: sent("gap", "", "{}"), open: true}, true); events != 1 || err != nil {
			t.Errorf("left: %d events, %v", events, err)
		}
	})
}
