package codec

import (
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// healthStates are the states of an endpoint's health by their numbers in a database, which never change.
var healthStates = []bellwire.HealthState{bellwire.HealthHealthy, bellwire.HealthFailing, bellwire.HealthRecovering}

// HealthState returns the state that is stored under a number.
func HealthState(number int64) bellwire.HealthState { return healthStates[number] }

// HealthNumber returns the number under which a state is stored. An idle endpoint is stored as a healthy one.
func HealthNumber(state bellwire.HealthState) int64 {
	return int64(max(slices.Index(healthStates, state), 0))
}
