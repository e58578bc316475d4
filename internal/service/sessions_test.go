package service_test

import (
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
