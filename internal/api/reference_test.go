package api

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/service"
)

var update = flag.Bool("update", false, "write docs/api.md")

// TestReference compares docs/api.md with the OpenAPI document, of which it is made: `make docs` writes it.
func TestReference(t *testing.T) {
	t.Parallel()
	const path = "../../docs/api.md"
	doc := newAPI((*service.Service)(nil), Options{}).huma.OpenAPI()
	page := writeReference(doc)
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page, string(written)); diff != "" {
		t.Errorf("docs/api.md is not what the OpenAPI document says; make docs writes it (-document +page):\n%s", diff)
	}
	for path, item := range doc.Paths {
		for _, op := range operations(item) {
			if op != nil && !strings.Contains(page, "`"+op.Method+" "+path+"`") {
				t.Errorf("the page lacks %s %s", op.Method, path)
			}
		}
	}
}

const referenceIntroduction = `<!-- Made from the OpenAPI document by make docs. -->
# API reference

For developers: every operation of the native API, with its parameters, its body, its answers and its errors.
[Getting started](getting-started.md) shows the first calls, and the [` + "`client`" + `](../client/README.md) module makes them from
Go. A running server has the same reference, with an example of each call, at ` + "`/docs`" + `, and as OpenAPI 3.1 at ` + "`/openapi.json`" + `.

`

const referenceObjects = `## Objects

The objects of bodies and answers, by name. An answer has all fields of its object.

### Lists

A *list* of objects is ` + "`" + `{"data": [...], "next_cursor": …}` + "`" + `, newest first. ` + "`limit`" + ` is the number of objects on a page: 50
by default, at most 250. Pass ` + "`next_cursor`" + ` as ` + "`cursor`" + ` to get the next page. It is null on the last page.

`

// reference writes the page.
type reference struct {
	docs
	strings.Builder
	inline map[string]bool // the objects that stand where they are used, because nothing else refers to them
	linked map[string]bool // the objects that the page has a section for
	sent   map[string]bool // the objects that clients send, whose required fields are marked

	unnamed map[string]*huma.Schema // large objects without a name, by the names of their fields
}

func writeReference(doc *huma.OpenAPI) string {
	r := &reference{docs: docs{registry: doc.Components.Schemas}, inline: onlyBodies(doc), linked: make(map[string]bool), sent: sentObjects(doc), unnamed: make(map[string]*huma.Schema)}
	r.WriteString(referenceIntroduction)
	r.paragraph(doc.Info.Description)
	r.paragraph("Every operation needs a key, unless it says otherwise: " + "`Authorization: Bearer <key>`" + ". [Roles](#keys) say what a key may do.")
	r.contents(doc)
	for _, tag := range doc.Tags {
		r.paragraph("## " + tag.Name)
		r.paragraph(tag.Description)
		for _, op := range operationsOf(doc, tag.Name) {
			r.operation(op)
		}
	}
	r.problems()
	r.WriteString(referenceObjects)
	r.objects()
	return strings.TrimRight(r.String(), "\n") + "\n"
}

// operationsOf returns the operations with a tag, by their paths.
func operationsOf(doc *huma.OpenAPI, tag string) (all []*huma.Operation) {
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, op := range operations(doc.Paths[path]) {
			if op != nil && slices.Contains(op.Tags, tag) {
				all = append(all, op)
			}
		}
	}
	return all
}

// contents lists the operations with links to them.
func (r *reference) contents(doc *huma.OpenAPI) {
	for _, tag := range doc.Tags {
		var links []string
		for _, op := range operationsOf(doc, tag.Name) {
			links = append(links, heading(op.Summary))
		}
		r.WriteString("* **" + heading(tag.Name) + "**: " + strings.Join(links, ", ") + "\n")
	}
	r.WriteString("\n")
}

// heading returns a link to a heading, as GitHub names them.
func heading(text string) string {
	name := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(text), "")
	return "[" + text + "](#" + strings.ReplaceAll(name, " ", "-") + ")"
}

// onlyBodies returns the names of the objects that are the body of one operation, and are referred to nowhere else.
func onlyBodies(doc *huma.OpenAPI) map[string]bool {
	uses, bodies := make(map[string]int), make(map[string]bool)
	count := func(s *huma.Schema) {
		walkSchema(s, func(s *huma.Schema) { uses[objectName(s)]++ })
	}
	for _, item := range doc.Paths {
		for _, op := range operations(item) {
			if op == nil {
				continue
			}
			if op.RequestBody != nil {
				for _, media := range op.RequestBody.Content {
					bodies[objectName(media.Schema)] = true
					count(media.Schema)
				}
			}
			for _, response := range op.Responses {
				for _, media := range response.Content {
					count(media.Schema)
				}
			}
		}
	}
	for _, s := range doc.Components.Schemas.Map() {
		count(s)
	}
	maps.DeleteFunc(bodies, func(name string, _ bool) bool { return name == "" || uses[name] > 1 })
	return bodies
}

