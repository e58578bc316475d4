// Package filter compiles and evaluates filters: CEL expressions over an event that decide whether an endpoint receives it. The
// parser and the type checker are those of cel-go. The evaluator is our own: it reads the event's data where it lies, without
// decoding it, and compares numbers exactly as they are written.
package filter

import (
	"sync"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Variables are the names that an expression can use.
var Variables = []string{varType, varData, varID, varOccurredAt}

const (
	varType       = "type"
	varData       = "data"
	varID         = "id"
	varOccurredAt = "occurred_at"
)

// Program is a compiled filter. It is immutable and safe for concurrent use.
type Program struct {
	text       string
	conditions []condition // all of which must be true
	bytes      int
}

// condition is a part of a filter that explanations name.
type condition struct {
	node
	text string // at most maxCondition bytes of it
}

// String returns the filter's text.
func (p *Program) String() string { return p.text }

// Size returns how much memory the program takes, in bytes, estimated.
func (p *Program) Size() int { return p.bytes }

// Match reports whether the event matches. Its error is a *Failure, and means that the filter has no answer for the event.
func (p *Program) Match(e *bellwire.Event) (matched bool, err error) {
	ev := Begin(e)
	defer ev.End()
	return ev.Match(p)
}

// Evaluation evaluates filters on one event. It is not safe for concurrent use.
type Evaluation struct {
	event   *bellwire.Event
	data    string
	indexed bool
	members []member // of the data, if it is an object, up to maxIndexed; see index
	rest    string   // of the data behind the fields
	vars    []value  // of comprehensions, by slot
	left    int      // steps left of this evaluation
	spent   int      // steps of all earlier evaluations
}

var evaluations = sync.Pool{New: func() any { return new(Evaluation) }}

// Begin returns an Evaluation of an event, whose data must not be changed before End is called.
func Begin(e *bellwire.Event) *Evaluation {
	ev := evaluations.Get().(*Evaluation)
	ev.event, ev.data = e, view(e.Data)
	return ev
}

// End releases the Evaluation, which must not be used afterwards.
func (ev *Evaluation) End() {
	clear(ev.members)
	clear(ev.vars)
	*ev = Evaluation{members: ev.members[:0], vars: ev.vars[:0]}
	evaluations.Put(ev)
}

// Steps returns how many steps the evaluations have taken. A step is less than a tenth of a microsecond.
func (ev *Evaluation) Steps() int { return ev.spent }

// Match is Program.Match for the event of the Evaluation.
func (ev *Evaluation) Match(p *Program) (matched bool, err error) {
	_, v := ev.run(p)
	if v.kind == kindFailed {
		return false, v.failure()
	}
	return v.num != 0, nil
}

// run evaluates the conditions of a program, and returns their conjunction and the number of the condition that decided it. As in
// CEL, a false condition decides even if another one failed.
func (ev *Evaluation) run(p *Program) (at int, result value) {
	budget := limits.FilterSteps + len(ev.data)/limits.FilterBytesPerStep
	ev.left = budget
	result = valueTrue
	for i, condition := range p.conditions {
		v := condition.eval(ev)
		if ev.left < 0 {
			at, result = i, fail(reasonCostly, "")
			break
		}
		if v.kind == kindBool && v.num == 0 {
			at, result = i, v
			break
		}
		if v.kind != kindBool && result.kind != kindFailed {
			at, result = i, asBool(v)
		}
	}
	ev.spent += budget - max(0, ev.left) // what exceeds the budget was not done
	return at, result
}

// spend counts steps, and reports whether some are left.
func (ev *Evaluation) spend(steps int) bool {
	ev.left -= steps
	return ev.left >= 0
}

// Outcome is the result of a filter for an event.
type Outcome string

// The outcomes.
const (
	Matched   Outcome = "matched"
	Unmatched Outcome = "unmatched"
	Failed    Outcome = "error"
)

// Explanation says why an event matches a filter or not.
type Explanation struct {
	Outcome   Outcome
	Condition string // the one that decided, unless the event matched
	Problem   string // why the condition has no answer, if Outcome is Failed
}

// Explain evaluates a filter and explains the result.
func Explain(p *Program, e *bellwire.Event) Explanation {
	ev := Begin(e)
	defer ev.End()
	return ev.Explain(p)
}

// Explain is the function of the same name for the event of the Evaluation.
func (ev *Evaluation) Explain(p *Program) Explanation {
	at, v := ev.run(p)
	switch {
	case v.kind == kindFailed:
		return Explanation{Outcome: Failed, Condition: p.conditions[at].text, Problem: v.failure().Error()}
	case v.num == 0:
		return Explanation{Outcome: Unmatched, Condition: p.conditions[at].text}
	}
	return Explanation{Outcome: Matched}
}
