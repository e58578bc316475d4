package directory

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// document is a schema whose references can be followed.
type document struct {
	root    any
	anchors map[string][]any // the schemas with each; what is data, such as a value of an enum, is among them
}

func newDocument(root any) *document {
	d := &document{root: root, anchors: make(map[string][]any)}
	d.collect(root)
	return d
}

func (d *document) collect(of any) {
	switch of := of.(type) {
	case map[string]any:
		for name, value := range of {
			if text, ok := value.(string); ok && (name == "$anchor" || name == "$dynamicAnchor") {
				d.anchors[text] = append(d.anchors[text], of)
			}
			d.collect(value)
		}
	case []any:
		for _, item := range of {
			d.collect(item)
		}
	}
}

// newestDraft is that of schemas that name none.
const newestDraft = "json-schema.org/draft/2020-12/schema"

// draftOf returns the draft of JSON Schema that a document names.
func draftOf(document any) string {
	object, _ := document.(map[string]any)
	named, _ := object["$schema"].(string)
	_, draft, _ := strings.Cut(strings.TrimSuffix(named, "#"), "://")
	if draft == "" || draft == "json-schema.org/schema" {
		return newestDraft
	}
	return draft
}

// refsStandAlone reports whether a draft ignores everything beside a $ref.
func refsStandAlone(draft string) bool { return strings.HasPrefix(draft, "json-schema.org/draft-0") }

// alike reports whether the parts of two documents can be compared: the draft is the same, and references mean the same from everywhere.
func alike(was, is any) bool {
	draft := draftOf(was)
	if _, object := is.(map[string]any); object && draftOf(is) != draft {
		return false
	}
	id := "$id"
	if draft == "json-schema.org/draft-04/schema" {
		id = "id"
	}
	return !isRelative(was, id, true) && !isRelative(is, id, true)
}

// isRelative reports whether what a reference in a document means depends on where it is, or on how it was reached.
func isRelative(of any, id string, root bool) bool {
	switch of := of.(type) {
	case map[string]any:
		for name, value := range of {
			_, text := value.(string)
			if text && (name == id && !root || name == "$dynamicRef" || name == "$recursiveRef") || isRelative(value, id, false) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(of, func(item any) bool { return isRelative(item, id, false) })
	}
	return false
}

// nothing is a schema that no value fits, with a keyword.
var nothing = map[string]any{"not": map[string]any{}}

// partsOf returns the schemas that all apply to the values of a schema: itself, what it refers to, and those of allOf. It also returns
// a reference that it cannot follow, if there is one.
func (c *comparison) partsOf(in *document, of any) (parts []map[string]any, lost string) {
	seen := make(map[uintptr]bool)
	for queue := []any{of}; len(queue) > 0; queue = queue[1:] {
		part, ok := queue[0].(map[string]any)
		if queue[0] == false {
			part, ok = nothing, true
		}
		if !ok || seen[address(part)] {
			continue
		}
		seen[address(part)] = true
		c.compared++
		ref, refers := part["$ref"].(string)
		if refers {
			target, found := in.resolve(ref)
			if queue = append(queue, target); !found {
				lost = ref
			}
		}
		if refers && c.refsStandAlone {
			continue
		}
		parts = append(parts, part)
		all, _ := part["allOf"].([]any)
		queue = append(queue, all...)
	}
	return parts, lost
}

// address identifies a schema of a document.
func address(of map[string]any) uintptr { return reflect.ValueOf(of).Pointer() }

// resolve returns what a reference within the document refers to, and whether it was found: the whole document, a place in it, or an
// anchor.
func (d *document) resolve(ref string) (target any, found bool) {
	fragment, within := strings.CutPrefix(ref, "#")
	path, err := url.PathUnescape(fragment)
	switch {
	case !within || err != nil:
		return nil, false
	case path == "":
		return d.root, true
	case path[0] == '/':
		return follow(d.root, strings.Split(path[1:], "/"))
	case len(d.anchors[path]) == 1:
		return d.anchors[path][0], true
	}
	return nil, false
}

var pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")

// follow returns the value at a JSON pointer.
func follow(at any, names []string) (target any, found bool) {
	for _, name := range names {
		switch parent := at.(type) {
		case map[string]any:
			at, found = parent[pointerUnescaper.Replace(name)]
		case []any:
			i, err := strconv.Atoi(name)
			if found = err == nil && i >= 0 && i < len(parent); found {
				at = parent[i]
			}
		default:
			found = false
		}
		if !found {
			return nil, false
		}
	}
	return at, true
}

// same reports whether two schemas are the same, with what they refer to.
func (c *comparison) same(was, is any, depth int) bool {
	if c.exceeds(depth) {
		return false
	}
	switch was := was.(type) {
	case map[string]any:
		is, ok := is.(map[string]any)
		if !ok || len(was) != len(is) {
			return false
		}
		pair := pairOf(was, is, true)
		if c.known[pair] {
			return true
		}
		c.known[pair] = true
		defer delete(c.known, pair)
		return !slices.ContainsFunc(sortedNames(was), func(name string) bool {
			value, given := is[name]
			return !given || !c.sameMember(name, was[name], value, depth)
		})
	case []any:
		is, ok := is.([]any)
		return ok && slices.EqualFunc(was, is, func(a, b any) bool { return c.same(a, b, depth+1) })
	}
	return form(was) == form(is)
}

func (c *comparison) sameMember(name string, was, is any, depth int) bool {
	ref, refers := was.(string)
	if name != "$ref" || !refers {
		return c.same(was, is, depth+1)
	}
	now, refers := is.(string)
	before, found := c.was.resolve(ref)
	after, alsoFound := c.is.resolve(now)
	return refers && found && alsoFound && c.same(before, after, depth+1)
}

// form returns a text that is the same for equal values.
func form(v any) string { return string(canonical(nil, v, &meter{left: 1 << 40})) }
