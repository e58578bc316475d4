package directory

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on the comparison of two schemas. What exceeds them counts as broken, because nobody can say that it is not.
const (
	maxComparedDepth = 40
	maxCompared      = 20_000 // pairs of schemas
)

// Breaks returns how data of the schema after can surprise readers of data of the schema before, as errors with CodeBreaking; nil if
// it cannot. What the schema before guarantees must stay guaranteed: fields that are always there, their types, values and bounds. A
// member that the schema does not have any more counts as removed. More fields break nothing, because readers must ignore what they
// do not know. Where the comparison cannot see that a guarantee stays, it says that it does not.
func Breaks(before, after json.RawMessage) error {
	was, is := decodeSchema(before), decodeSchema(after)
	if reflect.DeepEqual(was, is) {
		return nil
	}
	c := &comparison{was: was, is: is, known: make(map[[2]uintptr]bool)}
	c.compare("data", was, is, 0)
	return bellwire.Join(c.faults...)
}

// decodeSchema returns a schema; true, which allows everything, for none.
func decodeSchema(schema json.RawMessage) (decoded any) {
	decoded = true
	if len(schema) > 0 && json.Unmarshal(schema, &decoded) != nil {
		return true
	}
	return decoded
}

// comparison compares two schemas.
type comparison struct {
	was, is  any // the documents
	known    map[[2]uintptr]bool
	compared int
	faults   []error
}

func (c *comparison) fault(path, format string, args ...any) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, &bellwire.Error{Code: bellwire.CodeBreaking, Field: bounded(path, maxFieldBytes), Message: fmt.Sprintf(format, args...)})
	}
}

// holds reports whether everything that was guaranteed still is.
func (c *comparison) holds(path string, was, is any, depth int) bool {
	trial := comparison{was: c.was, is: c.is, known: c.known, compared: c.compared}
	trial.compare(path, was, is, depth)
	c.compared = trial.compared
	return len(trial.faults) == 0
}

// compare reports what a value was guaranteed to be and is not any more.
func (c *comparison) compare(path string, was, is any, depth int) {
	object, guarantees := was.(map[string]any)
	if !guarantees || len(object) == 0 || is == false {
		return // it guarantees nothing, or there is no such value any more
	}
	if c.compared++; depth > maxComparedDepth || c.compared > maxCompared {
		c.fault(path, "is described in too complex a way to be compared with what it was")
		return
	}
	now, described := is.(map[string]any)
	if described {
		pair := [2]uintptr{reflect.ValueOf(object).Pointer(), reflect.ValueOf(now).Pointer()}
		if c.known[pair] {
			return
		}
		c.known[pair] = true
		defer delete(c.known, pair)
	}
	parts := partsOf(c.is, is)
	for _, part := range partsOf(c.was, was) {
		c.part(path, part, parts, depth)
	}
}

// partsOf returns the schemas that all apply to the values of a schema: itself, what it refers to, and those of allOf.
func partsOf(document, of any) (parts []map[string]any) {
	queue := []any{of}
	for len(queue) > 0 && len(parts) < maxCompared {
		part, ok := queue[0].(map[string]any)
		queue = queue[1:]
		if !ok || slices.ContainsFunc(parts, func(p map[string]any) bool {
			return reflect.ValueOf(p).Pointer() == reflect.ValueOf(part).Pointer()
		}) {
			continue
		}
		parts = append(parts, part)
		all, _ := part["allOf"].([]any)
		queue = append(queue, all...)
		if ref, ok := part["$ref"].(string); ok {
			queue = append(queue, resolve(document, ref))
		}
	}
	return parts
}

// resolve returns what a reference within a document refers to, nil if it cannot be found.
func resolve(document any, ref string) any {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := document
	for _, name := range strings.Split(path, "/")[1:] {
		object, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
	}
	return at
}

