package directory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
)

// Bounds on JSON that is checked against a schema. The library compares numbers as exact fractions, so a number with a huge
// exponent or very many digits would cost seconds and gigabytes.
const (
	maxExponent   = 400
	maxNumber     = 1000 // characters
	maxDepth      = 128
	maxComplaint  = 300 // bytes of a message of the schema library
	maxFieldBytes = 200
)

// schemaURL is the base of references in a schema without $id. Nothing can be loaded from it.
const (
	schemaBase = "bellwire:///"
	schemaURL  = schemaBase + "schema.json"
	refuterURL = schemaBase + "refuter.json"
)

// CompiledType is an event type whose schema is compiled.
type CompiledType struct {
	bellwire.EventType

	converters []*filter.Converter // of Older, in its order

	checker *checker // nil if any data fits
	broken  error    // why the schema could not be compiled
}

// CompileType compiles an event type's schema. Its error has CodeInvalid.
func CompileType(t *bellwire.EventType) (*CompiledType, error) {
	compiled := &CompiledType{EventType: *t}
	if len(t.Schema) == 0 {
		return compiled, nil
	}
	first, err := newEvaluator(t.Schema)
	if err != nil {
		return nil, err
	}
	schema := t.Schema
	compiled.checker = newChecker(first, func() (*evaluator, error) { return newEvaluator(schema) })
	return compiled, nil
}

// CheckCost refuses a schema that can take too many steps for a single value. Schemas that were stored before this limit existed
// remain usable, because each check has a budget. The error has CodeInvalid.
func (t *CompiledType) CheckCost() error {
	if t.checker == nil {
		return nil
	}
	schemas, widest := t.checker.schemas, t.checker.widest
	if schemas > maxSchemas {
		return bellwire.Invalid("schema", "must consist of at most %s schemas, but has %s", bellwire.Number(maxSchemas), bellwire.Number(schemas))
	}
	if widest <= maxExpansion {
		return nil
	}
	return bellwire.Invalid("schema", "must not apply more than %s schemas to one value; use fewer anyOf, oneOf, allOf and $ref "+
		"inside of each other", bellwire.Number(maxExpansion))
}

// newEvaluator compiles a schema.
func newEvaluator(schema []byte) (*evaluator, error) {
	doc, fault := decode(schema)
	if fault != nil {
		return nil, fault.in("schema")
	}
	e := new(evaluator)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(noLoader{})
	c.UseRegexpEngine(e.compileRegexp)
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, schemaError(err, doc)
	}
	var err error
	if e.schema, err = c.Compile(schemaURL); err != nil {
		return nil, schemaError(err, doc)
	}
	if err := c.AddResource(refuterURL, map[string]any{"not": map[string]any{"$ref": schemaURL}}); err != nil {
		return nil, schemaError(err, doc)
	}
	if e.refuter, err = c.Compile(refuterURL); err != nil {
		return nil, schemaError(err, doc)
	}
	roots := []*jsonschema.Schema{e.refuter}
	for _, fragment := range anchored(doc, "") {
		// A place that does not compile is not a schema, but, for example, a value of an enum.
		if s, err := c.Compile(schemaURL + fragment); err == nil {
			roots = append(roots, s)
		}
	}
	g := newGraph(roots)
	most, loop := g.widest()
	if loop {
		return nil, bellwire.Invalid("schema", "must not refer to itself for the same value, which can never fit; a $ref that leads back must be below a property or an item")
	}
	e.schemas, e.widest = len(g.all), most
	e.instrument(g.all)
	return e, nil
}

// noLoader keeps schemas from reading files and other servers.
type noLoader struct{}

var errRemote = errors.New("only references within the schema itself can be followed")

func (noLoader) Load(string) (any, error) { return nil, errRemote }

func schemaError(err error, doc any) error {
	var (
		load    *jsonschema.LoadURLError
		invalid *jsonschema.SchemaValidationError
		wrong   *jsonschema.ValidationError
	)
	switch {
	case errors.As(err, &load):
		return bellwire.Invalid("schema", "must not refer to %q, which is not loaded; put the schema that is meant below $defs", bounded(strings.TrimPrefix(load.URL, schemaBase), maxFieldBytes))
	case errors.As(err, &invalid) && errors.As(invalid.Err, &wrong):
		first := explainAll(wrong, "schema", doc)[0]
		if first.predicate {
			return bellwire.Invalid(first.path, "%s in a JSON Schema", first.problem)
		}
		return bellwire.Invalid(first.path, "is not a JSON Schema: %s", first.problem)
	}
	return unusableSchema(err)
}

