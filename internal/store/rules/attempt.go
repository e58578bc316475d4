package rules

import "github.com/bellwire/bellwire/internal/bellwire"

// DroppedAttempt returns the number of the attempt that loses its details when the result's own attempt is stored under the
// given number; 0: none.
func DroppedAttempt(r *bellwire.Result, number int64) int64 {
	return int64(bellwire.DroppedAttempt(int(number), r.WholeAttempts))
}
