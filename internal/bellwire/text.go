package bellwire

import (
	"strconv"
	"strings"
)

// Number writes a number for people, with commas between its thousands: "1,000,000".
func Number[T ~int | ~int64 | ~float64](n T) string {
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(float64(n), 'f', -1, 64), ".")
	digits := strings.TrimPrefix(whole, "-")
	sign := whole[:len(whole)-len(digits)]
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + digits + fraction
}

// OneOf lists the values that a field can have: `"none", "api_key" or "basic"`.
func OneOf[T ~string](values []T) string { return list(values, " or ") }

// AllOf lists values that belong together: `"interval" and "count"`.
func AllOf[T ~string](values []T) string { return list(values, " and ") }

func list[T ~string](values []T, last string) string {
	var b strings.Builder
	for i, value := range values {
		switch {
		case i > 0 && i == len(values)-1:
			b.WriteString(last)
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(string(value)))
	}
	return b.String()
}