// sentObjects returns the names of the objects that request bodies consist of.
func sentObjects(doc *huma.OpenAPI) map[string]bool {
	sent := make(map[string]bool)
	var add func(s *huma.Schema)
	add = func(s *huma.Schema) {
		name := objectName(s)
		if name != "" && !sent[name] {
			sent[name] = true
			walkSchema(doc.Components.Schemas.Map()[name], add)
		}
	}
	for _, item := range doc.Paths {
		for _, op := range operations(item) {
			if op != nil && op.RequestBody != nil {
				for _, media := range op.RequestBody.Content {
					walkSchema(media.Schema, add)
				}
			}
		}
	}
	return sent
}

// walkSchema calls f with a schema and those within it, up to references.
func walkSchema(s *huma.Schema, f func(*huma.Schema)) {
	if s == nil {
		return
	}
	f(s)
	walkSchema(s.Items, f)
	for _, member := range s.Properties {
		walkSchema(member, f)
	}
	for _, choice := range s.AnyOf {
		walkSchema(choice, f)
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		walkSchema(values, f)
	}
}

// objectName returns the name of the object that a schema refers to, or "".
func objectName(s *huma.Schema) string { return strings.TrimPrefix(s.Ref, "#/components/schemas/") }

func (r *reference) paragraph(text string) {
	if text != "" {
		r.WriteString(text + "\n\n")
	}
}

func (r *reference) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(cell, "|", `\|`)
	}
	r.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func (r *reference) operation(op *huma.Operation) {
	r.paragraph("### " + op.Summary)
	r.paragraph("`" + op.Method + " " + op.Path + "`")
	r.paragraph(op.Description)
	if len(op.Security) == 0 {
		r.paragraph("It needs no key.")
	}
	if len(op.Parameters) > 0 {
		r.row("parameter", "in", "type", "meaning")
		r.row("---", "---", "---", "---")
		for _, p := range op.Parameters {
			r.row("`"+p.Name+"`"+required(p.Required), p.In, r.linkedType(p.Schema), p.Description)
		}
		r.WriteString("\n")
	}
	r.body(op.RequestBody)
	r.answers(op)
}

func (r *reference) body(body *huma.RequestBody) {
	if body == nil {
		return
	}
	title := "**Body**"
	if !body.Required {
		title += ", optional"
	}
	media := body.Content["application/json"]
	if media == nil {
		r.paragraph(title + ": `" + ndjsonType + "`.")
		return
	}
	if !r.inline[objectName(media.Schema)] {
		r.paragraph(title + ": " + r.linkedType(media.Schema) + ".")
		return
	}
	r.paragraph(title + ":")
	r.fieldTable(media.Schema, true)
}

// fieldTable writes the fields of an object.
func (r *reference) fieldTable(s *huma.Schema, marked bool) {
	r.row("field", "type", "meaning")
	r.row("---", "---", "---")
	r.fieldRows(s, "", marked)
	r.WriteString("\n")
}

// fieldRows writes the fields of an object, and those of objects within it that have no name, such as retry.schedule.
func (r *reference) fieldRows(s *huma.Schema, within string, marked bool) {
	s, t := r.resolve(s)
	for _, name := range members(s, t) {
		member := s.Properties[name]
		description := member.Description
		if len(member.AnyOf) == 0 && description == "" {
			whole, _ := r.resolve(member)
			description = whole.Description
		}
		kind := r.linkedType(member)
		inner, path := notNull(member), within+name+"."
		if inner.Type == huma.TypeArray {
			inner, path = notNull(inner.Items), within+name+"[]."
		}
		apart := isUnnamed(inner) && r.keepApart(name, inner)
		if apart {
			kind = strings.Replace(kind, "object", r.linkTo(name), 1)
		}
		r.row("`"+within+name+"`"+required(marked && slices.Contains(s.Required, name)), kind, description)
		if isUnnamed(inner) && !apart {
			r.fieldRows(inner, path, marked)
		}
	}
}

