package codec

import "github.com/bellwire/bellwire/internal/bellwire"

// The numbers of a delivery's statuses in a database. They never change. The first two are open.
const (
	Pending   = 0
	Retrying  = 1
	Succeeded = 2
	Exhausted = 3
	Canceled  = 4
)

var statuses = [...]bellwire.DeliveryStatus{
	Pending:   bellwire.DeliveryPending,
	Retrying:  bellwire.DeliveryRetrying,
	Succeeded: bellwire.DeliverySucceeded,
	Exhausted: bellwire.DeliveryExhausted,
	Canceled:  bellwire.DeliveryCanceled,
}

// Status returns the status that is stored under a number.
func Status[N int16 | int64](number N) bellwire.DeliveryStatus { return statuses[number] }

// StatusNumber returns the number under which a status is stored, and reports whether it has one.
func StatusNumber[N int16 | int64](status bellwire.DeliveryStatus) (number N, known bool) {
	for n, s := range statuses {
		if s == status {
			return N(n), true
		}
	}
	return 0, false
}
