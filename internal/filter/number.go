package filter

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// maxExponentDigits bounds the exponents of numbers that are compared. Every exponent that a quantity may have is far below.
const maxExponentDigits = 15

// numberValue returns the value of a number of the data.
func numberValue(json string) value {
	if n, ok := parseInt(json); ok {
		return value{kind: kindInt, num: n, text: json}
	}
	return value{kind: kindNumber, text: json}
}

// parseInt parses an integer of 64 bits without leading zeros.
func parseInt(s string) (n int64, ok bool) {
	if len(s) > len("-9223372036854775808") {
		return 0, false
	}
	if len(s) < 19 {
		i := 0
		if s[0] == '-' {
			i = 1
		}
		if i == len(s) {
			return 0, false
		}
		for ; i < len(s); i++ {
			if s[i] < '0' || s[i] > '9' {
				return 0, false
			}
			n = 10*n + int64(s[i]-'0')
		}
		if s[0] == '-' {
			n = -n
		}
		return n, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// decimal is a number as its digits: 0.digits × 10^magnitude. Zero has no digits.
type decimal struct {
	negative  bool
	digits    string // with a point among them; neither the first nor the last one is 0
	magnitude int64
}

// parseDecimal parses a number of JSON, and returns the reason if it cannot be compared.
func parseDecimal(s string) (d decimal, r reason, ok bool) {
	if strings.HasPrefix(s, "-") {
		d.negative, s = true, s[1:]
	}
	mantissa, exponent, hasExponent := s, "", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent, hasExponent = s[:i], s[i+1:], true
	}
	whole := len(mantissa) // digits before the point
	for i := range len(mantissa) {
		switch c := mantissa[i]; {
		case c == '.' && whole == len(mantissa) && i > 0:
			whole = i
		case c < '0' || c > '9':
			return decimal{}, reasonMalformed, false
		}
	}
	if mantissa == "" {
		return decimal{}, reasonMalformed, false
	}
	trimmed := strings.TrimLeft(mantissa, "0.")
	if trimmed == "" {
		return decimal{}, 0, true
	}
	before := len(mantissa) - len(trimmed) // characters before the first digit that is not 0
	d.magnitude = int64(whole - before)
	if before > whole { // the point is one of them
		d.magnitude++
	}
	d.digits = strings.TrimRight(trimmed, "0.")
	if !hasExponent {
		return d, 0, true
	}
	exp, r, ok := parseExponent(exponent)
	d.magnitude += exp
	return d, r, ok
}

func parseExponent(s string) (n int64, r reason, ok bool) {
	digits := strings.TrimPrefix(s, "-")
	if len(digits) == len(s) {
		digits = strings.TrimPrefix(s, "+")
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, reasonMalformed, false
	}
	if digits = strings.TrimLeft(digits, "0"); len(digits) > maxExponentDigits {
		return 0, reasonExponent, false
	}
	n, _ = strconv.ParseInt("0"+digits, 10, 64)
	if s[0] == '-' {
		n = -n
	}
	return n, 0, true
}

// compare orders two decimals.
func (d decimal) compare(other decimal) int {
	switch a, b := d.sign(), other.sign(); {
	case a != b:
		return cmp.Compare(a, b)
	case a < 0:
		return other.compareSize(d)
	}
	return d.compareSize(other)
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

func (d decimal) compareSize(other decimal) int {
	if d.magnitude != other.magnitude {
		return cmp.Compare(d.magnitude, other.magnitude)
	}
	a, b := d.digits, other.digits
	for i, j := 0, 0; ; i, j = i+1, j+1 {
		if i < len(a) && a[i] == '.' {
			i++
		}
		if j < len(b) && b[j] == '.' {
			j++
		}
		switch {
		case i >= len(a) || j >= len(b):
			return cmp.Compare(len(a)-i, len(b)-j) // the digits that are left do not end with 0
		case a[i] != b[j]:
			return cmp.Compare(a[i], b[j])
		}
	}
}

// decimalOf returns a number that is not NaN or infinite as a decimal.
func decimalOf(v value) (decimal, reason, bool) {
	if v.text != "" {
		return parseDecimal(v.text)
	}
	switch v.kind {
	case kindInt:
		return parseDecimal(strconv.FormatInt(v.num, 10))
	case kindUint:
		return parseDecimal(strconv.FormatUint(v.uint(), 10))
	case kindDouble:
		return parseDecimal(strconv.FormatFloat(v.float(), 'e', -1, 64))
	}
	return decimal{}, reasonMalformed, false
}

// maxExact is the largest integer up to which doubles have all integers.
const maxExact = 1 << 53

// compareNumbers orders two numbers exactly: a double stands for the shortest decimal that it is the nearest double of, which is how
// it was written. ok is false if one of them is NaN.
func (ev *Evaluation) compareNumbers(a, b value) (order int, ok bool, failure value) {
	switch {
	case a.kind == kindInt && b.kind == kindInt:
		return cmp.Compare(a.num, b.num), true, valueNull
	case a.kind == kindDouble && b.kind == kindDouble:
		x, y := a.float(), b.float()
		return cmp.Compare(x, y), x == x && y == y, valueNull
	case a.kind == kindInt && b.kind == kindDouble && a.num > -maxExact && a.num < maxExact:
		y := b.float()
		return cmp.Compare(float64(a.num), y), y == y, valueNull
	case a.kind == kindDouble && b.kind == kindInt && b.num > -maxExact && b.num < maxExact:
		x := a.float()
		return cmp.Compare(x, float64(b.num)), x == x, valueNull
	}
	if order, ok, special := compareSpecial(a, b); special {
		return order, ok, valueNull
	}
	ev.spend((len(a.text) + len(b.text)) / bytesPerStep)
	x, r, valid := decimalOf(a)
	if !valid {
		return 0, false, fail(r, "")
	}
	y, r, valid := decimalOf(b)
	if !valid {
		return 0, false, fail(r, "")
	}
	return x.compare(y), true, valueNull
}

// compareSpecial orders numbers of which at least one is a NaN or infinite.
func compareSpecial(a, b value) (order int, ok, special bool) {
	infinity := func(v value) (sign int, nan bool) {
		if v.kind != kindDouble {
			return 0, false
		}
		switch f := v.float(); {
		case f != f:
			return 0, true
		case math.IsInf(f, 1):
			return 1, false
		case math.IsInf(f, -1):
			return -1, false
		}
		return 0, false
	}
	x, nanX := infinity(a)
	y, nanY := infinity(b)
	if nanX || nanY {
		return 0, false, true
	}
	return cmp.Compare(x, y), true, x != 0 || y != 0
}
