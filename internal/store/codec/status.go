package codec

import "github.com/bellwire/bellwire/internal/bellwire"

// The numbers of a delivery's statuses in a database. They never change. Those up to Retrying are open.
const (
	Behind    = -2 // pending, and behind an earlier delivery of its key
	Delayed   = -1 // pending, and stored by its due time
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
func Status[N int16 | int64](number N) bellwire.DeliveryStatus { return statuses[max(number, Pending)] }

// StateNumber returns the number under which a state's status is stored.
func StateNumber[N int16 | int64](st *bellwire.DeliveryState) N {
	switch {
	case st.Behind:
		return Behind
	case st.Delayed:
		return Delayed
	}
	number, _ := StatusNumber[N](st.Status)
	return number
}

// SetStatus sets the status of a state from the number under which it is stored.
func SetStatus[N int16 | int64](st *bellwire.DeliveryState, number N) {
	st.Status, st.Delayed, st.Behind = Status(number), number == Delayed, number == Behind
}

// StatusNumber returns the number under which a status is stored, and reports whether it has one. Of the numbers for pending it
// returns Pending.
func StatusNumber[N int16 | int64](status bellwire.DeliveryStatus) (number N, known bool) {
	for n, s := range statuses {
		if s == status {
			return N(n), true
		}
	}
	return 0, false
}
