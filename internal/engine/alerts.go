package engine

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// Mailer sends e-mail.
type Mailer interface {
	// Send sends a digest of alerts, oldest first, to an address.
	Send(ctx context.Context, address string, alerts []*bellwire.Alert) error
}

// The figures of the alert sender.
const (
	alertEvery   = 5 * time.Second // how often it looks
	alertDelay   = time.Minute     // after the oldest alert, so that what fails at the same time is in one digest
	alertPause   = time.Hour       // between two digests to an address
	alertTimeout = 2 * time.Minute // for one digest
	alertRetry   = time.Minute     // before a digest is retried; doubled with each failure, up to alertPause
)

// alertSender sends digests of alerts by e-mail. The owner of the shard of OperationsTenant does so. Alerts are forgotten after they
// were sent, so that each is sent at least once.
type alertSender struct {
	store     Store
	mailer    Mailer // nil: nothing is sent
	scheduler *lanes.Scheduler
	observer  bellwire.Observer
	logger    *slog.Logger

	failed map[string]mailFailure // by address
	sent   *sentDigest            // not stored yet; nil: none
}

// mailFailure is a digest that could not be sent.
type mailFailure struct {
	wait    time.Duration
	retryAt time.Time
}

// sentDigest is a digest that was sent.
type sentDigest struct {
	address string
	numbers []int64
	at      time.Time
}

// run sends digests until ctx ends.
func (s *alertSender) run(ctx context.Context) {
	if s.mailer == nil {
		return
	}
	for ctx.Err() == nil {
		if err := s.step(ctx); err != nil {
			reportStore(ctx, s.observer, "send alerts", err)
		}
		sleep(ctx, alertEvery)
	}
}

// step sends the digests for which it is time.
func (s *alertSender) step(ctx context.Context) error {
	if err := s.storeSent(ctx); err != nil {
		return err
	}
	if !s.owns() {
		clear(s.failed)
		return nil
	}
	waiting, err := s.waiting(ctx)
	if err != nil {
		return err
	}
	for _, a := range waiting {
		if !s.isTime(&a, time.Now()) || !s.owns() {
			continue
		}
		if err := s.send(ctx, a.Address); err != nil {
			return err
		}
	}
	return nil
}

// owns reports whether this node sends digests.
func (s *alertSender) owns() bool { return s.scheduler.Leases().Epoch(bellwire.OperationsTenant) != 0 }

// waiting returns the addresses for which alerts wait. It forgets the failures of others.
func (s *alertSender) waiting(ctx context.Context) ([]bellwire.AlertAddress, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	waiting, err := s.store.AlertAddresses(ctx)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(s.failed, func(address string, _ mailFailure) bool {
		return !slices.ContainsFunc(waiting, func(a bellwire.AlertAddress) bool { return a.Address == address })
	})
	return waiting, nil
}

// isTime reports whether an address may get a digest now. Clocks of nodes differ, and can be set back.
func (s *alertSender) isTime(a *bellwire.AlertAddress, now time.Time) bool {
	return now.Sub(a.Since).Abs() >= alertDelay && now.Sub(a.SentAt).Abs() >= alertPause && !now.Before(s.failed[a.Address].retryAt)
}

// send sends a digest of everything that waits for an address.
func (s *alertSender) send(ctx context.Context, address string) error {
	reading, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	alerts, err := s.store.Alerts(reading, address)
	if err != nil || len(alerts) == 0 {
		return err
	}
	mailing, cancel := context.WithTimeout(ctx, alertTimeout)
	defer cancel()
	if err := s.mailer.Send(mailing, address, alerts); err != nil {
		s.fail(ctx, address, err)
		return nil
	}
	s.succeed(ctx, address)
	s.sent = &sentDigest{address: address, at: time.Now()}
	for _, a := range alerts {
		s.sent.numbers = append(s.sent.numbers, a.Number)
	}
	return s.storeSent(ctx)
}

// storeSent forgets the alerts of the digest that was sent, also when ctx has ended meanwhile. No other digest is sent before it
// succeeds, so that an address does not get the same one again and again.
func (s *alertSender) storeSent(ctx context.Context) error {
	if s.sent == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err := s.store.EndAlerts(ctx, s.sent.address, s.sent.numbers, s.sent.at); err != nil {
		return err
	}
	s.sent = nil
	return nil
}

// fail plans the retry of a digest. The first failure of an address is logged.
func (s *alertSender) fail(ctx context.Context, address string, err error) {
	if ctx.Err() != nil {
		return
	}
	s.observer.AlertsMailed(false)
	before, failed := s.failed[address]
	if !failed {
		s.logger.ErrorContext(ctx, "alert e-mail not sent: retries follow", "address", address, "error", err.Error())
	}
	wait := min(max(2*before.wait, alertRetry), alertPause)
	s.failed[address] = mailFailure{wait: wait, retryAt: time.Now().Add(wait)}
}

// succeed records that an address got a digest.
func (s *alertSender) succeed(ctx context.Context, address string) {
	s.observer.AlertsMailed(true)
	if _, failed := s.failed[address]; failed {
		delete(s.failed, address)
		s.logger.InfoContext(ctx, "alert e-mail sent after failures", "address", address)
	}
}
