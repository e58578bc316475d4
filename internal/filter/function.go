package filter

import (
	"math"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // filters can name time zones, also where the system has none

	"cel.dev/cel-go/common/operators"

	"github.com/bellwire/bellwire/internal/limits"
)

// maxText is the most bytes of a text that a filter makes.
const maxText = 64 << 10

// functions are those with one or two arguments, of which a method's target is the first.
var functions = map[string]func(ev *Evaluation, a, b value) value{
	operators.Add:      (*Evaluation).add,
	operators.Subtract: (*Evaluation).subtract,
	operators.Multiply: (*Evaluation).multiply,
	operators.Divide:   (*Evaluation).divide,
	operators.Modulo:   (*Evaluation).modulo,
	operators.Negate:   func(ev *Evaluation, a, _ value) value { return ev.negate(a) },
	"size":             func(ev *Evaluation, a, _ value) value { return ev.sizeOf(a) },
	"contains":         onTexts("contains", strings.Contains),
	"startsWith":       onTexts("startsWith", strings.HasPrefix),
	"endsWith":         onTexts("endsWith", strings.HasSuffix),
	"type":             func(_ *Evaluation, a, _ value) value { return typeOf(a) },
	"dyn":              func(_ *Evaluation, a, _ value) value { return a },
	"int":              func(_ *Evaluation, a, _ value) value { return toInt(a) },
	"uint":             func(_ *Evaluation, a, _ value) value { return toUint(a) },
	"double":           func(_ *Evaluation, a, _ value) value { return toDouble(a) },
	"bool":             func(_ *Evaluation, a, _ value) value { return toBool(a) },
	"string":           func(_ *Evaluation, a, _ value) value { return toText(a) },
	"timestamp":        func(_ *Evaluation, a, _ value) value { return toTime(a) },
	"duration":         func(_ *Evaluation, a, _ value) value { return toDuration(a) },
}

// partsOfTime are the functions on timestamps that can take a time zone. Some of them can also be applied to durations.
var partsOfTime = map[string]struct {
	of   func(time.Time) int
	unit time.Duration // of a duration; 0 if it cannot be applied to one
}{
	"getFullYear":     {time.Time.Year, 0},
	"getMonth":        {func(t time.Time) int { return int(t.Month()) - 1 }, 0},
	"getDate":         {time.Time.Day, 0},
	"getDayOfMonth":   {func(t time.Time) int { return t.Day() - 1 }, 0},
	"getDayOfWeek":    {func(t time.Time) int { return int(t.Weekday()) }, 0},
	"getDayOfYear":    {func(t time.Time) int { return t.YearDay() - 1 }, 0},
	"getHours":        {time.Time.Hour, time.Hour},
	"getMinutes":      {time.Time.Minute, time.Minute},
	"getSeconds":      {time.Time.Second, time.Second},
	"getMilliseconds": {func(t time.Time) int { return t.Nanosecond() / int(time.Millisecond) }, time.Millisecond},
}

// partOfTime returns the function of the given name in a time zone.
func partOfTime(name string, zone *time.Location) func(ev *Evaluation, a, _ value) value {
	part := partsOfTime[name]
	return func(_ *Evaluation, a, _ value) value {
		switch {
		case a.kind == kindTimestamp:
			return intValue(int64(part.of(a.time().In(zone))))
		case a.kind != kindDuration || part.unit == 0:
			return failKinds(reasonOperand, name, a.kind, 0)
		case part.unit == time.Millisecond: // of the second, unlike the others
			return intValue(a.num % int64(time.Second) / int64(time.Millisecond))
		}
		return intValue(a.num / int64(part.unit))
	}
}

// zoneOf returns the time zone of a name such as "Europe/Berlin", or of an offset such as "+02:00".
func zoneOf(name string) (*time.Location, error) {
	if t, err := time.Parse("-07:00", name); err == nil {
		_, offset := t.Zone()
		return time.FixedZone(name, offset), nil
	}
	if name == "Local" {
		return nil, strconv.ErrSyntax
	}
	return time.LoadLocation(name)
}

func onTexts(name string, does func(s, part string) bool) func(ev *Evaluation, a, b value) value {
	return func(ev *Evaluation, a, b value) value {
		if a.kind != kindString || b.kind != kindString {
			return failKinds(reasonOperands, name, a.kind, b.kind)
		}
		ev.spend(len(a.text) / bytesPerStep)
		return boolValue(does(a.text, b.text))
	}
}

// matching returns the function that matches a text with a regular expression, and the expression's number of instructions.
func matching(pattern string) (do func(ev *Evaluation, a, _ value) value, instructions int, err error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	if n := expanded(parsed); n > limits.FilterInstructions {
		return nil, n, nil
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, 0, err
	}
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return nil, 0, err
	}
	instructions = len(program.Inst)
	return func(ev *Evaluation, a, _ value) value {
		if a.kind != kindString {
			return failKinds(reasonOperand, "matches", a.kind, 0)
		}
		if !ev.spend(1 + len(a.text)*instructions/8) {
			return fail(reasonCostly, "")
		}
		return boolValue(compiled.MatchString(a.text))
	}, instructions, nil
}

