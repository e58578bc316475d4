package filter

import (
	"math"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Functions that only converters have: they change a part of an object.
const (
	functionWith    = "with"    // object.with(object): the fields of both, those of the second one where both have them
	functionWithout = "without" // object.without(list): the fields but those named
)

var converterFunctions = map[string]func(ev *Evaluation, a, b value) value{
	functionWith:    (*Evaluation).with,
	functionWithout: (*Evaluation).without,
}

var converterEnvironment = sync.OnceValue(func() *cel.Env {
	method := func(name string) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload("object_"+name, []*cel.Type{cel.DynType, cel.DynType}, cel.DynType))
	}
	env, err := environment().Extend(method(functionWith), method(functionWithout))
	if err != nil {
		panic(err) // unreachable: the declarations are constants
	}
	return env
})

// Converter is a compiled expression that makes data of an event's data. It is immutable and safe for concurrent use.
type Converter struct{ result node }

// CompileConverter compiles a converter without checking its types, which NewConverter has done before it was stored. Its error has
// CodeInvalid.
func CompileConverter(text string) (*Converter, error) {
	parsed, err := parseIn(converterEnvironment(), text)
	if err != nil {
		return nil, err
	}
	return buildConverter(parsed)
}

// NewConverter compiles a converter of the data of an event type's version, and checks its types against the version's schema. Its
// error has CodeInvalid and names every fault with its position.
func NewConverter(text string, from *bellwire.EventType) (*Converter, error) {
	parsed, err := parseIn(converterEnvironment(), text)
	if err != nil {
		return nil, err
	}
	c, err := buildConverter(parsed)
	if err != nil {
		return nil, err
	}
	if _, issues := converterEnvironment().Check(parsed); issues.Err() != nil {
		return nil, issuesError(issues)
	}
	return c, checkSchemas(parsed.NativeRep(), []*bellwire.EventType{from})
}

func buildConverter(parsed *cel.Ast) (*Converter, error) {
	b := &builder{source: source{parsed.NativeRep()}, converter: true}
	c := &Converter{b.node(b.tree.Expr())}
	if len(b.faults) > 0 {
		return nil, bellwire.Join(b.faults[:min(len(b.faults), maxFaults)]...)
	}
	return c, nil
}

// Convert returns what the converter makes of an event's data, as JSON, and how many steps that took. Its error is a *Failure.
func (c *Converter) Convert(e *bellwire.Event) (data []byte, steps int, err error) {
	ev := Begin(e)
	defer ev.End()
	budget := limits.FilterSteps + len(ev.data)/limits.FilterBytesPerStep
	ev.left = budget
	w := writer{ev: ev, out: make([]byte, 0, len(e.Data)), most: len(e.Data) + limits.ConvertedBytes}
	failed := w.append(c.result.eval(ev))
	steps = budget - max(ev.left, 0)
	if failed.kind == kindFailed {
		return nil, steps, failed.failure()
	}
	return w.out, steps, nil
}

// writer writes a value as JSON.
type writer struct {
	ev   *Evaluation
	out  []byte
	most int // bytes
}

// append writes a value, or returns why that cannot be done. Numbers and parts of the data stay as they are written.
func (w *writer) append(v value) (failed value) {
	if v.kind == kindFailed {
		return v
	}
	if !w.ev.spend(1 + len(v.text)/bytesPerStep) {
		return fail(reasonCostly, "")
	}
	failed = valueNull
	switch v.kind {
	case kindNull:
		w.out = append(w.out, "null"...)
	case kindBool:
		w.out = strconv.AppendBool(w.out, v.num != 0)
	case kindInt, kindUint, kindNumber:
		w.out = append(w.out, toText(v).text...)
	case kindDouble:
		f := v.float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fail(reasonRange, "a number of the result")
		}
		w.out = appendFloat(w.out, f)
	case kindArray, kindObject:
		w.out = append(w.out, v.text...)
	case kindString, kindTimestamp, kindDuration:
		failed = w.text(toText(v).text)
	case kindList:
		failed = w.items(v.parts)
	case kindMap:
		failed = w.members(v.parts)
	default:
		return failKinds(reasonResult, "", v.kind, 0)
	}
	if len(w.out) > w.most {
		return fail(reasonRange, "the size of the result")
	}
	return failed
}

