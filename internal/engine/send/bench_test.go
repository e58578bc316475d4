package send

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
)

// answering is a transport without a network, so that a benchmark shows the sender's own cost.
type answering struct{}

func (answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	header := http.Header{"Content-Length": {"0"}, "Date": {"Sat, 01 Mar 2025 10:00:00 GMT"}}
	return &http.Response{StatusCode: 204, Header: header, Body: http.NoBody, Request: r}, nil
}

func benchmarkSend(b *testing.B, transport *transport, url string) {
	dialect := standard.Dialect{}
	ep := &bellwire.Endpoint{ID: "ep_1", URL: url, Signing: bellwire.SigningHMAC, Retry: bellwire.StandardRetryPolicy()}
	secret, err := dialect.NewSecret(ep.Signing)
	if err != nil {
		b.Fatal(err)
	}
	renderer, err := dialect.Bind(ep, &bellwire.Credentials{Secrets: []bellwire.Secret{secret}})
	if err != nil {
		b.Fatal(err)
	}
	target := &bellwire.Target{Endpoint: ep, URL: parsed(url), Renderer: renderer, Timeout: bellwire.DefaultTimeout}
	event := &bellwire.Event{
		ID: bellwire.NewID[bellwire.EventKind](time.Now()), Type: "bench", Data: bytes.Repeat([]byte("1"), 500), CreatedAt: time.Now(),
	}
	delivery := new(bellwire.Delivery)
	s := newSender(transport, "Bellwire")
	b.ReportAllocs()
	for b.Loop() {
		request := Request{Target: target, Event: event, Delivery: delivery, Trigger: bellwire.TriggerSchedule, Content: rendered{}}
		if r := s.Do(context.Background(), &request); r.Verdict != bellwire.Acknowledged {
			b.Fatal(r.Attempt.Error)
		}
	}
}

// BenchmarkSend is one attempt without its network: render, sign, log, classify.
func BenchmarkSend(b *testing.B) {
	benchmarkSend(b, &transport{kept: answering{}}, "http://127.0.0.1/hook")
}

// BenchmarkSendLoopback is one attempt to a server on this machine.
func BenchmarkSendLoopback(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer s.Close()
	transport := newTransport(guardedDialer(loopback), 4, 64, nil)
	defer transport.CloseIdleConnections()
	benchmarkSend(b, transport, s.URL)
}