// expanded estimates how many instructions a regular expression has when its repetitions are written out.
func expanded(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		n += expanded(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}

func (ev *Evaluation) add(a, b value) value {
	switch {
	case a.kind == kindString && b.kind == kindString:
		if !ev.spend((len(a.text)+len(b.text))/bytesPerStep) || len(a.text)+len(b.text) > maxText {
			return fail(reasonRange, "the text")
		}
		return stringValue(a.text + b.text)
	case a.isList() && b.isList():
		return ev.concatenate(a, b)
	case a.kind == kindTimestamp && b.kind == kindDuration:
		return timeValue(a.time().Add(time.Duration(b.num)))
	case a.kind == kindDuration && b.kind == kindTimestamp:
		return timeValue(b.time().Add(time.Duration(a.num)))
	case a.kind == kindDuration && b.kind == kindDuration:
		sum := a.num + b.num
		if (sum > a.num) != (b.num > 0) {
			return fail(reasonRange, "the result of +")
		}
		return durationValue(time.Duration(sum))
	case a.kind == kindInt && b.kind == kindInt:
		sum := a.num + b.num
		if (sum > a.num) != (b.num > 0) {
			return fail(reasonRange, "the result of +")
		}
		return intValue(sum)
	case a.kind == kindUint && b.kind == kindUint:
		if a.uint() > math.MaxUint64-b.uint() {
			return fail(reasonRange, "the result of +")
		}
		return uintValue(a.uint() + b.uint())
	}
	return onDoubles("+", a, b, func(x, y float64) float64 { return x + y })
}

func (ev *Evaluation) concatenate(a, b value) value {
	var items []value
	for _, list := range []value{a, b} {
		elements := ev.elements(list)
		for {
			v, more := elements.next()
			if !more {
				break
			}
			if v.kind == kindFailed {
				return v
			}
			items = append(items, v)
		}
	}
	return listValue(items)
}

func (ev *Evaluation) subtract(a, b value) value {
	switch {
	case a.kind == kindTimestamp && b.kind == kindDuration:
		return timeValue(a.time().Add(-time.Duration(b.num)))
	case a.kind == kindTimestamp && b.kind == kindTimestamp:
		d := a.time().Sub(b.time())
		if d == math.MaxInt64 || d == math.MinInt64 {
			return fail(reasonRange, "the result of -")
		}
		return durationValue(d)
	case a.kind == b.kind && (a.kind == kindInt || a.kind == kindDuration):
		difference := a.num - b.num
		if (difference < a.num) != (b.num > 0) {
			return fail(reasonRange, "the result of -")
		}
		return value{kind: a.kind, num: difference}
	case a.kind == kindUint && b.kind == kindUint:
		if a.uint() < b.uint() {
			return fail(reasonRange, "the result of -")
		}
		return uintValue(a.uint() - b.uint())
	}
	return onDoubles("-", a, b, func(x, y float64) float64 { return x - y })
}

func (ev *Evaluation) multiply(a, b value) value {
	switch {
	case a.kind == kindInt && b.kind == kindInt:
		product := a.num * b.num
		if a.num != 0 && (product/a.num != b.num || a.num == -1 && b.num == math.MinInt64) {
			return fail(reasonRange, "the result of *")
		}
		return intValue(product)
	case a.kind == kindUint && b.kind == kindUint:
		if a.num != 0 && a.uint()*b.uint()/a.uint() != b.uint() {
			return fail(reasonRange, "the result of *")
		}
		return uintValue(a.uint() * b.uint())
	}
	return onDoubles("*", a, b, func(x, y float64) float64 { return x * y })
}

func (ev *Evaluation) divide(a, b value) value {
	switch {
	case a.kind == b.kind && (a.kind == kindInt || a.kind == kindUint) && b.num == 0:
		return fail(reasonZero, "/")
	case a.kind == kindInt && b.kind == kindInt:
		if a.num == math.MinInt64 && b.num == -1 {
			return fail(reasonRange, "the result of /")
		}
		return intValue(a.num / b.num)
	case a.kind == kindUint && b.kind == kindUint:
		return uintValue(a.uint() / b.uint())
	}
	return onDoubles("/", a, b, func(x, y float64) float64 { return x / y })
}

func (ev *Evaluation) modulo(a, b value) value {
	x, okA := ev.integerOf(a)
	y, okB := ev.integerOf(b)
	switch {
	case a.kind == kindUint && b.kind == kindUint && b.num != 0:
		return uintValue(a.uint() % b.uint())
	case !okA || !okB:
		return failKinds(reasonOperands, "%", a.kind, b.kind)
	case y == 0:
		return fail(reasonZero, "%")
	case y == -1: // math.MinInt64 % -1 would overflow
		return intValue(0)
	}
	return intValue(x % y)
}

func (ev *Evaluation) negate(a value) value {
	switch {
	case a.kind == kindInt && a.num == math.MinInt64:
		return fail(reasonRange, "the result of -")
	case a.kind == kindInt:
		return intValue(-a.num)
	case a.kind == kindDuration:
		return durationValue(-time.Duration(a.num))
	}
	if f, ok := a.floatOf(); ok && a.kind != kindUint {
		return doubleValue(-f)
	}
	return failKinds(reasonOperand, "-", a.kind, 0)
}

// onDoubles applies an operator to two numbers of which at least one is not an integer.
func onDoubles(operator string, a, b value, do func(x, y float64) float64) value {
	if !a.kind.numeric() || !b.kind.numeric() {
		return failKinds(reasonOperands, operator, a.kind, b.kind)
	}
	x, okA := a.floatOf()
	y, okB := b.floatOf()
	if !okA || !okB {
		return fail(reasonRange, "a number that "+operator+" is applied to")
	}
	return doubleValue(do(x, y))
}

func toInt(v value) value {
	switch v.kind {
	case kindInt:
		return v
	case kindUint:
		if v.num >= 0 {
			return intValue(v.num)
		}
	case kindDouble, kindNumber:
		f, ok := v.floatOf()
		if ok && f > math.MinInt64 && f < math.MaxInt64 {
			return intValue(int64(f))
		}
	case kindString:
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return intValue(n)
		}
	case kindTimestamp:
		return intValue(v.num)
	}
	return failKinds(reasonConvert, "int", v.kind, 0)
}

