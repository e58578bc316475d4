package filter

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/suggest"
)

// checkSchemas refuses fields that the schema of an event type does not have, and comparisons that can never be true because of the
// types in the schema. What the filter says about the type of the event is taken into account: data.amount is not looked for in
// card.closed if the filter is type == "card.created" && data.amount > 100.
func checkSchemas(tree *ast.AST, seen []*bellwire.EventType) error {
	var faults []error
	texts := map[string]bool{}
	absent := map[int64]absence{}
	schemas := 0
	for _, t := range seen {
		if len(t.Schema) == 0 {
			continue
		}
		schemas++
		c := &checker{source: source{tree}, eventType: t.Name, schema: newSchema(t.Schema), absent: absent}
		c.check(tree.Expr())
		for _, fault := range c.faults {
			if text := fault.Error(); !texts[text] {
				texts[text] = true
				faults = append(faults, fault)
			}
		}
		if len(faults) >= maxFaults {
			return bellwire.Join(faults[:maxFaults]...)
		}
	}
	for _, missing := range absent {
		if missing.types == len(seen) && len(faults) < maxFaults {
			faults = append(faults, missing.fault)
		}
	}
	slices.SortStableFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return bellwire.Join(faults...)
}

// absence is a field that has() asks for although event types do not have it.
type absence struct {
	types int // that do not have it
	fault error
}

// checker checks an expression against the schema of one event type.
type checker struct {
	source
	eventType string
	schema    *schema
	absent    map[int64]absence // by the expression
	locals    []typedVariable
	faults    []error
}

type typedVariable struct {
	name  string
	shape shape
}

// shape is what is known of the values of an expression.
type shape struct {
	kinds    kinds
	parts    []any // schemas in JSON that one of must hold; nil if any may
	constant *bool // the value, if it is always the same
}

var anything = shape{kinds: anyKind}

func ofKind(k kinds) shape { return shape{kinds: k} }

func (c *checker) refuse(e ast.Expr, format string, args ...any) shape {
	c.faults = append(c.faults, bellwire.Invalid(field, format+" "+c.at(e), args...))
	return anything
}

// check returns the shape of an expression, and reports its faults.
func (c *checker) check(e ast.Expr) shape {
	if known, ok := c.fold(e); ok {
		return shape{kinds: kindsBoolean, constant: &known}
	}
	switch e.Kind() {
	case ast.LiteralKind:
		return ofKind(kindsOfLiteral(e))
	case ast.IdentKind:
		return c.variable(e.AsIdent())
	case ast.SelectKind:
		return c.selection(e)
	case ast.CallKind:
		return c.call(e)
	case ast.ListKind:
		for _, item := range e.AsList().Elements() {
			c.check(item)
		}
		return ofKind(kindsList)
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			c.check(entry.AsMapEntry().Key())
			c.check(entry.AsMapEntry().Value())
		}
		return ofKind(kindsObject)
	case ast.ComprehensionKind:
		return c.comprehension(e)
	}
	return anything
}

func kindsOfLiteral(e ast.Expr) kinds {
	switch e.AsLiteral().(type) {
	case types.Null:
		return kindsNull
	case types.Bool:
		return kindsBoolean
	case types.Int, types.Uint, types.Double:
		return kindsNumber
	case types.String:
		return kindsString
	}
	return anyKind
}

func (c *checker) variable(name string) shape {
	for i := len(c.locals) - 1; i >= 0; i-- {
		if c.locals[i].name == name {
			return c.locals[i].shape
		}
	}
	switch name {
	case varType, varID:
		return ofKind(kindsString)
	case varOccurredAt:
		return ofKind(kindsOther)
	case varData:
		return c.schema.shape([]any{c.schema.root})
	}
	return anything
}

func (c *checker) selection(e ast.Expr) shape {
	s := e.AsSelect()
	operand := c.check(s.Operand())
	member, declared := c.schema.member(operand, s.FieldName())
	switch {
	case operand.kinds&kindsObject == 0:
		return c.refuse(e, "must not use %s, because %s is %s in %s", c.path(e), c.path(s.Operand()), operand.kinds, c.eventType)
	case declared && s.IsTestOnly():
		return ofKind(kindsBoolean)
	case declared:
		return member
	}
	fault := bellwire.Invalid(field, "must not use %s, which does not exist in %s%s %s", c.path(e), c.eventType,
		suggest.DidYouMean(s.FieldName(), c.schema.members(operand)), c.at(e))
	if !s.IsTestOnly() {
		c.faults = append(c.faults, fault)
		return anything
	}
	missing := c.absent[e.ID()]
	if missing.fault == nil {
		missing.fault = fault
	}
	missing.types++
	c.absent[e.ID()] = missing
	return shape{kinds: kindsBoolean, constant: new(false)}
}

