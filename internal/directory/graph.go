package directory

import (
	"iter"
	"net/url"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// onSame yields the schemas that a schema applies to the value that it is applied to itself.
func onSame(s *jsonschema.Schema) iter.Seq[*jsonschema.Schema] {
	return func(yield func(*jsonschema.Schema) bool) {
		single := []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else}
		if s.DynamicRef != nil {
			single = append(single, s.DynamicRef.Ref)
		}
		for _, list := range [][]*jsonschema.Schema{single, s.AllOf, s.AnyOf, s.OneOf} {
			for _, sub := range list {
				if sub != nil && !yield(sub) {
					return
				}
			}
		}
		for _, sub := range s.DependentSchemas {
			if !yield(sub) {
				return
			}
		}
		for _, d := range s.Dependencies {
			if sub, ok := d.(*jsonschema.Schema); ok && !yield(sub) {
				return
			}
		}
	}
}

// onParts yields the schemas that a schema applies to members, names and items of the value.
func onParts(s *jsonschema.Schema) iter.Seq[*jsonschema.Schema] {
	return func(yield func(*jsonschema.Schema) bool) {
		single := []*jsonschema.Schema{s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema}
		for _, either := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
			switch either := either.(type) {
			case *jsonschema.Schema:
				single = append(single, either)
			case []*jsonschema.Schema:
				single = append(single, either...)
			}
		}
		for _, list := range [][]*jsonschema.Schema{single, s.PrefixItems} {
			for _, sub := range list {
				if sub != nil && !yield(sub) {
					return
				}
			}
		}
		for _, sub := range s.Properties {
			if !yield(sub) {
				return
			}
		}
		for _, sub := range s.PatternProperties {
			if !yield(sub) {
				return
			}
		}
	}
}

// reachable returns all schemas that can be reached from the given ones.
func reachable(from []*jsonschema.Schema) []*jsonschema.Schema {
	seen := make(map[*jsonschema.Schema]bool)
	var all []*jsonschema.Schema
	for len(from) > 0 {
		s := from[len(from)-1]
		from = from[:len(from)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		all = append(all, s)
		for sub := range onSame(s) {
			from = append(from, sub)
		}
		for sub := range onParts(s) {
			from = append(from, sub)
		}
	}
	return all
}

// expansion counts the schemas that are applied to one value.
type expansion struct {
	known map[*jsonschema.Schema]int // of those from which no way leads back
	path  map[*jsonschema.Schema]bool
	loops int // how often a way led back
	calls int
}

// maxCalls ends the counting in schemas whose loops could keep it busy for long.
const maxCalls = 100 * maxExpansion

// of returns how many schemas s applies to its value, itself included; beyond maxExpansion it stops counting.
func (x *expansion) of(s *jsonschema.Schema) int {
	if n, ok := x.known[s]; ok {
		return n
	}
	if x.calls++; x.calls > maxCalls {
		return maxExpansion + 1
	}
	if x.path[s] {
		x.loops++
		return 1
	}
	x.path[s] = true
	loops, n := x.loops, 1
	for sub := range onSame(s) {
		if n += x.of(sub); n > maxExpansion {
			break
		}
	}
	delete(x.path, s)
	if x.loops == loops || n > maxExpansion {
		x.known[s] = n
	}
	return n
}

// widest returns the most schemas that any of the given ones applies to a value.
func widest(schemas []*jsonschema.Schema) int {
	x := &expansion{known: make(map[*jsonschema.Schema]int), path: make(map[*jsonschema.Schema]bool)}
	most := 0
	for _, s := range schemas {
		most = max(most, x.of(s))
	}
	return most
}

// anchored returns the places in a schema's document that a $dynamicRef can lead to from anywhere.
func anchored(doc any, pointer string) []string {
	var found []string
	switch doc := doc.(type) {
	case map[string]any:
		if _, ok := doc["$dynamicAnchor"].(string); ok {
			found = append(found, (&url.URL{Fragment: pointer}).String())
		}
		for name, sub := range doc {
			found = append(found, anchored(sub, pointer+"/"+escape(name))...)
		}
	case []any:
		for i, sub := range doc {
			found = append(found, anchored(sub, pointer+"/"+strconv.Itoa(i))...)
		}
	}
	return found
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

func escape(name string) string { return pointerEscaper.Replace(name) }