func (w *writer) text(s string) (failed value) {
	out, err := jsontext.AppendQuote(w.out, s)
	if err != nil {
		return fail(reasonMalformed, "")
	}
	w.out = out
	return valueNull
}

func (w *writer) items(p *parts) (failed value) {
	w.out = append(w.out, '[')
	for i, item := range p.items {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if failed := w.append(item); failed.kind == kindFailed {
			return failed
		}
	}
	w.out = append(w.out, ']')
	return valueNull
}

func (w *writer) members(p *parts) (failed value) {
	w.out = append(w.out, '{')
	for i, key := range p.keys {
		if key.kind != kindString {
			return failKinds(reasonName, "", key.kind, 0)
		}
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if failed := w.append(key); failed.kind == kindFailed {
			return failed
		}
		w.out = append(w.out, ':')
		if failed := w.append(p.items[i]); failed.kind == kindFailed {
			return failed
		}
	}
	w.out = append(w.out, '}')
	return valueNull
}

// appendFloat appends a number without an exponent, unless it is very small or large.
func appendFloat(to []byte, f float64) []byte {
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(to, f, format, -1, 64)
}

// with returns an object with the fields of two.
func (ev *Evaluation) with(a, b value) value {
	if !a.isMap() || !b.isMap() {
		return failKinds(reasonOperands, functionWith, a.kind, b.kind)
	}
	var made objectBuilder
	for _, object := range []value{a, b} {
		if failed := made.addAll(ev, object, nil); failed.kind == kindFailed {
			return failed
		}
	}
	return value{kind: kindMap, parts: &made.parts}
}

// without returns an object without some of its fields.
func (ev *Evaluation) without(a, names value) value {
	if !a.isMap() || !names.isList() {
		return failKinds(reasonOperands, functionWithout, a.kind, names.kind)
	}
	leave := make(map[string]bool)
	elements := ev.elements(names)
	for name, more := elements.next(); more; name, more = elements.next() {
		switch {
		case name.kind == kindFailed:
			return name
		case name.kind != kindString:
			return failKinds(reasonName, "", name.kind, 0)
		}
		leave[name.text] = true
	}
	var made objectBuilder
	if failed := made.addAll(ev, a, leave); failed.kind == kindFailed {
		return failed
	}
	return value{kind: kindMap, parts: &made.parts}
}

// objectBuilder collects fields. Of fields with the same name the last one counts.
type objectBuilder struct {
	parts parts
	at    map[string]int
}

// addAll adds the fields of an object, without some.
func (o *objectBuilder) addAll(ev *Evaluation, object value, without map[string]bool) (failed value) {
	if object.kind == kindMap {
		for i, key := range object.parts.keys {
			if key.kind != kindString {
				return failKinds(reasonName, "", key.kind, 0)
			}
			if failed := o.add(ev, key.text, object.parts.items[i], without); failed.kind == kindFailed {
				return failed
			}
		}
		return valueNull
	}
	c := ev.open(object)
	for name, json, ok := c.next(); ok; name, json, ok = c.next() {
		if failed := o.add(ev, name.decoded(), fromJSON(json), without); failed.kind == kindFailed {
			return failed
		}
	}
	if c.bad {
		return fail(reasonMalformed, "")
	}
	return valueNull
}

func (o *objectBuilder) add(ev *Evaluation, name string, v value, without map[string]bool) (failed value) {
	switch {
	case !ev.spend(4):
		return fail(reasonCostly, "")
	case v.kind == kindFailed:
		return v
	case without[name]:
		return valueNull
	}
	if at, known := o.at[name]; known {
		o.parts.items[at] = v
		return valueNull
	}
	if o.at == nil {
		o.at = make(map[string]int)
	}
	name = strings.Clone(name)
	o.at[name] = len(o.parts.keys)
	o.parts.keys, o.parts.items = append(o.parts.keys, stringValue(name)), append(o.parts.items, v)
	return valueNull
}
