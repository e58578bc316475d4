package directory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
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
// do not know, and neither does data that is now several of the alternatives of a oneOf. Where the comparison cannot see that a
// guarantee stays, it says that it does not.
func Breaks(before, after json.RawMessage) error {
	was, readable := decodeSchema(before)
	is, alsoReadable := decodeSchema(after)
	if reflect.DeepEqual(was, is) && readable || bytes.Equal(before, after) {
		return nil
	}
	c := &comparison{was: newDocument(was), is: newDocument(is), known: make(map[pair]bool), refsStandAlone: refsStandAlone(draftOf(was))}
	switch old, guarantees := was.(map[string]any); {
	case !readable || !alsoReadable:
		c.fault("data", "is described in a way that cannot be compared")
	case guarantees && len(old) > 0 && !alike(was, is):
		c.fault("data", "is described with another draft of JSON Schema, a $dynamicRef or an $id of a part, which cannot be compared with what it was")
	default:
		c.compare("data", was, is, 0)
	}
	return bellwire.Join(c.faults...)
}

// decodeSchema returns a schema; true, which allows everything, for none. It reports whether it can be decoded.
func decodeSchema(schema json.RawMessage) (decoded any, readable bool) {
	if len(schema) == 0 {
		return true, true
	}
	decoded, fault := decode(schema)
	return decoded, fault == nil
}

// comparison compares two schemas.
type comparison struct {
	was, is        *document
	refsStandAlone bool
	known          map[pair]bool // that are being compared
	compared       int
	faults         []error
}

// pair is two schemas that are compared.
type pair struct {
	was, is uintptr
	same    bool // whether they are the same
}

func pairOf(was, is map[string]any, same bool) pair {
	return pair{address(was), address(is), same}
}

func (c *comparison) fault(path, format string, args ...any) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, &bellwire.Error{Code: bellwire.CodeBreaking, Field: bounded(path, maxFieldBytes), Message: fmt.Sprintf(format, args...)})
	}
}

// holds reports whether everything that was guaranteed still is.
func (c *comparison) holds(path string, was, is any, depth int) bool {
	trial := *c
	trial.faults = nil
	trial.compare(path, was, is, depth)
	c.compared = trial.compared
	return len(trial.faults) == 0
}

// exceeds counts a comparison, and reports whether it is one too many.
func (c *comparison) exceeds(depth int) bool {
	c.compared++
	return depth > maxComparedDepth || c.compared > maxCompared
}

// compare reports what a value was guaranteed to be and is not any more.
func (c *comparison) compare(path string, was, is any, depth int) {
	if is == false {
		return // there is no such value any more
	}
	if was == false {
		c.fault(path, "was never there, and may now be")
		return
	}
	object, guarantees := was.(map[string]any)
	if !guarantees || len(object) == 0 {
		return
	}
	if c.exceeds(depth) {
		c.fault(path, "is described in too complex a way to be compared with what it was")
		return
	}
	if now, described := is.(map[string]any); described {
		pair := pairOf(object, now, false)
		if c.known[pair] {
			return
		}
		c.known[pair] = true
		defer delete(c.known, pair)
	}
	parts, lost := c.partsOf(c.was, was)
	if lost != "" {
		c.fault(path, "is described with the reference %q, which the comparison cannot follow", lost)
		return
	}
	now, _ := c.partsOf(c.is, is) // what cannot be found there guarantees nothing
	for _, part := range parts {
		c.part(path, part, now, depth)
	}
}

var (
	// silent are keywords that guarantee nothing to readers.
	silent = []string{"title", "description", "default", "examples", "$comment", "$schema", "$id", "$anchor", "$dynamicAnchor", "$defs", "definitions",
		"deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema"}
	// joined are keywords that partsOf follows, or that are compared with another one: type, enum and const together, then and else with
	// if, the bounds of contains with it, and additionalItems with items.
	joined = []string{"allOf", "$ref", "type", "enum", "const", "then", "else", "minContains", "maxContains", "additionalItems"}
)

