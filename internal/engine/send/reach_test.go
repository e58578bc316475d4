package send

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

func TestReachConnectsAndSendsNothing(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	count := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	plain, secure := httptest.NewServer(count), httptest.NewUnstartedServer(count)
	secure.EnableHTTP2 = true
	quiet(secure)
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	trusting := secure.Client().Transport.(*http.Transport).TLSClientConfig
	for _, c := range []struct {
		name, url string
		guard     *destination.Guard
		config    *tls.Config
		within    time.Duration // 0: as long as it may take
		want      bellwire.Outcome
		text      string
	}{
		{"plain", plain.URL + "/x", loopback, nil, 0, bellwire.OutcomeOK, ""},
		{"TLS", secure.URL, loopback, trusting, 0, bellwire.OutcomeOK, ""},
		{"a certificate that nobody trusts", secure.URL, loopback, nil, 0, bellwire.OutcomeTLS, "unknown authority"},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), loopback, nil, 0, bellwire.OutcomeTLS, "must begin with http://"},
		{"a closed port", "http://127.0.0.1:1", loopback, nil, 0, bellwire.OutcomeConnect, "no connection could be made"},
		{"a private address", plain.URL, nil, nil, 0, bellwire.OutcomeBlocked, "private"},
		{"no handshake", strings.Replace(unserved(t), "http:", "https:", 1), loopback, nil, 50 * time.Millisecond, bellwire.OutcomeTimeout, "the deadline passed while"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, err := url.Parse(c.url)
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			if c.within > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.within)
				defer cancel()
			}
			found, err := New(Config{Guard: c.guard, TLS: c.config, Now: time.Now}).Reach(ctx, target)
			if err != nil {
				t.Fatal(err)
			}
			if found.Outcome != c.want || !strings.Contains(found.Error, c.text) || (found.Error == "") != (c.want == bellwire.OutcomeOK) {
				t.Errorf("got %q, %q; want %q with %q", found.Outcome, found.Error, c.want, c.text)
			}
			if found.Timings.Total == 0 || c.want == bellwire.OutcomeOK && found.Timings.Connect == 0 || c.config != nil && found.Timings.TLS == 0 {
				t.Errorf("its timings are %+v", found.Timings)
			}
		})
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
