package directory

import (
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// onSame yields the schemas that s applies to its own value.
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

// onParts yields the schemas that s applies to fields, names and items of its value.
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

// graph has the schemas of a document, and which of them apply others to the same value.
type graph struct {
	all       []*jsonschema.Schema
	anchors   map[string][]*jsonschema.Schema // targets of $dynamicRef, by name
	recursive []*jsonschema.Schema            // targets of $recursiveRef
	widths    map[*jsonschema.Schema]int      // see width; 0 while it is being counted
}

// newGraph returns the graph of all schemas that can be reached from the given ones.
func newGraph(from []*jsonschema.Schema) *graph {
	g := &graph{all: reachable(from), anchors: make(map[string][]*jsonschema.Schema), widths: make(map[*jsonschema.Schema]int)}
	for _, s := range g.all {
		if s.DynamicAnchor != "" {
			g.anchors[s.DynamicAnchor] = append(g.anchors[s.DynamicAnchor], s)
		}
		if s.RecursiveAnchor {
			g.recursive = append(g.recursive, s)
		}
	}
	return g
}

// onSame yields the schemas that s may apply to its own value, including all possible targets of dynamic references.
func (g *graph) onSame(s *jsonschema.Schema) iter.Seq[*jsonschema.Schema] {
	return func(yield func(*jsonschema.Schema) bool) {
		for sub := range onSame(s) {
			if !yield(sub) {
				return
			}
		}
		var others []*jsonschema.Schema
		if s.DynamicRef != nil {
			others = g.anchors[s.DynamicRef.Anchor]
		}
		if s.RecursiveRef != nil {
			others = slices.Concat(others, g.recursive)
		}
		for _, sub := range others {
			if !yield(sub) {
				return
			}
		}
	}
}

// width returns how many schemas s applies to one value, including itself, and whether one of them leads back to itself. It stops
// counting beyond maxExpansion.
func (g *graph) width(s *jsonschema.Schema) (n int, loop bool) {
	if known, ok := g.widths[s]; ok {
		return known, known == 0
	}
	g.widths[s] = 0
	n = 1
	for sub := range g.onSame(s) {
		below, loop := g.width(sub)
		if loop {
			return 0, true
		}
		n = min(n+below, maxExpansion+1)
	}
	g.widths[s] = n
	return n, false
}

// widest returns the largest width of all schemas, and whether one applies itself to its own value.
func (g *graph) widest() (most int, loop bool) {
	for _, s := range g.all {
		n, loop := g.width(s)
		if loop {
			return 0, true
		}
		most = max(most, n)
	}
	return most, false
}

// anchored returns the places in a schema's document that a $dynamicRef can refer to from anywhere.
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
