package filter

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"
)

// kind is the type of a value while a filter is evaluated.
type kind uint8

// The kinds. A number of the data is kindInt if it is written without point and exponent and has 64 bits, and kindNumber otherwise.
const (
	kindFailed kind = iota
	kindNull
	kindBool
	kindInt
	kindUint
	kindDouble
	kindNumber // text is the number as it is written
	kindString
	kindArray  // text is the JSON
	kindObject // text is the JSON
	kindList
	kindMap
	kindTimestamp
	kindDuration
	kindType
)

// String returns the kind in messages.
func (k kind) String() string {
	switch k {
	case kindNull:
		return "null"
	case kindBool:
		return "a boolean"
	case kindInt, kindUint, kindDouble, kindNumber:
		return "a number"
	case kindString:
		return "a string"
	case kindArray, kindList:
		return "a list"
	case kindObject, kindMap:
		return "an object"
	case kindTimestamp:
		return "a timestamp"
	case kindDuration:
		return "a duration"
	case kindType:
		return "a type"
	case kindFailed:
		return "an error"
	}
	return "an unknown value"
}

func (k kind) numeric() bool { return k >= kindInt && k <= kindNumber }

// value is a value of an expression, small enough to be passed without allocation.
type value struct {
	kind  kind
	nanos int32  // of a timestamp
	num   int64  // a boolean, an integer, the bits of a double, the seconds of a timestamp, a duration, or the reason of a failure
	text  string // see the kinds; the text of a literal number; the subject of a failure
	parts *parts // of a list or map that the filter has made
}

// parts are the elements of a list or map that the filter has made.
type parts struct {
	keys  []value // of a map
	items []value
}

var (
	valueNull  = value{kind: kindNull}
	valueFalse = value{kind: kindBool}
	valueTrue  = value{kind: kindBool, num: 1}
)

func boolValue(b bool) value {
	if b {
		return valueTrue
	}
	return valueFalse
}

func intValue(n int64) value        { return value{kind: kindInt, num: n} }
func uintValue(n uint64) value      { return value{kind: kindUint, num: int64(n)} }
func doubleValue(f float64) value   { return value{kind: kindDouble, num: int64(math.Float64bits(f))} }
func stringValue(s string) value    { return value{kind: kindString, text: s} }
func typeValue(name string) value   { return value{kind: kindType, text: name} }
func (v value) uint() uint64        { return uint64(v.num) }
func (v value) float() float64      { return math.Float64frombits(uint64(v.num)) }
func (v value) time() time.Time     { return time.Unix(v.num, int64(v.nanos)).UTC() }
func (v value) isFalse() bool       { return v.kind == kindBool && v.num == 0 }
func (v value) isTrue() bool        { return v.kind == kindBool && v.num != 0 }
func listValue(items []value) value { return value{kind: kindList, parts: &parts{items: items}} }

// timeValue returns a timestamp. It fails outside of the years 1 to 9999, as in CEL.
func timeValue(t time.Time) value {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return fail(reasonRange, "the timestamp")
	}
	return value{kind: kindTimestamp, num: t.Unix(), nanos: int32(t.Nanosecond())}
}

func durationValue(d time.Duration) value { return value{kind: kindDuration, num: int64(d)} }

// asBool returns a condition's result, which must be a boolean.
func asBool(v value) value {
	if v.kind == kindBool || v.kind == kindFailed {
		return v
	}
	return failKinds(reasonNotBool, "", v.kind, 0)
}

// view returns the bytes as text without copying them. They must not be changed while the text is in use.
func view(data []byte) string { return unsafe.String(unsafe.SliceData(data), len(data)) }

// reason is why an evaluation has failed.
type reason uint8

// The reasons.
const (
	reasonMissing  reason = iota // text is the path
	reasonParent                 // text is the path, and the kind is that of the parent
	reasonNotBool                // with the kind
	reasonOperand                // text is the operator, with one kind
	reasonOperands               // text is the operator, with two kinds
	reasonRange                  // text is what is out of range
	reasonZero                   // text is the operator
	reasonConvert                // text is the function, with the kind
	reasonIndex
	reasonMalformed
	reasonDeep
	reasonExponent
	reasonCostly
	reasonResult // with the kind
	reasonName   // with the kind
)

func fail(r reason, subject string) value {
	return value{kind: kindFailed, num: int64(r), text: subject}
}

func failKinds(r reason, subject string, a, b kind) value {
	return value{kind: kindFailed, num: int64(r) | int64(a)<<8 | int64(b)<<16, text: subject}
}