// unusableSchema returns the error for a schema that fits the rules of JSON Schema, and cannot be compiled.
func unusableSchema(err error) error {
	var (
		pointer *jsonschema.JSONPointerNotFoundError
		anchor  *jsonschema.AnchorNotFoundError
		id      *jsonschema.DuplicateIDError
		twice   *jsonschema.DuplicateAnchorError
	)
	refused := bellwire.Invalid("schema", "cannot be used as a JSON Schema")
	switch {
	case errors.As(err, &pointer):
		refused.Message = fmt.Sprintf("must not refer to %q, which it does not contain", reference(pointer.URL))
	case errors.As(err, &anchor):
		refused.Message = fmt.Sprintf("must not refer to %q, which it does not contain", reference(anchor.Reference))
	case errors.As(err, &id):
		refused.Message = fmt.Sprintf("must not have the $id %q twice", bounded(id.ID, maxFieldBytes))
	case errors.As(err, &twice):
		refused.Message = fmt.Sprintf("must not have the $anchor %q twice", bounded(twice.Anchor, maxFieldBytes))
	}
	refused.Err = err
	return refused
}

// reference returns what follows # in the URL that the compiler gives to a $ref.
func reference(url string) string {
	_, fragment, _ := strings.Cut(url, "#")
	return "#" + bounded(fragment, maxFieldBytes)
}

// Validate refuses data that does not fit the type's schema. Its error has CodeInvalid, and its Field is
// the path of what does not fit, such as "data.items[2].price".
func (t *CompiledType) Validate(data []byte) error { return t.ValidateAs("data", data) }

// ValidateAs is Validate with another name for the data in the path.
func (t *CompiledType) ValidateAs(name string, data []byte) error {
	_, err := t.validate(name, data, budgetOf(len(data)))
	if errors.Is(err, errOverBudget) {
		return t.overBudget(name)
	}
	return err
}

func (t *CompiledType) overBudget(name string) error {
	return bellwire.Invalid(name, "takes too many steps to be checked against the schema of event type %q; simplify the schema, "+
		"with fewer anyOf, oneOf and $ref inside of each other, or send less data", t.Name)
}

// validate is ValidateAs with a bound on the steps, and returns how many it took. Its error is errOverBudget if they are not enough.
func (t *CompiledType) validate(name string, data []byte, steps int) (spent int, err error) {
	if t.broken != nil {
		return 0, bellwire.Wrap(bellwire.CodeInternal, t.broken, "the schema of event type %q cannot be used; put the event type again", t.Name)
	}
	if t.checker == nil {
		return 0, nil
	}
	value, fault := decode(data)
	if fault != nil {
		return 0, fault.in(name)
	}
	spent, err = t.checker.check(value, steps)
	if err == nil || errors.Is(err, errOverBudget) {
		return spent, err
	}
	return spent, t.misfit(name, value, err)
}

// misfit returns the error for data that does not fit, from the error of a check.
func (t *CompiledType) misfit(name string, value any, err error) error {
	var wrong *jsonschema.ValidationError
	switch {
	case errors.Is(err, errUnexplained):
		return bellwire.Invalid(name, "does not fit the schema of event type %q", t.Name)
	case !errors.As(err, &wrong):
		return bellwire.Wrap(bellwire.CodeInternal, err, "the data could not be checked against the schema of event type %q", t.Name)
	}
	var errs []error
	for _, f := range explainAll(wrong, name, value) {
		if f.predicate {
			errs = append(errs, bellwire.Invalid(f.path, "%s by the schema of event type %q", f.problem, t.Name))
			continue
		}
		errs = append(errs, bellwire.Invalid(f.path, "does not fit the schema of event type %q: %s", t.Name, f.problem))
	}
	return bellwire.Join(errs...)
}

// maxFaults is the most faults that are reported of one value.
const maxFaults = 5

// fault describes what is wrong with a value, and where.
type fault struct {
	path      string // such as ".items[2]"
	problem   string
	predicate bool // problem is a predicate of path: "is required"
}

func (f *fault) in(root string) error {
	return bellwire.Invalid(bounded(root+f.path, maxFieldBytes), "%s", f.problem)
}

// decode parses one JSON value, with its numbers as text, and refuses values that would be expensive to check.
func decode(data []byte) (any, *fault) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, &fault{problem: "must be valid JSON"}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &fault{problem: "must be one JSON value"}
	}
	return v, findFault(v, 0)
}

