package send

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// What is another node's by the time that there is a connection is not sent, over any kind of connection, new or kept.
func TestLostLeasesHoldRequestsBack(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*httptest.Server){
		"plain":  (*httptest.Server).Start,
		"TLS":    (*httptest.Server).StartTLS,
		"HTTP/2": func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if want := map[bool]int{true: 2, false: 1}[name == "HTTP/2"]; r.ProtoMajor != want {
					t.Errorf("it came over HTTP/%d", r.ProtoMajor)
				}
				requests.Add(1)
			}))
			start(s)
			t.Cleanup(s.Close)
			transport := newTransport(guardedDialer(loopback), 4, 64, &tls.Config{InsecureSkipVerify: true})
			t.Cleanup(transport.CloseIdleConnections)
			sender := newSender(transport, "x")
			target := &bellwire.Target{Endpoint: &bellwire.Endpoint{URL: s.URL}, URL: parsed(s.URL), Renderer: plain{}, Timeout: 5 * time.Second}
			request := newTestRequest(target, "1")
			request.Delivery = &bellwire.Delivery{Endpoint: "a", Epoch: 7}
			for _, mine := range []bool{false, true, false, true} {
				sender.owns = func(endpoint string, epoch int64) bool {
					if endpoint != "a" || epoch != 7 {
						t.Errorf("%s is asked about in epoch %d", endpoint, epoch)
					}
					return mine
				}
				before := requests.Load()
				r := sender.Do(context.Background(), request)
				if sent := requests.Load() > before; sent != mine || r.NotSent == mine || (r.Verdict == bellwire.Acknowledged) != mine {
					t.Errorf("mine %v: sent %v, withheld %v, verdict %v", mine, sent, r.NotSent, r.Verdict)
				}
			}
		})
	}
}
