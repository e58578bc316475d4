package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// A sender that asks for permission with OPTIONS gets it, which is no delivery.
func TestListenAllowsDeliveries(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &receiver{command: &listenCommand{Status: http.StatusNoContent, Count: 1}, out: &out, full: make(chan struct{})}
	p := bellwire.NewPermission("hooks.example.com")
	asked := httptest.NewRequest(http.MethodOptions, "/", nil)
	asked.Header.Set("WebHook-Request-Origin", p.Origin())
	answer := httptest.NewRecorder()
	r.ServeHTTP(answer, asked)
	if refusal := p.Answer(answer.Header(), time.Now()); refusal != "" || p.Grant().Rate != 0 || out.Len() > 0 || r.seen > 0 {
		t.Errorf("refused because the answer %s; printed %q", refusal, out.String())
	}
	delivered := httptest.NewRecorder()
	r.ServeHTTP(delivered, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")))
	if delivered.Code != http.StatusNoContent || r.seen != 1 {
		t.Errorf("a delivery is answered %d", delivered.Code)
	}
}