func findFault(v any, depth int) *fault {
	if depth > maxDepth {
		return &fault{problem: fmt.Sprintf("must not be nested deeper than %d levels to be checked against a schema", maxDepth)}
	}
	switch v := v.(type) {
	case json.Number:
		if !checkable(string(v)) {
			return &fault{problem: fmt.Sprintf("must not have an exponent beyond ±%d or more than %d characters to be checked against a schema", maxExponent, maxNumber)}
		}
	case []any:
		for i, item := range v {
			if f := findFault(item, depth+1); f != nil {
				f.path = step(v, strconv.Itoa(i)) + f.path
				return f
			}
		}
	case map[string]any:
		for name, item := range v {
			if f := findFault(item, depth+1); f != nil {
				f.path = step(v, name) + f.path
				return f
			}
		}
	}
	return nil
}

func checkable(number string) bool {
	if len(number) > maxNumber {
		return false
	}
	i := strings.IndexAny(number, "eE")
	if i < 0 {
		return true
	}
	exponent, err := strconv.Atoi(number[i+1:])
	return err == nil && exponent >= -maxExponent && exponent <= maxExponent
}

// explainAll returns the faults of a value, at least one.
func explainAll(err *jsonschema.ValidationError, root string, value any) (faults []fault) {
	if len(err.Causes) > 0 && isGroup(err.ErrorKind) {
		for _, cause := range err.Causes {
			if faults = append(faults, explainAll(cause, root, value)...); len(faults) >= maxFaults {
				return faults[:maxFaults]
			}
		}
		return faults
	}
	within := func(names []string, problem string) {
		for _, name := range names[:min(len(names), maxFaults)] {
			location := append(slices.Clip(err.InstanceLocation), name)
			faults = append(faults, fault{bounded(pathOf(root, value, location), maxFieldBytes), problem, true})
		}
	}
	switch k := err.ErrorKind.(type) {
	case *kind.Required:
		within(k.Missing, "is required")
	case *kind.AdditionalProperties:
		within(k.Properties, "is not allowed")
	default:
		field := pathOf(root, value, err.InstanceLocation)
		faults = []fault{{bounded(field, maxFieldBytes), bounded(complain(err, field, root, value), maxComplaint), false}}
	}
	return faults
}

// complain describes the fault of the value at a field.
func complain(err *jsonschema.ValidationError, field, root string, value any) string {
	if len(err.Causes) > 0 && isChoice(err.ErrorKind) {
		return explainChoice(err.Causes, field, root, value)
	}
	return describe(err.ErrorKind)
}

// explainChoice describes why each alternative does not fit, with paths relative to field.
func explainChoice(causes []*jsonschema.ValidationError, field, root string, value any) string {
	var reasons []string
	length := 0
	for _, cause := range causes {
		if length > maxComplaint {
			break // the rest would be cut off
		}
		first := explainAll(cause, root, value)[0]
		at, complaint := first.path, first.problem
		if at = strings.TrimPrefix(strings.TrimPrefix(at, field), "."); at != "" {
			complaint = at + " " + complaint
		}
		reasons = append(reasons, complaint)
		length += len(complaint)
	}
	return "must fit one of the alternatives (" + strings.Join(reasons, "; ") + ")"
}

// isChoice reports whether the kind means that none of several alternatives fits.
func isChoice(k jsonschema.ErrorKind) bool {
	if one, ok := k.(*kind.OneOf); ok {
		return len(one.Subschemas) == 0
	}
	_, ok := k.(*kind.AnyOf)
	return ok
}

// isGroup reports whether the kind only groups its causes.
func isGroup(k jsonschema.ErrorKind) bool {
	switch k.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		return true
	}
	return false
}

// pathOf returns the path from the root to a place in value: ".name" for a field, "[0]" for an item.
func pathOf(root string, value any, tokens []string) string {
	path := root
	for _, token := range tokens {
		path += step(value, token)
		switch v := value.(type) {
		case []any:
			if i, err := strconv.Atoi(token); err == nil && i < len(v) {
				value = v[i]
			}
		case map[string]any:
			value = v[token]
		}
	}
	return path
}

func step(parent any, token string) string {
	if _, isArray := parent.([]any); isArray {
		return "[" + token + "]"
	}
	if token == "" || strings.ContainsAny(token, ".[]\" ") {
		return "[" + strconv.Quote(token) + "]"
	}
	return "." + token
}

// bounded cuts text to at most limit bytes, at a boundary between characters.
func bounded(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
