package columns

import "github.com/bellwire/bellwire/internal/bellwire"

// The states of a delivery in a database, in the order of bellwire.DeliveryStatuses. The first two are open.
const (
	Pending = iota
	Retrying
	Succeeded
	Exhausted
	Canceled
)

// Status returns a delivery's status as it is in a database.
func Status[N int16 | int64](status bellwire.DeliveryStatus) (number N, known bool) {
	for n, s := range bellwire.DeliveryStatuses {
		if s == status {
			return N(n), true
		}
	}
	return 0, false
}