// Bounds of values: those that may only grow, and those that may only shrink.
var (
	lower = []string{"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
	upper = []string{"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
)

// part reports which guarantees of one schema none of the schemas now has.
func (c *comparison) part(path string, was map[string]any, now []map[string]any, depth int) {
	for _, keyword := range sortedNames(was) {
		value := was[keyword]
		switch {
		case slices.Contains(silent, keyword) || slices.Contains(joined, keyword):
		case keyword == "required":
			c.required(path, value, now)
		case keyword == "properties":
			c.properties(path, value, now, depth)
		case keyword == "additionalProperties":
			c.additionalProperties(path, was, now, depth)
		case keyword == "propertyNames":
			c.nested(path, value, named(now, keyword), depth)
		case keyword == "items":
			c.items(path, was, now, depth)
		case keyword == "prefixItems":
			c.prefixItems(path, value, now, depth)
		case keyword == "contains":
			c.contains(path, was, now, depth)
		case keyword == "anyOf" || keyword == "oneOf":
			c.alternatives(path, keyword, value, now, depth)
		case keyword == "if":
			c.kept(path, keyword, was, now, depth, "if", "then", "else")
		case keyword == "unevaluatedProperties" || keyword == "unevaluatedItems":
			c.unevaluated(path, keyword, was, now, depth)
		case slices.Contains(lower, keyword) && isNumber(value):
			c.bound(path, keyword, value, now, func(order int) bool { return order >= 0 })
		case slices.Contains(upper, keyword) && isNumber(value):
			c.bound(path, keyword, value, now, func(order int) bool { return order <= 0 })
		default:
			c.kept(path, keyword, was, now, depth, keyword)
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
	possible := make(map[string]bool, len(before))
	for _, v := range before {
		possible[form(v)] = true
	}
	for _, part := range now {
		after := valuesOf(part)
		if after != nil && !slices.ContainsFunc(after, func(v any) bool { return !possible[form(v)] }) {
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
	case json.Number:
		if exact := numberOf(v); exact != nil && exact.IsInt() {
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

func membersNamed(parts []map[string]any, name string) []any {
	return named(objects(named(parts, "properties")), name)
}

func (c *comparison) properties(path string, value any, now []map[string]any, depth int) {
	properties, _ := value.(map[string]any)
	for _, name := range sortedNames(properties) {
		at := path + step(nil, name)
		is := membersNamed(now, name)
		switch {
		case properties[name] == false:
			// If there is one now, it is a new field.
		case len(is) == 0:
			c.fault(at, "was removed")
		default:
			c.compare(at, properties[name], together(is), depth+1)
		}
	}
}

// named returns the values of a keyword.
func named(parts []map[string]any, keyword string) (values []any) {
	for _, part := range parts {
		if value, given := part[keyword]; given {
			values = append(values, value)
		}
	}
	return values
}

// together returns a schema for the values that fit all of some.
func together(schemas []any) any {
	if len(schemas) == 1 {
		return schemas[0]
	}
	return map[string]any{"allOf": schemas}
}

// nested compares what holds for all items, or for all fields or names.
func (c *comparison) nested(path string, was any, is []any, depth int) {
	switch {
	case was == true:
	case len(is) == 0:
		c.fault(path, "is not described any more")
	default:
		c.compare(path, was, together(is), depth+1)
	}
}

// additionalProperties compares what holds for the fields that a schema does not name, also for those of them that it names now. That
// there are none is no guarantee.
func (c *comparison) additionalProperties(path string, was map[string]any, now []map[string]any, depth int) {
	others := was["additionalProperties"]
	if others == true || others == false {
		return
	}
	c.nested(path+".*", others, named(now, "additionalProperties"), depth)
	before := []map[string]any{was}
	patterns, _ := was["patternProperties"].(map[string]any)
	for _, properties := range objects(named(now, "properties")) {
		for _, name := range sortedNames(properties) {
			if !declares(before, name) {
				c.compare(path+step(nil, name), others, together(membersNamed(now, name)), depth+1)
			}
		}
	}
	for _, properties := range objects(named(now, "patternProperties")) {
		for _, pattern := range sortedNames(properties) {
			if patterns[pattern] == nil {
				c.compare(path+".*", others, properties[pattern], depth+1)
			}
		}
	}
}

// objects returns those values that are objects.
func objects(values []any) (found []map[string]any) {
	for _, value := range values {
		if object, ok := value.(map[string]any); ok {
			found = append(found, object)
		}
	}
	return found
}

// items compares what holds for the items behind those of prefixItems, also for those of them that prefixItems describes now. In old
// drafts, items can be what prefixItems is now.
func (c *comparison) items(path string, was map[string]any, now []map[string]any, depth int) {
	if _, listed := was["items"].([]any); listed {
		c.kept(path, "items", was, now, depth, "items", "additionalItems")
		return
	}
	first, _ := was["prefixItems"].([]any)
	most := 0
	for _, prefix := range named(now, "prefixItems") {
		list, _ := prefix.([]any)
		most = max(most, len(list))
	}
	for i := len(first); i < most; i++ {
		c.nested(fmt.Sprintf("%s[%d]", path, i), was["items"], itemsAt(now, i), depth)
	}
	c.nested(path+"[]", was["items"], named(now, "items"), depth)
}

// itemsAt returns the schemas of an item.
func itemsAt(parts []map[string]any, i int) (schemas []any) {
	for _, part := range parts {
		prefix, _ := part["prefixItems"].([]any)
		items, given := part["items"]
		switch {
		case i < len(prefix):
			schemas = append(schemas, prefix[i])
		case given:
			schemas = append(schemas, items)
		}
	}
	return schemas
}

func (c *comparison) prefixItems(path string, value any, now []map[string]any, depth int) {
	was, _ := value.([]any)
	for i, item := range was {
		c.nested(fmt.Sprintf("%s[%d]", path, i), item, itemsAt(now, i), depth)
	}
}

// contains compares what one of the items is. How many of them are is not known if that is described otherwise.
func (c *comparison) contains(path string, was map[string]any, now []map[string]any, depth int) {
	counted := func(part map[string]any) bool { return part["minContains"] != nil || part["maxContains"] != nil }
	narrower := func(part map[string]any) bool {
		is, given := part["contains"]
		return given && !counted(was) && !counted(part) && c.holds(path, was["contains"], is, depth+1)
	}
	if !slices.ContainsFunc(now, narrower) {
		c.kept(path, "contains", was, now, depth, "contains", "minContains", "maxContains")
	}
}

// kept reports that the keyword has changed, unless one of the schemas has the same values of all keywords.
func (c *comparison) kept(path, keyword string, was map[string]any, now []map[string]any, depth int, keywords ...string) {
	if !slices.ContainsFunc(now, func(part map[string]any) bool {
		return !slices.ContainsFunc(keywords, func(one string) bool {
			value, had := was[one]
			is, has := part[one]
			return had != has || had && !c.sameMember(one, value, is, depth)
		})
	}) {
		c.fault(path, "has another %s than it had", keyword)
	}
}

// unevaluated compares what holds for fields or items that no other part of a schema describes: it stays if the whole schema does.
func (c *comparison) unevaluated(path, keyword string, was map[string]any, now []map[string]any, depth int) {
	value := was[keyword]
	if value == true || value == false && keyword == "unevaluatedProperties" {
		return
	}
	var all []string
	for _, part := range append([]map[string]any{was}, now...) {
		all = append(all, sortedNames(part)...)
	}
	all = slices.DeleteFunc(all, func(name string) bool { return slices.Contains(silent, name) })
	c.kept(path, keyword, was, now, depth, all...)
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

func (c *comparison) bound(path, keyword string, was any, now []map[string]any, within func(order int) bool) {
	limit := numberOf(was)
	if !slices.ContainsFunc(named(now, keyword), func(is any) bool { return isNumber(is) && within(numberOf(is).Cmp(limit)) }) {
		c.fault(path, "is not kept to its %s of %v any more", keyword, was)
	}
}

func isNumber(v any) bool { return numberOf(v) != nil }

// numberOf returns the exact value of a number, nil if it is none.
func numberOf(v any) *big.Rat {
	text, ok := v.(json.Number)
	if !ok {
		return nil
	}
	exact, ok := new(big.Rat).SetString(string(text))
	if !ok {
		return nil
	}
	return exact
}
