package api

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
)

//go:embed docs.html
var docsHTML string

var docsTemplate = template.Must(template.New("docs").Funcs(template.FuncMap{"text": richText}).Parse(docsHTML))

// The page's view of the document.
type (
	docsPage struct {
		Title, Version, Server string
		Introduction           string
		Groups                 []docsGroup
		Problems               []docsProblem
	}
	docsGroup struct {
		Name, Anchor, Description string
		Operations                []docsOperation
	}
	docsOperation struct {
		ID, Method, Path, Summary, Description string

		Parameters   []docsField
		Body         []docsField
		BodyOptional bool
		Answers      []docsAnswer
		Errors       []docsError
		Curl         string
	}
	docsAnswer struct {
		Status  int
		Text    string
		Members []docsField
		Example string
	}
	docsError struct {
		Status int
		Codes  []bellwire.Code
	}
	docsField struct {
		Name, Type, Description string
		Required                bool
		Depth                   int
	}
	docsProblem struct {
		Code   bellwire.Code
		Status int
		Title  string
	}
)

// renderDocs makes the page for people from the document, so that the two cannot tell different things. It
// needs no script and nothing from elsewhere.
func renderDocs(doc *huma.OpenAPI) []byte {
	d := docs{registry: doc.Components.Schemas, server: doc.Servers[0].URL}
	page := docsPage{
		Title: doc.Info.Title, Version: doc.Info.Version, Server: d.server, Introduction: doc.Info.Description,
		Problems: problemList(),
	}
	for _, tag := range doc.Tags {
		group := docsGroup{Name: tag.Name, Anchor: anchor(tag.Name), Description: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			for _, op := range operations(doc.Paths[path]) {
				if op != nil && slices.Contains(op.Tags, tag.Name) {
					group.Operations = append(group.Operations, d.operation(op))
				}
			}
		}
		page.Groups = append(page.Groups, group)
	}
	var out bytes.Buffer
	if err := docsTemplate.Execute(&out, page); err != nil { // the template is ours, and the data too
		panic(err)
	}
	return out.Bytes()
}

func problemList() []docsProblem {
	var problems []docsProblem
	for code, status := range statuses {
		problems = append(problems, docsProblem{Code: code, Status: status, Title: titles[code]})
	}
	slices.SortFunc(problems, func(a, b docsProblem) int {
		if a.Status != b.Status {
			return a.Status - b.Status
		}
		return strings.Compare(string(a.Code), string(b.Code))
	})
	return problems
}

// docs turns parts of the document into parts of the page.
type docs struct {
	registry huma.Registry
	server   string
}

func (d docs) operation(op *huma.Operation) docsOperation {
	out := docsOperation{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description,
		Curl: d.curl(op),
	}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, docsField{
			Name: p.Name, Type: p.In + ", " + d.typeOf(p.Schema), Description: p.Description, Required: p.Required,
		})
	}
	if body := op.RequestBody; body != nil && body.Content["application/json"] != nil {
		out.Body = d.fields(body.Content["application/json"].Schema, 0)
		out.BodyOptional = !op.RequestBody.Required
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		n, err := strconv.Atoi(status)
		if err != nil {
			continue // "default"
		}
		if n >= http.StatusBadRequest {
			out.Errors = append(out.Errors, docsError{Status: n, Codes: codesOf(n)})
			continue
		}
		answer := docsAnswer{Status: n, Text: http.StatusText(n)}
		if media := op.Responses[status].Content["application/json"]; media != nil {
			answer.Members = d.fields(media.Schema, 0)
			for i := range answer.Members {
				answer.Members[i].Required = false // all of them are there: that is not worth a word
			}
			answer.Example = indented(d.example(media.Schema, true))
		}
		out.Answers = append(out.Answers, answer)
	}
	return out
}

func codesOf(status int) []bellwire.Code {
	var codes []bellwire.Code
	for _, p := range problemList() {
		if p.Status == status {
			codes = append(codes, p.Code)
		}
	}
	return codes
}

// curl writes a call that can be pasted into a shell.
func (d docs) curl(op *huma.Operation) string {
	path := op.Path
	for _, p := range op.Parameters {
		if p.In == "path" {
			path = strings.Replace(path, "{"+p.Name+"}", fmt.Sprint(parameterExample(p)), 1)
		}
	}
	var b strings.Builder
	b.WriteString("curl ")
	if op.Method != http.MethodGet {
		b.WriteString("-X " + op.Method + " ")
	}
	b.WriteString(d.server + path + " \\\n  -H \"Authorization: Bearer $BELLWIRE_KEY\"")
	switch {
	case op.RequestBody != nil && op.RequestBody.Content["application/json"] == nil: // lines
		b.WriteString(" \\\n  --data-binary @platform.ndjson")
	case op.RequestBody != nil:
		example := indented(d.example(op.RequestBody.Content["application/json"].Schema, false))
		example = strings.ReplaceAll(example, "'", `'\''`)
		b.WriteString(" \\\n  -d '" + strings.ReplaceAll(example, "\n", "\n  ") + "'")
	}
	return b.String()
}

