package service

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// The pauses between two looks for the attempt of a probe, which another node may make.
const (
	firstProbePause   = 5 * time.Millisecond
	longestProbePause = 250 * time.Millisecond
)

// Probe is what a probe of an endpoint has found.
type Probe struct {
	TestReceipt
	Attempt *bellwire.Attempt
}

// ProbeEndpoint tests an endpoint and waits for the attempt. See TestEndpoint.
func (s *Service) ProbeEndpoint(ctx context.Context, c Caller, tenant, id, eventType string) (*Probe, error) {
	if err := authorizeIn(c, Test, tenant); err != nil {
		return nil, err
	}
	held, err := s.directory.Limits(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if held.Paused {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "no request can be made: the tenant is paused")
	}
	leave, err := s.probes.Enter(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer leave()
	receipt, err := s.testEndpoint(ctx, c, tenant, id, eventType, bellwire.AuditProbe)
	if err != nil {
		return nil, err
	}
	attempt, err := s.awaitAttempt(ctx, tenant, receipt.Delivery)
	if err != nil {
		return nil, err
	}
	if !c.may(ReadSecrets) {
		hideURL(attempt)
	}
	return &Probe{receipt, attempt}, nil
}

// awaitAttempt waits for the attempt of a test. Its error has CodeConflict if none can be made, and CodeUnavailable if none was
// made in time.
func (s *Service) awaitAttempt(ctx context.Context, tenant string, id bellwire.DeliveryID) (*bellwire.Attempt, error) {
	late := time.NewTimer(limits.ProbeWait)
	defer late.Stop()
	for pause := firstProbePause; ; pause = min(2*pause, longestProbePause) {
		d, err := s.store.Delivery(ctx, tenant, id)
		if err != nil {
			return nil, err
		}
		if !d.Status.Open() {
			return s.onlyAttempt(ctx, d)
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-late.C:
			again.Stop()
			return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the attempt was not made within %s; delivery %q shows it when it is", limits.ProbeWait, id)
		case <-ctx.Done():
			again.Stop()
			return nil, bellwire.Wrap(bellwire.CodeCanceled, ctx.Err(), "the request was canceled before the attempt was made")
		}
	}
}

// onlyAttempt returns the attempt of a delivery that has ended.
func (s *Service) onlyAttempt(ctx context.Context, d *bellwire.Delivery) (*bellwire.Attempt, error) {
	attempts, err := s.store.Attempts(ctx, d.ID, 1)
	if err != nil {
		return nil, err
	}
	if len(attempts) == 0 {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "no request can be made: %s", d.Reason)
	}
	return attempts[0], nil
}