// path returns an expression as it is named in messages, without has().
func (c *checker) path(e ast.Expr) string {
	if e.Kind() == ast.SelectKind {
		return bounded(c.path(e.AsSelect().Operand())+"."+e.AsSelect().FieldName(), maxFault)
	}
	return bounded(c.quote(e), maxFault)
}

func (c *checker) call(e ast.Expr) shape {
	call := e.AsCall()
	args := call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd, operators.LogicalOr:
		return c.logical(flatten(name, e, nil), name == operators.LogicalOr)
	case operators.LogicalNot:
		operand := c.check(args[0])
		if operand.constant != nil {
			return shape{kinds: kindsBoolean, constant: new(!*operand.constant)}
		}
		return ofKind(kindsBoolean)
	case operators.Conditional:
		return c.choice(args)
	case operators.Index:
		return c.index(args)
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		c.comparison(e, name, args)
		return ofKind(kindsBoolean)
	case "contains", "startsWith", "endsWith", "matches":
		for _, arg := range args {
			c.require(arg, kindsString, name)
		}
		return ofKind(kindsBoolean)
	case operators.In, operators.OldIn:
		c.check(args[0])
		c.require(args[1], kindsList|kindsObject, "in")
		return ofKind(kindsBoolean)
	}
	for _, arg := range args {
		c.check(arg)
	}
	return anything
}

// logical checks the operands of && or ||, up to the one that always decides.
func (c *checker) logical(operands []ast.Expr, decides bool) shape {
	constant := true
	for _, operand := range operands {
		checked := c.check(operand)
		switch {
		case checked.constant == nil:
			constant = false
		case *checked.constant == decides:
			return checked
		}
	}
	if constant {
		return shape{kinds: kindsBoolean, constant: new(!decides)}
	}
	return ofKind(kindsBoolean)
}

func (c *checker) choice(args []ast.Expr) shape {
	condition := c.check(args[0])
	if condition.constant == nil {
		yes, no := c.check(args[1]), c.check(args[2])
		return ofKind(yes.kinds | no.kinds)
	}
	if *condition.constant {
		return c.check(args[1])
	}
	return c.check(args[2])
}

// index returns the shape of an element of a list. Fields that are named by a text are not checked, so that a filter can use what
// the schema does not declare.
func (c *checker) index(args []ast.Expr) shape {
	operand := c.check(args[0])
	index := c.check(args[1])
	if operand.kinds == kindsList && index.kinds == kindsNumber {
		return c.schema.elements(operand)
	}
	return anything
}

// comparison refuses to compare what can never be equal or ordered. Everything can be compared with null.
func (c *checker) comparison(e ast.Expr, name string, args []ast.Expr) {
	left, right := c.check(args[0]), c.check(args[1])
	if left.kinds&right.kinds != 0 {
		return
	}
	if (name == operators.Equals || name == operators.NotEquals) && (left.kinds == kindsNull || right.kinds == kindsNull) {
		return
	}
	c.refuse(args[0], "must not compare %s with %s, because they are %s and %s in %s",
		c.path(args[0]), c.path(args[1]), left.kinds, right.kinds, c.eventType)
}

// require refuses an argument of a function that is never of one of the kinds.
func (c *checker) require(e ast.Expr, of kinds, function string) {
	if got := c.check(e); got.kinds&of == 0 {
		c.refuse(e, "must not apply %s to %s, which is %s in %s", function, c.path(e), got.kinds, c.eventType)
	}
}

