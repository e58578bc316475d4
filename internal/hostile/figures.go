package hostile

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Spread is a distribution of durations, in milliseconds.
type Spread struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Worst float64 `json:"worst_ms"`
}

// spread returns the distribution of durations, which it sorts.
func spread(durations []time.Duration) Spread {
	n := len(durations)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(durations)
	at := func(i int) float64 { return float64(durations[i].Microseconds()) / 1000 }
	return Spread{Count: n, P50: at(n / 2), P99: at(n * 99 / 100), Worst: at(n - 1)}
}

// Figures are the neighbour's measurements.
type Figures struct {
	Publish  Spread         `json:"publish"`  // from a publish to its answer
	Delivery Spread         `json:"delivery"` // from a publish to the receipt of the event
	Retry    Spread         `json:"retry"`    // delay of second attempts beyond the policy's
	Lists    Spread         `json:"lists"`    // a list until its end
	Newcomer Spread         `json:"newcomer"` // a newcomer's first publish until the event's receipt
	SignUp   Spread         `json:"sign_up"`  // a newcomer's tenant and endpoint
	Waking   Spread         `json:"waking"`   // delay of the neighbour's own timers, which is not the server's fault
	Ready    float64        `json:"ready"`    // share of probes answered 200 in time
	Probes   map[string]int `json:"probes"`   // probes by answer
	Refused  map[string]int `json:"refused"`  // failed requests by answer
	Example  string         `json:"example,omitempty"`
	Missing  int            `json:"missing"` // accepted events that did not arrive in time
}

// record collects measurements.
type record struct {
	mu                               sync.Mutex
	publishes, lists, signUps, wakes []time.Duration
	newcomers                        []int // numbers of their events
	probes                           map[string]int
	refused                          map[string]int
	example                          string
}

// request records the duration of a request, and its refusal.
func (r *record) request(kind *[]time.Duration, took time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*kind = append(*kind, took)
	if refused, ok := err.(*refusal); ok {
		if r.refused == nil {
			r.refused = make(map[string]int)
		}
		r.refused[refused.what]++
		r.example = refused.Error()
	}
}

func (r *record) newcomer(number int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newcomers = append(r.newcomers, number)
}

func (r *record) probe(answer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.probes == nil {
		r.probes = make(map[string]int)
	}
	r.probes[answer]++
}

// figures summarizes the record. An event that has not arrived counts as if it arrived now.
func (r *record) figures(events map[int]*arrival, now time.Time) *Figures {
	f := &Figures{
		Publish: spread(r.publishes), Lists: spread(r.lists), SignUp: spread(r.signUps), Waking: spread(r.wakes),
		Refused: maps.Clone(r.refused), Example: r.example,
		Probes: maps.Clone(r.probes), Ready: 1,
	}
	if all := sum(r.probes); all > 0 {
		f.Ready = float64(r.probes[isReady]) / float64(all)
	}
	var deliveries, retries, first []time.Duration
	for number, event := range events {
		done := event.done
		if done.IsZero() {
			f.Missing++
			done = now
		}
		switch {
		case slices.Contains(r.newcomers, number):
			first = append(first, done.Sub(event.published))
		case !event.first.IsZero():
			retries = append(retries, max(0, done.Sub(event.first)-retryDelay))
			deliveries = append(deliveries, event.first.Sub(event.published))
		default:
			deliveries = append(deliveries, done.Sub(event.published))
		}
	}
	f.Delivery, f.Retry, f.Newcomer = spread(deliveries), spread(retries), spread(first)
	return f
}

// sum returns the sum of all counts.
func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}
