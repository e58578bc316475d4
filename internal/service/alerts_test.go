package service_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// fakeMailer takes e-mails to one address.
type fakeMailer struct{ takes string }

func (m fakeMailer) SendTest(_ context.Context, address string) (string, error) {
	if address != m.takes {
		return "", errors.New("550 no such user")
	}
	return "2.0.0 queued", nil
}

// TestTestAlerts sends a test to each address, and no second one right after it.
func TestTestAlerts(t *testing.T) {
	t.Parallel()
	e := newEnv(t, func(c *service.Config) {
		c.Mailer, c.AlertAddresses = fakeMailer{"a@example.com"}, []string{"a@example.com", "b@example.com"}
	})
	got, err := e.TestAlerts(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	want := []service.AlertTest{
		{Address: "a@example.com", Sent: true, Answer: "2.0.0 queued"},
		{Address: "b@example.com", Error: "550 no such user"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err = e.TestAlerts(t.Context(), admin)
	wantCode(t, err, bellwire.CodeRateLimited, "")
	_, err = newEnv(t).TestAlerts(t.Context(), admin)
	wantCode(t, err, bellwire.CodeConflict, "")
	log, err := e.AuditLog(t.Context(), admin, bellwire.AuditFilter{}, bellwire.Page{})
	if err != nil || len(log.Items) == 0 || log.Items[0].Action != bellwire.AuditTestAlerts {
		t.Errorf("the audit log has %+v (%v)", log, err)
	}
}
