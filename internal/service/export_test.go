package service

import "github.com/bellwire/bellwire/internal/limits"

// SpendTrials takes steps from those for which a tenant may have filters tried.
func (s *Service) SpendTrials(tenant string, steps int) {
	s.trials.Take(tenant, limits.TrialSteps, limits.TrialStepsBurst, steps)
}
