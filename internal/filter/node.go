package filter

import "time"

// node is a part of a compiled expression. Nodes are immutable.
type node interface {
	eval(ev *Evaluation) value
}

// literal is a constant.
type literal struct{ value value }

func (n *literal) eval(ev *Evaluation) value {
	ev.left--
	return n.value
}

// The variables.
type (
	typeVariable       struct{}
	dataVariable       struct{}
	idVariable         struct{}
	occurredAtVariable struct{}
)

func (typeVariable) eval(ev *Evaluation) value { return stringValue(ev.event.Type) }

func (dataVariable) eval(ev *Evaluation) value { return ev.root() }

func (idVariable) eval(ev *Evaluation) value { return stringValue(ev.event.IdempotencyKey) }

func (occurredAtVariable) eval(ev *Evaluation) value {
	t := ev.event.Time()
	if t.IsZero() { // the event is being published
		t = time.Now()
	}
	return timeValue(t)
}

// local is a variable of a comprehension.
type local struct{ slot int }

func (n *local) eval(ev *Evaluation) value {
	ev.left--
	return ev.vars[n.slot]
}

// selection is a field of an object, or reports whether it is there.
type selection struct {
	operand node
	ofData  bool // the operand is the variable data
	name    string
	path    string // in messages
	test    bool
}

func (n *selection) eval(ev *Evaluation) value {
	operand := n.operand.eval(ev)
	if operand.kind == kindFailed {
		return operand
	}
	if !ev.spend(1) {
		return fail(reasonCostly, "")
	}
	var (
		json      string
		found, ok bool
	)
	switch {
	case operand.kind == kindMap:
		v, found := ev.at(operand, stringValue(n.name))
		return n.result(v, found)
	case operand.kind != kindObject && n.test:
		return valueFalse
	case operand.kind != kindObject:
		return failKinds(reasonParent, n.path, operand.kind, 0)
	case n.ofData:
		json, found, ok = ev.dataMember(operand, n.name)
	default:
		json, found, ok = ev.lookup(operand, n.name)
	}
	switch {
	case !ok:
		return fail(reasonMalformed, "")
	case n.test || !found:
		return n.result(valueNull, found)
	}
	return fromJSON(json)
}

func (n *selection) result(v value, found bool) value {
	switch {
	case n.test:
		return boolValue(found)
	case !found:
		return fail(reasonMissing, n.path)
	}
	return v
}

// indexed is an element of a list, or the field of an object that a value names.
type indexed struct {
	operand, index node
	path           string
}

func (n *indexed) eval(ev *Evaluation) value {
	operand := n.operand.eval(ev)
	if operand.kind == kindFailed {
		return operand
	}
	index := n.index.eval(ev)
	if index.kind == kindFailed {
		return index
	}
	if operand.isMap() {
		v, found := ev.at(operand, index)
		if !found {
			return fail(reasonMissing, n.path)
		}
		return v
	}
	at, ok := ev.integerOf(index)
	switch {
	case !operand.isList() || !ok:
		return failKinds(reasonOperands, "[]", operand.kind, index.kind)
	case operand.kind == kindArray:
		return ev.element(operand, at)
	case at < 0 || at >= int64(len(operand.parts.items)):
		return fail(reasonIndex, "")
	}
	return operand.parts.items[at]
}

// integerOf returns a number that is an integer of 64 bits, however it is written.
func (ev *Evaluation) integerOf(v value) (n int64, ok bool) {
	if v.kind == kindInt {
		return v.num, true
	}
	f, ok := v.floatOf()
	if !ok || f < -maxExact || f > maxExact || f != float64(int64(f)) {
		return 0, false
	}
	return int64(f), true
}

// conjunction is true if all of its parts are. As in CEL, a false part decides even if another one fails.
type conjunction struct{ parts []node }

func (n *conjunction) eval(ev *Evaluation) value {
	result := valueTrue
	for _, part := range n.parts {
		ev.left--
		v := asBool(part.eval(ev))
		switch {
		case v.isFalse():
			return v
		case v.kind == kindFailed && result.kind != kindFailed:
			result = v
		}
	}
	return result
}

// disjunction is true if one of its parts is, even if another one fails.
type disjunction struct{ parts []node }

func (n *disjunction) eval(ev *Evaluation) value {
	result := valueFalse
	for _, part := range n.parts {
		ev.left--
		v := asBool(part.eval(ev))
		switch {
		case v.isTrue():
			return v
		case v.kind == kindFailed && result.kind != kindFailed:
			result = v
		}
	}
	return result
}

// negation is true if its operand is false.
type negation struct{ operand node }

func (n *negation) eval(ev *Evaluation) value {
	ev.left--
	v := n.operand.eval(ev)
	switch v.kind {
	case kindBool:
		return boolValue(v.num == 0)
	case kindFailed:
		return v
	}
	return failKinds(reasonOperand, "!", v.kind, 0)
}

// notFalse is what a comprehension that can end early tests: it goes on after a failure.
type notFalse struct{ operand node }

func (n *notFalse) eval(ev *Evaluation) value { return boolValue(!n.operand.eval(ev).isFalse()) }

// choice is one of two values, by a condition.
type choice struct{ condition, yes, no node }

