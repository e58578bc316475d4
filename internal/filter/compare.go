package filter

import "cmp"

// maxCompared is how deep values that are compared may be nested.
const maxCompared = 100

// equal compares two values. Values of different kinds are not equal, but numbers are compared whatever their kinds.
func (ev *Evaluation) equal(a, b value) value {
	return ev.equalWithin(a, b, maxCompared)
}

func (ev *Evaluation) equalWithin(a, b value, depth int) value {
	switch {
	case !ev.spend(1):
		return fail(reasonCostly, "")
	case depth == 0:
		return fail(reasonDeep, "")
	case a.kind.numeric() && b.kind.numeric():
		order, ok, failure := ev.compareNumbers(a, b)
		if failure.kind == kindFailed {
			return failure
		}
		return boolValue(ok && order == 0)
	case a.isList() && b.isList():
		return ev.equalLists(a, b, depth)
	case a.isMap() && b.isMap():
		return ev.equalMaps(a, b, depth)
	case a.kind != b.kind:
		return valueFalse
	case a.kind == kindString || a.kind == kindType:
		ev.spend(min(len(a.text), len(b.text)) / bytesPerStep)
		return boolValue(a.text == b.text)
	}
	return boolValue(a.num == b.num && a.nanos == b.nanos)
}

func (v value) isList() bool { return v.kind == kindArray || v.kind == kindList }
func (v value) isMap() bool  { return v.kind == kindObject || v.kind == kindMap }

func (ev *Evaluation) equalLists(a, b value, depth int) value {
	x, y := ev.elements(a), ev.elements(b)
	for {
		v, more := x.next()
		w, others := y.next()
		switch {
		case v.kind == kindFailed && more:
			return v
		case w.kind == kindFailed && others:
			return w
		case more != others:
			return valueFalse
		case !more:
			return valueTrue
		}
		if same := ev.equalWithin(v, w, depth-1); !same.isTrue() {
			return same
		}
	}
}

func (ev *Evaluation) equalMaps(a, b value, depth int) value {
	names, others := ev.keys(a), ev.keys(b)
	switch {
	case names.kind == kindFailed:
		return names
	case others.kind == kindFailed:
		return others
	case len(names.parts.items) != len(others.parts.items):
		return valueFalse
	}
	for _, key := range names.parts.items {
		w, found := ev.at(b, key)
		if !found {
			return valueFalse
		}
		v, _ := ev.at(a, key)
		switch {
		case v.kind == kindFailed:
			return v
		case w.kind == kindFailed:
			return w
		}
		if same := ev.equalWithin(v, w, depth-1); !same.isTrue() {
			return same
		}
	}
	return valueTrue
}

// at returns the value of a key of an object or map.
func (ev *Evaluation) at(m, key value) (v value, found bool) {
	if m.kind == kindMap {
		for i, k := range m.parts.keys {
			if ev.equal(k, key).isTrue() {
				return m.parts.items[i], true
			}
		}
		return valueNull, false
	}
	if key.kind != kindString {
		return valueNull, false
	}
	json, found, ok := ev.lookup(m, key.text)
	switch {
	case !ok:
		return fail(reasonMalformed, ""), true
	case !found:
		return valueNull, false
	}
	return fromJSON(json), true
}

// contains reports whether a list has an element, or a map has a key.
func (ev *Evaluation) contains(in, v value) value {
	switch {
	case in.isMap():
		found, has := ev.at(in, v)
		if found.kind == kindFailed {
			return found
		}
		return boolValue(has)
	case !in.isList():
		return failKinds(reasonOperands, "in", v.kind, in.kind)
	}
	elements := ev.elements(in)
	for {
		element, more := elements.next()
		if !more {
			return valueFalse
		}
		if same := ev.equal(element, v); !same.isFalse() {
			return same
		}
	}
}

// elements reads a list.
type elements struct {
	ev   *Evaluation
	made []value
	json cursor
}

func (ev *Evaluation) elements(list value) elements {
	if list.kind == kindList {
		return elements{ev: ev, made: list.parts.items}
	}
	return elements{ev: ev, json: ev.open(list)}
}

// next returns the next element. If the list cannot be read, that is a failure.
func (e *elements) next() (v value, more bool) {
	if !e.ev.spend(1) {
		return fail(reasonCostly, ""), true
	}
	if e.json.json == "" {
		if len(e.made) == 0 {
			return valueNull, false
		}
		v, e.made = e.made[0], e.made[1:]
		return v, true
	}
	_, json, ok := e.json.next()
	switch {
	case e.json.bad:
		return fail(reasonMalformed, ""), true
	case !ok:
		return valueNull, false
	}
	return fromJSON(json), true
}

// order compares two values of the same kind, of which it reports the order. The operator is for the failure.
func (ev *Evaluation) order(operator string, a, b value) (order int, ok bool, failure value) {
	switch {
	case a.kind.numeric() && b.kind.numeric():
		return ev.compareNumbers(a, b)
	case a.kind == b.kind && a.kind == kindString:
		ev.spend(min(len(a.text), len(b.text)) / bytesPerStep)
		return cmp.Compare(a.text, b.text), true, valueNull
	case a.kind == b.kind && a.kind == kindTimestamp:
		return cmp.Or(cmp.Compare(a.num, b.num), cmp.Compare(a.nanos, b.nanos)), true, valueNull
	case a.kind == b.kind && (a.kind == kindDuration || a.kind == kindBool):
		return cmp.Compare(a.num, b.num), true, valueNull
	}
	return 0, false, failKinds(reasonOperands, operator, a.kind, b.kind)
}
