package test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// spanCollector is a collector of OpenTelemetry.
type spanCollector struct {
	url string

	mu    sync.Mutex
	raw   bytes.Buffer      // what came
	spans map[string]string // names and parents, by id
}

func startCollector(t *testing.T) *spanCollector {
	t.Helper()
	c := &spanCollector{spans: make(map[string]string)}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *spanCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(body)
	for _, resource := range sent.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				c.spans[hex.EncodeToString(span.SpanId)] = fmt.Sprintf("%s of %x in %x", span.Name, span.ParentSpanId, span.TraceId)
			}
		}
	}
}

// span returns the id of a span by its description.
func (c *spanCollector) span(description string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, d := range c.spans {
		if d == description {
			return id
		}
	}
	return ""
}

// snapshot returns the spans that came.
func (c *spanCollector) snapshot() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.spans)
}

// A trace leads from the publisher over the first attempt, the death of the node and the retry by the next one to the receiver.
// With a collector, all that Bellwire does is part of it; without one, the receiver is told of the publisher's span.
func TestTraces(t *testing.T) {
	t.Parallel()
	const trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for name, collected := range map[string]bool{"Collected": true, "PassedOn": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attempts := make(chan string, 100)
			var up atomic.Bool
			r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if attempts <- r.Header.Get("Traceparent"); !up.Load() {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}))
			t.Cleanup(r.Close)
			c, dir, args := startCollector(t), t.TempDir(), local
			if collected {
				args = append([]string{"--otlp-endpoint", c.url}, local...)
			}
			s := startServer(t, dir, args...)
			s.subscribe(r.URL + "/services/s3cr3t-path")
			s.addType("card.created")
			req, err := http.NewRequest("POST", s.url+"/api/v1/tenants/acme/events", strings.NewReader(`{"type": "card.created", "data": {"card": "s3cr3t-data"}}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+adminKey)
			req.Header.Set("Traceparent", "00-"+trace+"-"+span+"-01")
			resp, err := http.DefaultClient.Do(req)
			if err != nil || resp.StatusCode != http.StatusAccepted {
				t.Fatal(resp, err)
			}
			resp.Body.Close()
			status := func() string {
				var list struct{ Data []struct{ Status string } }
				s.call("GET", "/tenants/acme/deliveries", "", &list)
				return list.Data[0].Status
			}
			eventually(t, "the first attempt is recorded", func() bool { return status() == "retrying" })
			if collected {
				s.terminate() // which sends the spans
			} else {
				s.kill()
			}
			up.Store(true)
			s = startServer(t, dir, args...)
			eventually(t, "the retry succeeds", func() bool { return status() == "succeeded" })
			told := make(map[string]int)
			for n := len(attempts); n > 0; n-- {
				told[<-attempts]++
			}
			if !collected {
				if want := "00-" + trace + "-" + span + "-01"; len(told) != 1 || told[want] < 2 || len(c.snapshot()) > 0 {
					t.Errorf("the receiver is told of %v, want %s", told, want)
				}
				return
			}
			_, page := s.getAs("/metrics", "application/openmetrics-text; version=1.0.0")
			if !strings.Contains(page, `trace_id="`+trace+`"`) {
				t.Errorf("no exemplar leads to the trace:\n%s", page)
			}
			s.terminate() // which sends what is left
			publish := c.span(fmt.Sprintf("publish of %s in %s", span, trace))
			if publish == "" || c.span(fmt.Sprintf("store of %s in %s", publish, trace)) == "" {
				t.Errorf("the spans are %v, want a publication for span %s, and in it a storing", c.snapshot(), span)
			}
			for header := range told {
				parsed := bellwire.ParseTraceparent(header)
				if parsed == nil {
					t.Fatalf("the receiver is told of %q", header)
				}
				if got, want := c.snapshot()[hex.EncodeToString(parsed.Span[:])], fmt.Sprintf("attempt of %s in %s", publish, trace); got != want {
					t.Errorf("the receiver is told of the span %s: %q, want %q", header, got, want)
				}
			}
			if raw := c.raw.String(); len(told) < 2 || strings.Contains(raw, "s3cr3t") || strings.Contains(raw, adminKey) {
				t.Errorf("the attempts are %v, and spans tell %q", told, raw)
			}
		})
	}
}
