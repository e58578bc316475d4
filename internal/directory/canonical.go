package directory

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// canonical appends a form of a JSON value that is the same for equal values: fields are sorted, and numbers have no
// superfluous digits. The meter counts the steps.
func canonical(to []byte, v any, m *meter) []byte {
	switch v := v.(type) {
	case nil:
		return append(to, 'n')
	case bool:
		return strconv.AppendBool(to, v)
	case json.Number:
		m.spend(len(v) / 16)
		return append(canonicalNumber(to, string(v)), ',')
	case string:
		m.spend(len(v) / 16)
		return appendText(to, v)
	case []any:
		m.spend(len(v))
		to = append(to, '[')
		for _, item := range v {
			to = canonical(to, item, m)
		}
		return append(to, ']')
	case map[string]any:
		m.spend(2 * len(v))
		to = append(to, '{')
		for _, name := range slices.Sorted(maps.Keys(v)) {
			to = canonical(appendText(to, name), v[name], m)
		}
		return append(to, '}')
	}
	return append(to, '?') // unreachable: encoding/json decodes into nothing else
}

// appendText appends a text after its length, so that it cannot run into what follows.
func appendText(to []byte, text string) []byte {
	return append(append(strconv.AppendInt(append(to, '"'), int64(len(text)), 10), ':'), text...)
}

// canonicalNumber appends a number as its sign, its digits without zeros at either end, and its exponent.
func canonicalNumber(to []byte, number string) []byte {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	exp := new(big.Int)
	if exponent != "" {
		exp.SetString(strings.TrimPrefix(exponent, "+"), 10)
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return append(to, '0')
	}
	shortened := strings.TrimRight(digits, "0")
	exp.Add(exp, big.NewInt(int64(len(digits)-len(shortened)-len(fraction))))
	if negative {
		to = append(to, '-')
	}
	return append(append(append(to, shortened...), 'e'), exp.String()...)
}

// enumeration is the values of an enum, indexed by their canonical form.
type enumeration struct {
	values []any
	known  map[string]bool
	parts  bool // some values are arrays or objects
}

func newEnumeration(enum *jsonschema.Enum) *enumeration {
	if enum == nil {
		return nil
	}
	e := &enumeration{values: enum.Values, known: make(map[string]bool, len(enum.Values))}
	free := &meter{left: 1 << 40}
	for _, v := range enum.Values {
		e.known[string(canonical(nil, v, free))] = true
		e.parts = e.parts || hasParts(v)
	}
	return e
}

func hasParts(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

func (e *enumeration) has(v any, m *meter) bool {
	if hasParts(v) && !e.parts {
		return false
	}
	return e.known[string(canonical(nil, v, m))]
}

// unique implements the keyword uniqueItems.
type unique struct{ meter *meter }

// Validate implements jsonschema.SchemaExt.
func (u unique) Validate(ctx *jsonschema.ValidatorContext, v any) {
	items, ok := v.([]any)
	if !ok {
		return
	}
	first := make(map[string]int, len(items))
	var form []byte
	for i, item := range items {
		u.meter.spend(1)
		form = canonical(form[:0], item, u.meter)
		if j, ok := first[string(form)]; ok {
			ctx.AddError(&kind.UniqueItems{Duplicates: [2]int{j, i}})
			return
		}
		first[string(form)] = i
	}
}

// size returns the approximate number of bytes of a JSON value.
func size(v any) int {
	switch v := v.(type) {
	case json.Number:
		return len(v)
	case string:
		return len(v) + 2
	case []any:
		n := 2
		for _, item := range v {
			n += size(item) + 1
		}
		return n
	case map[string]any:
		n := 2
		for name, item := range v {
			n += len(name) + size(item) + 4
		}
		return n
	}
	return 4
}