// Failure is why a filter has no answer for an event. It contains no values of the event.
type Failure struct {
	reason  reason
	subject string
	kinds   [2]kind
}

func (v value) failure() *Failure {
	return &Failure{reason: reason(v.num), subject: v.text, kinds: [2]kind{kind(v.num >> 8), kind(v.num >> 16)}}
}

// Costly reports whether the evaluation was given up because it takes too many steps.
func (f *Failure) Costly() bool { return f.reason == reasonCostly }

// Error returns the failure as a clause.
func (f *Failure) Error() string {
	switch f.reason {
	case reasonMissing:
		return f.subject + " does not exist"
	case reasonParent:
		return f.subject + " does not exist, because its parent is " + f.kinds[0].String()
	case reasonNotBool:
		return "the condition must be true or false, but is " + f.kinds[0].String()
	case reasonOperand:
		return f.subject + " cannot be applied to " + f.kinds[0].String()
	case reasonOperands:
		return f.subject + " cannot be applied to " + f.kinds[0].String() + " and " + f.kinds[1].String()
	case reasonRange:
		return f.subject + " is out of range"
	case reasonZero:
		return f.subject + " divides by zero"
	case reasonConvert:
		return f.subject + " cannot convert " + f.kinds[0].String() + " with this value"
	case reasonIndex:
		return "the list has no element at the index"
	case reasonMalformed:
		return "the data is not valid JSON"
	case reasonDeep:
		return "the data is nested too deep to be compared"
	case reasonExponent:
		return "a number has an exponent that is too large to be compared"
	case reasonCostly:
		return "the evaluation takes too many steps; simplify the expression"
	case reasonResult:
		return "the result must be JSON, but has " + f.kinds[0].String()
	case reasonName:
		return "the name of a field must be a string, but is " + f.kinds[0].String()
	}
	return "it cannot be evaluated"
}

// sizeOf returns the number of characters or elements of a value.
func (ev *Evaluation) sizeOf(v value) value {
	switch v.kind {
	case kindString:
		ev.spend(len(v.text) / bytesPerStep)
		return intValue(int64(utf8.RuneCountInString(v.text)))
	case kindList, kindMap:
		return intValue(int64(len(v.parts.items)))
	case kindArray:
		c := ev.open(v)
		n := 0
		for _, _, ok := c.next(); ok; _, _, ok = c.next() {
			n++
		}
		if c.bad {
			return fail(reasonMalformed, "")
		}
		return intValue(int64(n))
	case kindObject:
		keys := ev.keys(v)
		if keys.kind == kindFailed {
			return keys
		}
		return intValue(int64(len(keys.parts.items)))
	case kindFailed:
		return v
	}
	return failKinds(reasonOperand, "size", v.kind, 0)
}

// keys returns the names of an object's or map's fields as a list, each once.
func (ev *Evaluation) keys(v value) value {
	if v.kind == kindMap {
		return listValue(v.parts.keys)
	}
	var names []value
	seen := map[string]bool{}
	c := ev.open(v)
	for name, _, ok := c.next(); ok; name, _, ok = c.next() {
		if !ev.spend(4) {
			return fail(reasonCostly, "")
		}
		if text := name.decoded(); !seen[text] {
			seen[text] = true
			names = append(names, stringValue(text))
		}
	}
	if c.bad {
		return fail(reasonMalformed, "")
	}
	return listValue(names)
}

// typeOf returns CEL's name of a value's type.
func typeOf(v value) value {
	switch v.kind {
	case kindNull:
		return typeValue("null_type")
	case kindBool:
		return typeValue("bool")
	case kindInt:
		return typeValue("int")
	case kindUint:
		return typeValue("uint")
	case kindDouble, kindNumber:
		return typeValue("double")
	case kindString:
		return typeValue("string")
	case kindArray, kindList:
		return typeValue("list")
	case kindObject, kindMap:
		return typeValue("map")
	case kindTimestamp:
		return typeValue("google.protobuf.Timestamp")
	case kindDuration:
		return typeValue("google.protobuf.Duration")
	case kindType:
		return typeValue("type")
	}
	return v
}

// floatOf returns a number as a double, and reports whether it has one.
func (v value) floatOf() (f float64, ok bool) {
	switch v.kind {
	case kindInt:
		return float64(v.num), true
	case kindUint:
		return float64(v.uint()), true
	case kindDouble:
		return v.float(), true
	case kindNumber:
		if len(v.text) > maxConvertible {
			return 0, false
		}
		f, err := strconv.ParseFloat(v.text, 64)
		return f, err == nil
	}
	return 0, false
}

// maxConvertible is the most characters of a number that arithmetic is done with.
const maxConvertible = 1000