// ignored are keywords that guarantee nothing to readers, or that partsOf follows. That there are no other fields is no guarantee.
var ignored = []string{"title", "description", "default", "examples", "$comment", "$schema", "$id", "$defs", "definitions", "deprecated",
	"readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "unevaluatedProperties", "allOf", "$ref"}

// Bounds of values: those that may only grow, and those that may only shrink.
var (
	lower = []string{"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"}
	upper = []string{"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"}
)

// part reports which guarantees of one schema none of the schemas now has.
func (c *comparison) part(path string, was map[string]any, now []map[string]any, depth int) {
	for _, keyword := range sortedNames(was) {
		value := was[keyword]
		switch {
		case slices.Contains(ignored, keyword):
		case keyword == "type" || keyword == "enum" || keyword == "const":
			// together, below
		case keyword == "required":
			c.required(path, value, now)
		case keyword == "properties":
			c.properties(path, value, now, depth)
		case keyword == "additionalProperties" || keyword == "items" || keyword == "contains" || keyword == "propertyNames":
			c.nested(path, keyword, value, now, depth)
		case keyword == "prefixItems":
			c.prefixItems(path, value, now, depth)
		case keyword == "anyOf" || keyword == "oneOf":
			c.alternatives(path, keyword, value, now, depth)
		case slices.Contains(lower, keyword):
			c.bound(path, keyword, value, now, func(is, was float64) bool { return is >= was })
		case slices.Contains(upper, keyword):
			c.bound(path, keyword, value, now, func(is, was float64) bool { return is <= was })
		case !slices.ContainsFunc(now, func(p map[string]any) bool { return reflect.DeepEqual(p[keyword], value) }):
			c.fault(path, "has another %s than it had", keyword)
		}
	}
	c.values(path, was, now)
}

func sortedNames(of map[string]any) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// values compares the types and values that are possible.
func (c *comparison) values(path string, was map[string]any, now []map[string]any) {
	if before := typesOf(was); before != nil {
		after := slices.Clone(allTypes)
		for _, part := range now {
			after = intersect(after, typesOf(part))
		}
		var more []string
		for _, name := range after {
			if !slices.Contains(before, name) && !(name == "integer" && slices.Contains(before, "number")) {
				more = append(more, name)
			}
		}
		if len(more) > 0 {
			c.fault(path, "was always of the type %s, and may now be of the type %s", strings.Join(before, " or "), strings.Join(more, " or "))
			return
		}
	}
	before := valuesOf(was)
	if before == nil {
		return
	}
	for _, part := range now {
		after := valuesOf(part)
		if after != nil && !slices.ContainsFunc(after, func(v any) bool {
			return !slices.ContainsFunc(before, func(w any) bool { return reflect.DeepEqual(v, w) })
		}) {
			return
		}
	}
	c.fault(path, "may now have other values than the ones it was limited to")
}

var allTypes = []string{"null", "boolean", "object", "array", "number", "integer", "string"}

// typesOf returns the types that a schema allows by its type, enum or const; nil: any.
func typesOf(part map[string]any) (names []string) {
	switch named := part["type"].(type) {
	case string:
		names = []string{named}
	case []any:
		for _, name := range named {
			if text, ok := name.(string); ok {
				names = append(names, text)
			}
		}
	}
	if values := valuesOf(part); values != nil && names == nil {
		for _, v := range values {
			names = append(names, typeOf(v))
		}
	}
	if slices.Contains(names, "number") && !slices.Contains(names, "integer") {
		names = append(names, "integer")
	}
	return names
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

// intersect returns the types of a that b, unless it is nil, has too.
func intersect(a, b []string) []string {
	if b == nil {
		return a
	}
	return slices.DeleteFunc(a, func(name string) bool { return !slices.Contains(b, name) })
}

// valuesOf returns the values that a schema lists; nil: any.
func valuesOf(part map[string]any) []any {
	if value, given := part["const"]; given {
		return []any{value}
	}
	values, _ := part["enum"].([]any)
	return values
}

func (c *comparison) required(path string, value any, now []map[string]any) {
	names, _ := value.([]any)
	for _, name := range names {
		text, _ := name.(string)
		kept := slices.ContainsFunc(now, func(p map[string]any) bool {
			required, _ := p["required"].([]any)
			return slices.Contains(required, name)
		})
		if !kept && (declares(now, text) || !c.faulty(path+step(nil, text))) {
			c.fault(path+step(nil, text), "was always there, and may now be missing")
		}
	}
}

// declares reports whether one of the schemas has the field.
func declares(parts []map[string]any, name string) bool {
	return len(membersNamed(parts, name)) > 0
}

func (c *comparison) faulty(path string) bool {
	return slices.ContainsFunc(c.faults, func(err error) bool {
		fault, ok := err.(*bellwire.Error)
		return ok && fault.Field == path
	})
}

func membersNamed(parts []map[string]any, name string) (found []any) {
	for _, part := range parts {
		if properties, ok := part["properties"].(map[string]any); ok {
			if sub, declared := properties[name]; declared {
				found = append(found, sub)
			}
		}
	}
	return found
}

func (c *comparison) properties(path string, value any, now []map[string]any, depth int) {
	properties, _ := value.(map[string]any)
	for _, name := range sortedNames(properties) {
		at := path + step(nil, name)
		is := membersNamed(now, name)
		switch len(is) {
		case 0:
			c.fault(at, "was removed")
		case 1:
			c.compare(at, properties[name], is[0], depth+1)
		default:
			c.compare(at, properties[name], map[string]any{"allOf": is}, depth+1)
		}
	}
}

// nested compares what holds for all items, or for all fields without a schema of their own.
func (c *comparison) nested(path, keyword string, was any, now []map[string]any, depth int) {
	if was == true || was == false && keyword == "additionalProperties" {
		return
	}
	at := path + map[string]string{"items": "[]", "additionalProperties": ".*"}[keyword]
	var is []any
	for _, part := range now {
		if sub, given := part[keyword]; given {
			is = append(is, sub)
		}
	}
	switch len(is) {
	case 0:
		c.fault(at, "is not described any more")
	case 1:
		c.compare(at, was, is[0], depth+1)
	default:
		c.compare(at, was, map[string]any{"allOf": is}, depth+1)
	}
}

func (c *comparison) prefixItems(path string, value any, now []map[string]any, depth int) {
	was, _ := value.([]any)
	for i, item := range was {
		at := fmt.Sprintf("%s[%d]", path, i)
		kept := false
		for _, part := range now {
			if is, _ := part["prefixItems"].([]any); i < len(is) {
				c.compare(at, item, is[i], depth+1)
				kept = true
			}
		}
		if !kept {
			c.fault(at, "is not described any more")
		}
	}
}

// alternatives reports whether a value may now be none of the alternatives that there were.
func (c *comparison) alternatives(path, keyword string, value any, now []map[string]any, depth int) {
	was, _ := value.([]any)
	fits := func(is any) bool {
		return slices.ContainsFunc(was, func(one any) bool { return c.holds(path, one, is, depth+1) })
	}
	for _, part := range now {
		if is, given := part[keyword].([]any); given && !slices.ContainsFunc(is, func(one any) bool { return !fits(one) }) {
			return
		}
		if _, given := part[keyword]; !given && len(part) > 0 && fits(part) {
			return
		}
	}
	c.fault(path, "may now be something else than one of the alternatives that it had")
}

func (c *comparison) bound(path, keyword string, value any, now []map[string]any, within func(is, was float64) bool) {
	was, ok := value.(float64)
	kept := slices.ContainsFunc(now, func(p map[string]any) bool {
		is, given := p[keyword].(float64)
		return given && within(is, was)
	})
	if ok && !kept {
		c.fault(path, "is not kept to its %s of %v any more", keyword, was)
	}
}
