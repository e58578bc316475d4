package engine

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

// answering is a transport without a network, so that a benchmark shows the engine's own cost.
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
	j := &job{trigger: bellwire.TriggerSchedule, event: newContent(&bellwire.Event{
		ID: bellwire.NewID[bellwire.EventKind](time.Now()), Type: "bench", Data: bytes.Repeat([]byte("1"), 500), CreatedAt: time.Now(),
	})}
	s := newSender(transport, "Bellwire")
	b.ReportAllocs()
	for b.Loop() {
		if r := s.send(context.Background(), j, target); r.verdict != bellwire.Acknowledged {
			b.Fatal(r.attempt.Error)
		}
	}
}

// BenchmarkSend is one attempt without its network: render, sign, log, judge.
func BenchmarkSend(b *testing.B) {
	benchmarkSend(b, &transport{kept: answering{}}, "http://127.0.0.1/hook")
}

// BenchmarkSendLoopback is one attempt to a server on this machine.
func BenchmarkSendLoopback(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer s.Close()
	transport := newTransport(guardedDialer(loopback), 4, nil)
	defer transport.CloseIdleConnections()
	benchmarkSend(b, transport, s.URL)
}

// BenchmarkLaneHandOver is what a delivery costs in the scheduler: reserved, accepted, sent, finished, recorded.
func BenchmarkLaneHandOver(b *testing.B) {
	m := newSchedulerModel()
	target := &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: "ep_1", MaxInFlight: 64, Status: bellwire.EndpointEnabled, Revision: 1}}
	targets := []*bellwire.Target{target}
	event := newContent(&bellwire.Event{Data: make([]byte, 500)})
	records := []bellwire.Recorded{{Status: bellwire.DeliverySucceeded, Moved: true}}
	var places []placement
	b.ReportAllocs()
	for b.Loop() {
		now := time.Now()
		places = m.s.reserve(now, targets, event, places[:0])
		j := &job{trigger: bellwire.TriggerSchedule, event: event}
		m.s.accept(now, places, []*job{j})
		m.running = m.running[:0]
		r := &result{job: j, verdict: bellwire.Acknowledged, attempt: &bellwire.Attempt{}, transition: bellwire.Transition{Status: bellwire.DeliverySucceeded}}
		m.s.finish(now, r)
		m.s.recorded(now, []*result{r}, records)
	}
}
