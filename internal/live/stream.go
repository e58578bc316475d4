package live

import (
	"encoding/json"
	"slices"
	"sync"
)

// maxQueued is how many attempts wait for a watcher that reads slowly.
const maxQueued = 4 * perTick * ticksPerSecond

// Stream is what one watcher gets.
type Stream struct {
	hub    *Hub
	filter Filter
	told   Filter // what other nodes are told of it
	owner  string
	ready  chan struct{} // capacity 1
	ended  chan struct{}
	end1   sync.Once

	mu    sync.Mutex
	batch Batch
}

// Batch is what is new for a watcher.
type Batch struct {
	Gap      bool             // attempts before the first may be missing
	Attempts []Event          // oldest first
	Sampled  int              // attempts that were left out because there are so many
	Dropped  int              // attempts that were left out because the watcher reads slowly
	Counters *json.RawMessage // of the last second; nil: it is not over
}

// Event is an attempt with its id.
type Event struct {
	ID   string
	Data json.RawMessage
}

// Ready is sent on when Take returns something new.
func (s *Stream) Ready() <-chan struct{} { return s.ready }

// Ended is closed when the stream has ended on the server's side.
func (s *Stream) Ended() <-chan struct{} { return s.ended }

// Take returns what is new since the last call.
func (s *Stream) Take() Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.batch
	s.batch = Batch{}
	return taken
}

// Close ends the stream. It must be called.
func (s *Stream) Close() {
	s.hub.leave(s)
	s.end()
}

func (s *Stream) end() { s.end1.Do(func() { close(s.ended) }) }

func (s *Stream) poke() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// add adds the attempts that the filter selects. If there are more than a tick may have, it adds some that are spread evenly. unseen
// is how many attempts it may select that are not among the items.
func (s *Stream) add(items []item, unseen int) {
	var selected []int
	for i := range items {
		if s.filter.selects(&items[i].Attempt) {
			selected = append(selected, i)
		}
	}
	if len(selected) == 0 && unseen == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch.Sampled += unseen
	step := max(1, (len(selected)+perTick-1)/perTick)
	for n, i := range selected {
		switch {
		case n%step != 0:
			s.batch.Sampled++
		case len(s.batch.Attempts) >= maxQueued:
			s.batch.Dropped++
		default:
			s.batch.Attempts = append(s.batch.Attempts, Event{ID: items[i].ID.String(), Data: items[i].json()})
		}
	}
	s.poke()
}

// resume adds the attempts after the one with the given id, or says that there may be a gap.
func (s *Stream) resume(kept []item, last string) {
	at := slices.IndexFunc(kept, func(i item) bool { return i.ID.String() == last })
	if at < 0 {
		s.batch.Gap = true
		s.poke()
		return
	}
	for i := at + 1; i < len(kept); i++ {
		if s.filter.selects(&kept[i].Attempt) && len(s.batch.Attempts) < maxQueued {
			s.batch.Attempts = append(s.batch.Attempts, Event{ID: kept[i].ID.String(), Data: kept[i].json()})
		}
	}
	s.poke()
}

// count adds the numbers of a second.
func (s *Stream) count(t tally) {
	data, _ := json.Marshal(t.of(s.filter.Tenant)) // fails for no numbers
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch.Counters = (*json.RawMessage)(&data)
	s.poke()
}