func toUint(v value) value {
	switch v.kind {
	case kindUint:
		return v
	case kindInt:
		if v.num >= 0 {
			return uintValue(uint64(v.num))
		}
	case kindDouble, kindNumber:
		if n, err := strconv.ParseUint(v.text, 10, 64); err == nil {
			return uintValue(n)
		}
		f, ok := v.floatOf()
		if ok && f >= 0 && f < math.MaxUint64 {
			return uintValue(uint64(f))
		}
	case kindString:
		if n, err := strconv.ParseUint(v.text, 10, 64); err == nil {
			return uintValue(n)
		}
	}
	return failKinds(reasonConvert, "uint", v.kind, 0)
}

func toDouble(v value) value {
	f, ok := v.floatOf()
	if v.kind == kindString && len(v.text) <= maxConvertible {
		parsed, err := strconv.ParseFloat(v.text, 64)
		f, ok = parsed, err == nil
	}
	if !ok {
		return failKinds(reasonConvert, "double", v.kind, 0)
	}
	return doubleValue(f)
}

func toBool(v value) value {
	if v.kind == kindBool {
		return v
	}
	if v.kind == kindString {
		switch v.text {
		case "1", "t", "true", "TRUE", "True":
			return valueTrue
		case "0", "f", "false", "FALSE", "False":
			return valueFalse
		}
	}
	return failKinds(reasonConvert, "bool", v.kind, 0)
}

// toText returns a value as text. A number of the data stays as it is written.
func toText(v value) value {
	switch v.kind {
	case kindString:
		return v
	case kindBool:
		return stringValue(strconv.FormatBool(v.num != 0))
	case kindNumber:
		return stringValue(v.text)
	case kindInt:
		if v.text != "" {
			return stringValue(v.text)
		}
		return stringValue(strconv.FormatInt(v.num, 10))
	case kindUint:
		return stringValue(strconv.FormatUint(v.uint(), 10))
	case kindDouble:
		return stringValue(strconv.FormatFloat(v.float(), 'g', -1, 64))
	case kindTimestamp:
		return stringValue(v.time().Format(time.RFC3339Nano))
	case kindDuration:
		return stringValue(strconv.FormatFloat(time.Duration(v.num).Seconds(), 'f', -1, 64) + "s")
	}
	return failKinds(reasonConvert, "string", v.kind, 0)
}

func toTime(v value) value {
	switch v.kind {
	case kindTimestamp:
		return v
	case kindInt:
		return timeValue(time.Unix(v.num, 0))
	case kindString:
		if t, err := time.Parse(time.RFC3339, v.text); err == nil {
			return timeValue(t)
		}
	}
	return failKinds(reasonConvert, "timestamp", v.kind, 0)
}

func toDuration(v value) value {
	switch v.kind {
	case kindDuration:
		return v
	case kindString:
		if d, err := time.ParseDuration(v.text); err == nil {
			return durationValue(d)
		}
	}
	return failKinds(reasonConvert, "duration", v.kind, 0)
}
