package service

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Mailer sends e-mail to the addresses that get alerts.
type Mailer interface {
	// SendTest sends a test, and returns what the mail server answered to it.
	SendTest(ctx context.Context, address string) (answer string, err error)
}

// AlertTest is what became of a test of the alerts at one address.
type AlertTest struct {
	Address string
	Sent    bool
	Answer  string // what the mail server said to the e-mail that it took
	Error   string // why it was not sent
}

// Bounds on tests of alerts.
const (
	alertTestTime  = 20 * time.Second // for one address
	alertTestPause = 5 * time.Second  // between two tests
)

// alertTests lets one test of the alerts run at a time, with pauses between them.
type alertTests struct {
	mu    sync.Mutex
	busy  bool
	ended time.Time
}

func (t *alertTests) begin() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if wait := alertTestPause - time.Since(t.ended); t.busy || wait > 0 {
		return &bellwire.Error{
			Code: bellwire.CodeRateLimited, Message: "another test of the alerts has just been made", Hint: "Wait a few seconds.", RetryAfter: alertTestPause,
		}
	}
	t.busy = true
	return nil
}

func (t *alertTests) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy, t.ended = false, time.Now()
}

// TestAlerts sends a test to each address that gets alerts by e-mail.
func (s *Service) TestAlerts(ctx context.Context, c Caller) ([]AlertTest, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if len(s.alertAddresses) == 0 {
		return nil, &bellwire.Error{
			Code: bellwire.CodeConflict, Message: "the node that answers sends no alerts by e-mail",
			Hint: "Start it with --smtp-url, --smtp-from and --alert-email.",
		}
	}
	if err := s.alertTests.begin(); err != nil {
		return nil, err
	}
	defer s.alertTests.end()
	if err := s.auditAction(ctx, c, "", bellwire.AuditTestAlerts, "alerts"); err != nil {
		return nil, err
	}
	tests := make([]AlertTest, len(s.alertAddresses))
	var sending sync.WaitGroup
	for i, address := range s.alertAddresses {
		sending.Go(func() { tests[i] = s.testAlert(ctx, address) })
	}
	sending.Wait()
	return tests, nil
}

func (s *Service) testAlert(ctx context.Context, address string) AlertTest {
	ctx, cancel := context.WithTimeout(ctx, alertTestTime)
	defer cancel()
	answer, err := s.mailer.SendTest(ctx, address)
	if err != nil {
		return AlertTest{Address: address, Error: err.Error()}
	}
	return AlertTest{Address: address, Sent: true, Answer: answer}
}