func (c *checker) comprehension(e ast.Expr) shape {
	loop := e.AsComprehension()
	over := c.check(loop.IterRange())
	if over.kinds&(kindsList|kindsObject) == 0 {
		return c.refuse(loop.IterRange(), "must not apply a macro to %s, which is %s in %s", c.path(loop.IterRange()), over.kinds, c.eventType)
	}
	element := anything
	switch over.kinds &^ kindsNull {
	case kindsList:
		element = c.schema.elements(over)
	case kindsObject:
		element = ofKind(kindsString)
	}
	outside := len(c.locals)
	c.locals = append(c.locals, typedVariable{loop.AccuVar(), anything}, typedVariable{loop.IterVar(), element})
	c.check(loop.LoopStep())
	c.locals = c.locals[:outside]
	return anything
}

// fold evaluates a condition that depends on the type of the event alone.
func (c *checker) fold(e ast.Expr) (result, ok bool) {
	if e.Kind() != ast.CallKind || !c.onType(e) {
		return false, false
	}
	b := &builder{source: c.source}
	part := b.node(e)
	if len(b.faults) > 0 {
		return false, false
	}
	ev := Begin(&bellwire.Event{Type: c.eventType})
	defer ev.End()
	_, v := ev.run(&Program{conditions: []condition{{node: part}}})
	return v.isTrue(), v.kind == kindBool
}

// onType reports whether an expression depends on the type of the event and literals alone.
func (c *checker) onType(e ast.Expr) bool {
	switch e.Kind() {
	case ast.LiteralKind:
		return true
	case ast.IdentKind:
		return e.AsIdent() == varType && !slices.ContainsFunc(c.locals, func(v typedVariable) bool { return v.name == varType })
	case ast.ListKind:
		return !slices.ContainsFunc(e.AsList().Elements(), func(item ast.Expr) bool { return !c.onType(item) })
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() && !c.onType(call.Target()) {
			return false
		}
		return !slices.ContainsFunc(call.Args(), func(arg ast.Expr) bool { return !c.onType(arg) })
	}
	return false
}

// kinds are the types of JSON that a value may have.
type kinds uint8

const (
	kindsNull kinds = 1 << iota
	kindsBoolean
	kindsNumber
	kindsString
	kindsList
	kindsObject
	kindsOther // timestamps, durations and types

	anyKind kinds = 1<<iota - 1
)

// String names the kinds in messages: "a string or null".
func (k kinds) String() string {
	names := []string{"null", "a boolean", "a number", "a string", "a list", "an object", "a timestamp, a duration or a type"}
	var has []string
	for i, name := range names {
		if k&(1<<i) != 0 {
			has = append(has, name)
		}
	}
	if len(has) == 0 {
		return "nothing"
	}
	return strings.Join(has, " or ")
}

var kindsByName = map[string]kinds{
	"null": kindsNull, "boolean": kindsBoolean, "number": kindsNumber, "integer": kindsNumber, "string": kindsString,
	"array": kindsList, "object": kindsObject,
}

// schema is the JSON Schema of an event type. It is read only as far as it says which fields there are and of which types; what it
// does not say, or says in another way, is allowed.
type schema struct {
	root any
}

func newSchema(text []byte) *schema {
	s := new(schema)
	if err := json.Unmarshal(text, &s.root); err != nil {
		s.root = true
	}
	return s
}

// Bounds on the parts of a schema that apply to one value, and on how deep they are nested.
const (
	maxParts  = 200
	maxNested = 20
)

// parts returns the schemas that apply to the same values as the given ones, or some of them. open is true if others might too.
func (s *schema) parts(of []any) (parts []map[string]any, open bool) {
	queue := slices.Clone(of)
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		part, ok := next.(map[string]any)
		if !ok || len(parts) == maxParts {
			open = true
			continue
		}
		if slices.ContainsFunc(parts, func(other map[string]any) bool { return same(other, part) }) {
			continue
		}
		parts = append(parts, part)
		for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
			list, _ := part[keyword].([]any)
			queue = append(queue, list...)
		}
		for _, keyword := range []string{"if", "then", "else"} {
			if sub, given := part[keyword]; given && sub != true {
				queue = append(queue, sub)
			}
		}
		if dependent, ok := part["dependentSchemas"].(map[string]any); ok {
			for _, sub := range dependent {
				queue = append(queue, sub)
			}
		}
		if ref, given := part["$ref"]; given {
			queue = append(queue, s.resolve(ref))
		}
		if part["$dynamicRef"] != nil || part["$recursiveRef"] != nil {
			open = true
		}
	}
	return parts, open
}

