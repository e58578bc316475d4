package service_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/service"
)

// Nobody who knows a session's id can have it read at any rate, and neither can its tenant.
func TestSessionsAreReadAtABoundedRate(t *testing.T) {
	inBubble(t, func(t *testing.T, e *env) {
		tenant := e.limited("acme", map[string]float64{"request_rate": 2})
		key, _, err := e.CreateKey(t.Context(), admin, "", service.NewKey{Role: bellwire.RoleAdmin})
		if err != nil {
			t.Fatal(err)
		}
		by := service.Caller{Role: bellwire.RoleAdmin, Key: key.ID}
		origins := []string{"https://acme.example"}
		session, code, err := e.CreatePortalSession(t.Context(), by, tenant, service.NewPortalSession{Origins: origins})
		if err != nil {
			t.Fatal(err)
		}
		_, token, err := e.ExchangePortalCode(t.Context(), code, service.Client{})
		if err != nil {
			t.Fatal(err)
		}
		authenticate := func(token string, want bellwire.Code) {
			t.Helper()
			_, err := e.AuthenticatePortal(t.Context(), token)
			wantCode(t, err, want, "")
		}
		reads := func(want int, what string, do func()) {
			t.Helper()
			before := e.store.asked.Load()
			for range 10 {
				do()
			}
			if got := int(e.store.asked.Load() - before); got != want {
				t.Errorf("%s: the session was read %d times, want %d", what, got, want)
			}
		}
		wrong := token[:len(token)-secretLength] + strings.Repeat("A", secretLength)
		reads(1, "a token that was never seen", func() { authenticate(wrong, bellwire.CodeUnauthenticated) })
		reads(10, "the session's token", func() { authenticate(token, "") })
		for range limits.RequestRate.Burst(2) - 10 {
			authenticate(token, "")
		}
		reads(0, "the token of a tenant without requests left", func() { authenticate(token, bellwire.CodeRateLimited) })
		frame := func() {
			if got, err := e.FrameOrigins(t.Context(), session.ID.String()); err != nil || !slices.Equal(got, origins) {
				t.Errorf("framed by %q, %v", got, err)
			}
		}
		time.Sleep(time.Second)
		reads(1, "the pages that may frame it", frame)
		if err := e.EndSession(t.Context(), by, tenant, session.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got, err := e.FrameOrigins(t.Context(), session.ID.String()); err != nil || got != nil {
			t.Errorf("framed by %q after its end, %v", got, err)
		}
		authenticate(token, bellwire.CodeUnauthenticated)
	})
}

// secretLength is the length of the random part of a token.
const secretLength = 43

// Behind a proxy, everybody's codes come from one address. However many wrong ones do, a right code begins its session, and what is
// done with a used one costs neither reads nor a line of the log each time.
func TestWrongCodesKeepNobodyOut(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e := newEnv(t, func(c *service.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	tenant := e.tenant("acme")
	key, _, err := e.CreateKey(t.Context(), admin, "", service.NewKey{Role: bellwire.RoleAdmin})
	must(t, err)
	session, code, err := e.CreatePortalSession(t.Context(), service.Caller{Role: bellwire.RoleAdmin, Key: key.ID}, tenant, service.NewPortalSession{})
	must(t, err)
	proxied := bellwire.WithCall(t.Context(), bellwire.Call{Origin: bellwire.Origin{Address: "10.0.0.1"}})
	exchange := func(code string, want bellwire.Code) {
		t.Helper()
		_, _, err := e.ExchangePortalCode(proxied, code, service.Client{})
		wantCode(t, err, want, "")
	}
	end := len(code) - secretLength
	wrong := code[:end] + strings.Repeat("A", secretLength)
	invented := "bwx_" + strings.Repeat("0", 32) + "_" + strings.Repeat("A", secretLength)
	for range 200 {
		for _, bad := range []string{"", "bwx_", wrong, invented} {
			exchange(bad, bellwire.CodeUnauthenticated)
		}
	}
	exchange(code, "")
	exchange(code, bellwire.CodeUnauthenticated)
	before := e.store.asked.Load()
	for range 10 {
		exchange(code, bellwire.CodeUnauthenticated)
		exchange(wrong, bellwire.CodeUnauthenticated)
	}
	if n := e.store.asked.Load() - before; n != 0 {
		t.Errorf("the session %s was read %d times", session.ID, n)
	}
	if n := strings.Count(log.String(), "session code exchanged before"); n != 1 {
		t.Errorf("%d lines about the used code:\n%s", n, &log)
	}
}
