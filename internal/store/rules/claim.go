package rules

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// MaxUnnumbered is how many deliveries one claim takes out of an order that their endpoint no longer keeps.
const MaxUnnumbered = 500

// Candidate is a free delivery that a claim could take.
type Candidate struct {
	ID       bellwire.DeliveryID
	Due      time.Time
	Sequence int64
	Bytes    int // of its event's data
}

// Candidates are the free deliveries of a claim's endpoint: the first of each kind, as many as Wanted says.
type Candidates struct {
	LastSequence int64 // the last number given to a delivery of the endpoint; it must be read before the candidates are
	Manual       []Candidate
	ByTime       []Candidate // without an order
	InOrder      []Candidate
	More         bool // deliveries are left in an order that the endpoint no longer keeps
}

// Wanted returns how many candidates of each kind a claim needs, without those that are held: one more than it may take, so that
// the choice includes when the next one is due.
func Wanted(claim *bellwire.Claim) (manual, byTime, inOrder int) {
	manual, byTime = max(claim.ManualLimit, 0), max(claim.Limit, 0)+1
	if claim.Ordered {
		inOrder = byTime
	}
	return manual, byTime, inOrder
}

// Choice is what a claim takes.
type Choice struct {
	Manual, Due  []bellwire.DeliveryID
	Next         time.Time // when the first delivery that is left is due; zero: none is left
	NextSequence int64
}

// Chooser chooses for the claims of one ClaimDue, one after the other.
type Chooser struct {
	now    time.Time
	events map[bellwire.EventID]bool
	bytes  int // of the data of events
}

// NewChooser returns a Chooser that takes deliveries that are due at now.
func NewChooser(now time.Time) *Chooser {
	return &Chooser{now: now, events: make(map[bellwire.EventID]bool)}
}

// Full reports whether the choices have reached bellwire.MaxClaimBytes, so that the remaining claims are skipped.
func (c *Chooser) Full() bool { return c.bytes >= bellwire.MaxClaimBytes }

// Choose decides what a claim takes: first manual retries, then what is due. Deliveries without an order go by their due time;
// an ordered one that is not due holds up those behind it.
func (c *Chooser) Choose(claim *bellwire.Claim, found *Candidates) Choice {
	t := &taking{Claim: claim, now: c.now, Choice: Choice{NextSequence: found.LastSequence + 1}}
	found.ByTime = without(found.ByTime, claim.Held)
	t.takeManual(found.Manual)
	slices.SortFunc(found.ByTime, func(a, b Candidate) int { return cmp.Or(a.Due.Compare(b.Due), compareIDs(a, b)) })
	t.takeDue(found.ByTime)
	if found.More {
		t.Next = c.now
	}
	if claim.Ordered {
		slices.SortFunc(found.InOrder, func(a, b Candidate) int { return cmp.Compare(a.Sequence, b.Sequence) })
		t.takeDue(found.InOrder)
	}
	for _, taken := range t.taken {
		c.count(taken)
	}
	return t.Choice
}

// without returns the candidates whose ids are not held.
func without(found []Candidate, held []bellwire.DeliveryID) []Candidate {
	if len(held) == 0 {
		return found
	}
	known := make(map[bellwire.DeliveryID]bool, len(held))
	for _, id := range held {
		known[id] = true
	}
	return slices.DeleteFunc(found, func(c Candidate) bool { return known[c.ID] })
}

// count adds the size of a delivery's event, unless another delivery of the event was counted.
func (c *Chooser) count(taken Candidate) {
	// The ids of an event's deliveries differ only in their number, so number 0 stands for the event.
	event := bellwire.EventID(bellwire.DeliveryOf(bellwire.EventID(taken.ID), 0))
	if c.events[event] {
		return
	}
	c.events[event] = true
	c.bytes += taken.Bytes
}

// taking makes the Choice for one claim.
type taking struct {
	*bellwire.Claim
	Choice
	now   time.Time
	bytes int // of the data of those taken
	taken []Candidate
}

func (t *taking) takeManual(free []Candidate) {
	slices.SortFunc(free, compareIDs)
	for _, f := range free {
		if len(t.Manual) >= t.ManualLimit || len(t.Manual) > 0 && t.bytes >= t.MaxBytes {
			return
		}
		t.take(f)
		t.Manual = append(t.Manual, f.ID)
	}
}

// takeDue takes what is due until the claim is full. The first one that is left decides Next.
func (t *taking) takeDue(free []Candidate) {
	for _, f := range free {
		full := len(t.Due) >= t.Limit || len(t.Due) > 0 && t.bytes >= t.MaxBytes
		if full || f.Due.After(t.now) {
			t.Next = bellwire.Earlier(t.Next, f.Due)
			return
		}
		t.take(f)
		t.Due = append(t.Due, f.ID)
		t.NextSequence = max(t.NextSequence, f.Sequence+1)
	}
}

func (t *taking) take(f Candidate) {
	t.bytes += f.Bytes
	t.taken = append(t.taken, f)
}

func compareIDs(a, b Candidate) int { return bytes.Compare(a.ID[:], b.ID[:]) }