// same reports whether two maps are one.
func same(a, b map[string]any) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// resolve returns the schema that a reference within the document refers to, or true, which allows everything.
func (s *schema) resolve(ref any) any {
	pointer, ok := ref.(string)
	if !ok || pointer != "#" && !strings.HasPrefix(pointer, "#/") {
		return true
	}
	at := s.root
	for step := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(pointer, "#"), "/"), "/") {
		if pointer == "#" {
			break
		}
		object, ok := at.(map[string]any)
		if !ok {
			return true
		}
		if at, ok = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]; !ok {
			return true
		}
	}
	return at
}

// shape returns the shape of values to which the schemas apply.
func (s *schema) shape(of []any) shape {
	var all kinds
	for _, one := range of {
		all |= s.kinds(one, maxNested)
	}
	return shape{kinds: all, parts: of}
}

// kinds returns which types the values of a schema may have.
func (s *schema) kinds(of any, depth int) kinds {
	part, ok := of.(map[string]any)
	if !ok || depth == 0 {
		return anyKind &^ kindsOther
	}
	may := anyKind &^ kindsOther
	switch named := part["type"].(type) {
	case string:
		may &= kindsByName[named]
	case []any:
		may &= kindsNamed(named)
	}
	if values, ok := part["enum"].([]any); ok {
		may &= kindsOfValues(values...)
	}
	if value, given := part["const"]; given {
		may &= kindsOfValues(value)
	}
	if ref, given := part["$ref"]; given {
		may &= s.kinds(s.resolve(ref), depth-1)
	}
	if list, ok := part["allOf"].([]any); ok {
		for _, sub := range list {
			may &= s.kinds(sub, depth-1)
		}
	}
	for _, keyword := range []string{"anyOf", "oneOf"} {
		list, ok := part[keyword].([]any)
		if !ok {
			continue
		}
		var one kinds
		for _, sub := range list {
			one |= s.kinds(sub, depth-1)
		}
		may &= one
	}
	return may
}

func kindsNamed(names []any) (may kinds) {
	for _, name := range names {
		text, _ := name.(string)
		may |= kindsByName[text]
	}
	return may
}

func kindsOfValues(values ...any) (may kinds) {
	for _, value := range values {
		switch value.(type) {
		case nil:
			may |= kindsNull
		case bool:
			may |= kindsBoolean
		case float64:
			may |= kindsNumber
		case string:
			may |= kindsString
		case []any:
			may |= kindsList
		case map[string]any:
			may |= kindsObject
		}
	}
	return may
}

// member returns the shape of a field, and whether the schemas allow to ask for it: they declare it, or are silent about fields.
func (s *schema) member(of shape, name string) (member shape, declared bool) {
	if of.parts == nil {
		return anything, true
	}
	parts, open := s.parts(of.parts)
	var found []any
	silent := true
	for _, part := range parts {
		properties, ok := part["properties"].(map[string]any)
		if ok {
			silent = false
			if sub, given := properties[name]; given {
				found = append(found, sub)
			}
		}
		if patterns, ok := part["patternProperties"].(map[string]any); ok && len(patterns) > 0 {
			open = true
		}
		for _, keyword := range []string{"additionalProperties", "unevaluatedProperties"} {
			switch rest, given := part[keyword]; {
			case given && rest == false:
				silent = false
			case given:
				open = true
			}
		}
	}
	switch {
	case open || silent:
		if len(found) == 1 && !open {
			return s.shape(found), true
		}
		return anything, true
	case len(found) == 0:
		return anything, false
	}
	return s.shape(found), true
}

// members returns the names of the fields that the schemas declare.
func (s *schema) members(of shape) []string {
	parts, _ := s.parts(of.parts)
	var names []string
	for _, part := range parts {
		properties, _ := part["properties"].(map[string]any)
		for name := range properties {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// elements returns the shape of the elements of a list.
func (s *schema) elements(of shape) shape {
	if of.parts == nil {
		return anything
	}
	parts, open := s.parts(of.parts)
	var found []any
	for _, part := range parts {
		if _, given := part["prefixItems"]; given {
			open = true
		}
		if items, given := part["items"]; given {
			found = append(found, items)
		}
	}
	if open || len(found) == 0 {
		return anything
	}
	return s.shape(found)
}