func parameterExample(p *huma.Param) any {
	if p.Example != nil {
		return p.Example
	}
	if p.Schema != nil && len(p.Schema.Examples) > 0 {
		return p.Schema.Examples[0]
	}
	return p.Name
}

// resolve follows a reference, and takes what is not null of a choice with null. The type is that of a
// referred schema.
func (d docs) resolve(s *huma.Schema) (*huma.Schema, reflect.Type) {
	if len(s.AnyOf) > 0 {
		s = s.AnyOf[0]
	}
	if s.Ref == "" {
		return s, nil
	}
	return d.registry.SchemaFromRef(s.Ref), d.registry.TypeFromRef(s.Ref)
}

// fields lists an object's fields and theirs.
func (d docs) fields(s *huma.Schema, depth int) []docsField {
	s, t := d.resolve(s)
	if s.Type == huma.TypeArray {
		return d.fields(s.Items, depth)
	}
	if values := valuesOf(s); values != nil {
		return d.fields(values, depth)
	}
	var out []docsField
	for _, name := range members(s, t) {
		member := s.Properties[name]
		description := member.Description
		if len(member.AnyOf) == 0 && description == "" {
			whole, _ := d.resolve(member)
			description = whole.Description
		}
		out = append(out, docsField{
			Name: name, Type: d.typeOf(member), Description: description,
			Required: slices.Contains(s.Required, name), Depth: depth,
		})
		out = append(out, d.fields(member, depth+1)...)
	}
	return out
}

// members returns the names of an object's fields in the order of the Go type, or by the alphabet.
func members(s *huma.Schema, t reflect.Type) []string {
	names := slices.Sorted(maps.Keys(s.Properties))
	if t == nil {
		return names
	}
	order := map[string]int{}
	for i, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		order[name] = i
	}
	slices.SortStableFunc(names, func(a, b string) int { return order[a] - order[b] })
	return names
}

func (d docs) typeOf(s *huma.Schema) string {
	nullable := s.Nullable || len(s.AnyOf) > 0
	s, _ = d.resolve(s)
	name := s.Type
	switch {
	case len(s.Enum) > 0:
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprint(v))
		}
		name = strings.Join(values, " | ")
	case s.Type == "":
		name = "any JSON"
	case s.Type == huma.TypeArray:
		name = "array of " + plural(d.typeOf(s.Items))
	case valuesOf(s) != nil:
		name = "object of " + plural(d.typeOf(valuesOf(s)))
	case s.Format == "date-time":
		name = "time"
	}
	if nullable || s.Nullable {
		name += " or null"
	}
	return name
}

// valuesOf returns the schema of the values of an object whose fields have any names, and nil for other schemas.
func valuesOf(s *huma.Schema) *huma.Schema {
	values, _ := s.AdditionalProperties.(*huma.Schema)
	return values
}

func plural(name string) string {
	if strings.Contains(name, " ") {
		return name
	}
	return name + "s"
}

// example makes a value that fits a schema: all of it, or only what is required or has an example.
func (d docs) example(s *huma.Schema, whole bool) any {
	if len(s.Examples) > 0 {
		return exampleValue(s, s.Examples[0])
	}
	s, t := d.resolve(s)
	switch {
	case len(s.Examples) > 0:
		return exampleValue(s, s.Examples[0])
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Default != nil:
		return s.Default
	case s.Nullable && s.Format != "date-time":
		return nil
	}
	switch s.Type {
	case huma.TypeString:
		if s.Format == "date-time" {
			return "2026-01-31T12:30:00Z"
		}
		return ""
	case huma.TypeNumber, huma.TypeInteger:
		return 0
	case huma.TypeBoolean:
		return false
	case huma.TypeArray:
		return []any{d.example(s.Items, whole)}
	case huma.TypeObject:
		return d.exampleObject(s, t, whole)
	}
	return nil
}

func (d docs) exampleObject(s *huma.Schema, t reflect.Type, whole bool) any {
	object := orderedObject{}
	for _, name := range members(s, t) {
		member := s.Properties[name]
		if whole || slices.Contains(s.Required, name) || len(member.Examples) > 0 {
			object = append(object, orderedMember{name, d.example(member, whole)})
		}
	}
	return object
}

// exampleValue reads an example of a field that can be any JSON.
func exampleValue(s *huma.Schema, example any) any {
	if text, ok := example.(string); ok && s.Type == "" && jsontext.Value(text).IsValid() {
		return jsontext.Value(text)
	}
	return example
}

// orderedObject is a JSON object whose fields keep their order.
type orderedObject []orderedMember

type orderedMember struct {
	name  string
	value any
}

// MarshalJSONTo writes the object.
func (o orderedObject) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, m := range o {
		if err := enc.WriteToken(jsontext.String(m.name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(enc, m.value); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

func indented(v any) string {
	b, err := json.Marshal(v, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil { // examples are ours
		panic(err)
	}
	return string(b)
}

func anchor(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), " ", "-")
}

// richText writes what stands between backticks as code.
func richText(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return template.HTML(b.String())
}