func (n *choice) eval(ev *Evaluation) value {
	v := n.condition.eval(ev)
	switch {
	case v.isTrue():
		return n.yes.eval(ev)
	case v.isFalse():
		return n.no.eval(ev)
	case v.kind == kindFailed:
		return v
	}
	return failKinds(reasonOperand, "?:", v.kind, 0)
}

// equality compares two values, or is true if they differ.
type equality struct {
	left, right node
	differ      bool
}

func (n *equality) eval(ev *Evaluation) value {
	left := n.left.eval(ev)
	if left.kind == kindFailed {
		return left
	}
	right := n.right.eval(ev)
	if right.kind == kindFailed {
		return right
	}
	same := ev.equal(left, right)
	if same.kind == kindFailed {
		return same
	}
	return boolValue(same.isTrue() != n.differ)
}

// comparison orders two values.
type comparison struct {
	left, right node
	operator    string
	// which orders are true
	less, same, more bool
}

func (n *comparison) eval(ev *Evaluation) value {
	left := n.left.eval(ev)
	if left.kind == kindFailed {
		return left
	}
	right := n.right.eval(ev)
	if right.kind == kindFailed {
		return right
	}
	if !ev.spend(1) {
		return fail(reasonCostly, "")
	}
	order, ok, failure := ev.order(n.operator, left, right)
	switch {
	case failure.kind == kindFailed:
		return failure
	case !ok:
		return valueFalse
	case order < 0:
		return boolValue(n.less)
	case order > 0:
		return boolValue(n.more)
	}
	return boolValue(n.same)
}

// membership reports whether a list has a value, or an object a key.
type membership struct{ value, in node }

func (n *membership) eval(ev *Evaluation) value {
	v := n.value.eval(ev)
	if v.kind == kindFailed {
		return v
	}
	in := n.in.eval(ev)
	if in.kind == kindFailed {
		return in
	}
	return ev.contains(in, v)
}

// call applies a function to its arguments.
type call struct {
	args [2]node // the second one can be nil
	do   func(ev *Evaluation, a, b value) value
}

func (n *call) eval(ev *Evaluation) value {
	a := n.args[0].eval(ev)
	if a.kind == kindFailed {
		return a
	}
	b := valueNull
	if n.args[1] != nil {
		if b = n.args[1].eval(ev); b.kind == kindFailed {
			return b
		}
	}
	if !ev.spend(1) {
		return fail(reasonCostly, "")
	}
	return n.do(ev, a, b)
}

// listing makes a list.
type listing struct{ items []node }

func (n *listing) eval(ev *Evaluation) value {
	items := make([]value, len(n.items))
	for i, item := range n.items {
		if items[i] = item.eval(ev); items[i].kind == kindFailed {
			return items[i]
		}
	}
	return listValue(items)
}

// mapping makes a map.
type mapping struct{ keys, values []node }

func (n *mapping) eval(ev *Evaluation) value {
	p := &parts{keys: make([]value, len(n.keys)), items: make([]value, len(n.values))}
	for i := range n.keys {
		if p.keys[i] = n.keys[i].eval(ev); p.keys[i].kind == kindFailed {
			return p.keys[i]
		}
		if p.items[i] = n.values[i].eval(ev); p.items[i].kind == kindFailed {
			return p.items[i]
		}
		for _, key := range p.keys[:i] {
			if ev.equal(key, p.keys[i]).isTrue() {
				return fail(reasonRange, "a repeated key")
			}
		}
	}
	return value{kind: kindMap, parts: p}
}

// appending adds an item to the list that a comprehension collects, which no other part of the expression can refer to.
type appending struct{ list, item node }

func (n *appending) eval(ev *Evaluation) value {
	list := n.list.eval(ev)
	if list.kind != kindList {
		return list
	}
	item := n.item.eval(ev)
	if item.kind == kindFailed {
		return item
	}
	if !ev.spend(2) {
		return fail(reasonCostly, "")
	}
	return listValue(append(list.parts.items, item))
}

// comprehension is what a macro such as exists stands for: a loop over the elements of a list or the keys of an object.
type comprehension struct {
	over            node
	slot, result    int
	start           node
	condition, step node
	end             node
	macro           string // its name
}

func (n *comprehension) eval(ev *Evaluation) value {
	over := n.over.eval(ev)
	switch {
	case over.kind == kindFailed:
		return over
	case over.isMap():
		if over = ev.keys(over); over.kind == kindFailed {
			return over
		}
	case !over.isList():
		return failKinds(reasonOperand, n.macro, over.kind, 0)
	}
	for len(ev.vars) <= max(n.slot, n.result) {
		ev.vars = append(ev.vars, valueNull)
	}
	ev.vars[n.result] = n.start.eval(ev)
	elements := ev.elements(over)
	for {
		v, more := elements.next()
		switch {
		case !more:
			return n.end.eval(ev)
		case v.kind == kindFailed:
			return v
		}
		ev.vars[n.slot] = v
		if !n.condition.eval(ev).isTrue() {
			return n.end.eval(ev)
		}
		step := n.step.eval(ev)
		if ev.left < 0 {
			return fail(reasonCostly, "")
		}
		ev.vars[n.result] = step
	}
}