// notNull returns what a schema is if it is not null.
func notNull(s *huma.Schema) *huma.Schema {
	if len(s.AnyOf) > 0 {
		return s.AnyOf[0]
	}
	return s
}

// keepApart reports whether an object without a name has a section of its own, under the name of its field: if it is large, and no other
// one has that name.
func (r *reference) keepApart(name string, s *huma.Schema) bool {
	const large = 5 // fields
	if len(s.Properties) <= large {
		return false
	}
	if other := r.unnamed[name]; other != nil {
		return reflect.DeepEqual(other.Properties, s.Properties)
	}
	r.unnamed[name] = s
	return true
}

// isUnnamed reports whether a schema is an object with fields and without a name.
func isUnnamed(s *huma.Schema) bool { return s.Ref == "" && s.Properties != nil }

func required(is bool) string {
	if is {
		return ", required"
	}
	return ""
}

func (r *reference) answers(op *huma.Operation) {
	var refused []string
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		n, err := strconv.Atoi(status)
		if err != nil { // "default"
			continue
		}
		if n >= http.StatusBadRequest {
			refused = append(refused, fmt.Sprintf("[%d](#errors)", n))
			continue
		}
		r.answer(n, op.Responses[status])
	}
	if len(refused) > 0 {
		r.paragraph("**Errors**: " + strings.Join(refused, ", ") + ".")
	}
}

func (r *reference) answer(status int, response *huma.Response) {
	var forms []string
	for _, form := range slices.Sorted(maps.Keys(response.Content)) {
		switch media := response.Content[form]; {
		case form == "application/json":
			forms = append(forms, r.linkedType(media.Schema))
		case objectName(media.Schema) != "":
			forms = append(forms, r.linkedType(media.Schema)+" as `"+form+"`")
		default:
			forms = append(forms, "`"+form+"`")
		}
	}
	text := fmt.Sprintf("**Answer**: %d %s", status, http.StatusText(status))
	if len(forms) > 0 {
		text += ", with " + strings.Join(forms, ", or ")
	}
	r.paragraph(text + ".")
}

// linkedType is typeOf with links to objects.
func (r *reference) linkedType(s *huma.Schema) string {
	nullable := s.Nullable || len(s.AnyOf) > 0
	inner, _ := r.resolve(s)
	name := ""
	switch {
	case inner.Type == huma.TypeArray:
		name = r.listOf("list of ", inner.Items)
	case isList(inner):
		name = r.listOf("[list](#lists) of ", inner.Properties["data"].Items)
	case isUnnamed(notNull(s)):
		name = "object"
	case inner.Type == huma.TypeObject && inner.Properties != nil:
		name = r.linkTo(objectName(notNull(s)))
	}
	switch {
	case name == "":
		return r.typeOf(s)
	case nullable || inner.Nullable:
		return name + " or null"
	}
	return name
}

func (r *reference) listOf(list string, items *huma.Schema) string { return list + r.linkedType(items) }

func (r *reference) linkTo(name string) string {
	r.linked[name] = true
	return "[" + name + "](#" + strings.ToLower(name) + "-object)"
}

// isList reports whether an object is a page of a list, and nothing else.
func isList(s *huma.Schema) bool {
	return len(s.Properties) == 2 && s.Properties["data"] != nil && s.Properties["data"].Items != nil && s.Properties["next_cursor"] != nil
}

func (r *reference) problems() {
	r.paragraph("## Errors")
	r.paragraph("An error is " + r.linkTo("Problem") + ", as `application/problem+json` (RFC 9457). Programs decide by its `code`, which is stable; the text may change.")
	r.row("status", "`code`", "title")
	r.row("---", "---", "---")
	for _, p := range problemList() {
		r.row(strconv.Itoa(p.Status), "`"+string(p.Code)+"`", p.Title)
	}
	r.WriteString("\n")
}

// objects writes the objects that the page links to, and those that they link to.
func (r *reference) objects() {
	written := make(map[string]string)
	for len(written) < len(r.linked) {
		for _, name := range slices.Sorted(maps.Keys(r.linked)) {
			if _, done := written[name]; done {
				continue
			}
			section := &reference{docs: r.docs, linked: r.linked, sent: r.sent, unnamed: r.unnamed}
			section.paragraph("### " + name + " (object)")
			s := r.registry.Map()[name]
			if s == nil {
				s = r.unnamed[name]
			}
			section.paragraph(s.Description)
			section.fieldTable(s, r.sent[name])
			written[name] = section.String()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(written)) {
		r.WriteString(written[name])
	}
}
