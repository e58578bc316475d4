package filter

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// field is the field that errors are about.
const field = "filter"

// environment is what expressions are parsed and checked in. It is safe for concurrent use.
var environment = sync.OnceValue(func() *cel.Env {
	env, err := cel.NewEnv(
		cel.Variable(varType, cel.StringType),
		cel.Variable(varData, cel.DynType),
		cel.Variable(varID, cel.StringType),
		cel.Variable(varOccurredAt, cel.TimestampType),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableMacroCallTracking(),
		cel.EnableIdentifierEscapeSyntax(), // data.`content-type`
		cel.ParserExpressionSizeLimit(limits.FilterBytes),
		cel.ParserRecursionLimit(limits.FilterDepth),
		cel.ExpressionNodeLimit(limits.FilterNodes),
		cel.ExpressionNestingDepthLimit(limits.FilterDepth),
	)
	if err != nil {
		panic(err) // unreachable: the declarations are constants
	}
	return env
})

// Compile compiles a filter without checking its types, which New has done before it was stored. Its error has CodeInvalid.
func Compile(text string) (*Program, error) {
	parsed, err := parse(text)
	if err != nil {
		return nil, err
	}
	return build(text, parsed)
}

// New compiles a filter and checks its types: those that the expression shows by itself, and those of the data in the schemas of the
// event types that it will see. Its error has CodeInvalid and names every fault with its position.
func New(text string, seen []*bellwire.EventType) (*Program, error) {
	parsed, err := parse(text)
	if err != nil {
		return nil, err
	}
	p, err := build(text, parsed)
	if err != nil {
		return nil, err
	}
	checked, issues := environment().Check(parsed)
	if issues.Err() != nil {
		return nil, issuesError(issues)
	}
	switch kind := checked.OutputType(); {
	case kind.IsExactType(cel.BoolType) || kind.IsExactType(cel.DynType):
	default:
		return nil, bellwire.Invalid(field, "must be true or false, such as data.amount > 100, but is of the type %s", kind)
	}
	return p, checkSchemas(parsed.NativeRep(), seen)
}

func parse(text string) (*cel.Ast, error) { return parseIn(environment(), text) }

func parseIn(env *cel.Env, text string) (*cel.Ast, error) {
	switch {
	case len(text) > limits.FilterBytes:
		return nil, bellwire.Invalid(field, "must have at most %s bytes, but has %s", bellwire.Number(limits.FilterBytes), bellwire.Number(len(text)))
	case strings.TrimSpace(text) == "":
		return nil, bellwire.Invalid(field, "must not be blank; leave it out, or give null, for no filter")
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return nil, bellwire.Invalid(field, "must be UTF-8 text without NUL")
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, issuesError(issues)
	}
	return parsed, nil
}

// maxFaults is the most faults of a filter that are reported, and maxFault how long the parser's text of one may be.
const (
	maxFaults = 5
	maxFault  = 200
)

func issuesError(issues *cel.Issues) error {
	var faults []error
	for _, issue := range issues.Errors() {
		if len(faults) == maxFaults {
			break
		}
		message := plain(issue.Message)
		if issue.Location.Line() < 1 {
			faults = append(faults, bellwire.Invalid(field, "cannot be used: %s", bounded(message, maxFault)))
			continue
		}
		faults = append(faults, bellwire.Invalid(field, "cannot be used: %s (line %d, column %d)", bounded(message, maxFault), issue.Location.Line(), issue.Location.Column()+1))
	}
	return bellwire.Join(faults...)
}

// parserWords are plain words for those of the parser.
var parserWords = strings.NewReplacer(
	"Syntax error: ", "", "mismatched input '<EOF>'", "it ends too early", "extraneous input ", "unexpected ", "mismatched input ", "unexpected ",
	"no viable alternative at input ", "unexpected end of ", "token recognition error at: ", "unexpected ", "missing ", "lacks ",
	"at '<EOF>'", "at its end", " expecting ", ", expected ",
)

// plain returns what the parser says of a fault in plain words, without the list of everything that could be there.
func plain(message string) string {
	message, _, _ = strings.Cut(strings.Join(strings.Fields(message), " "), " expecting {")
	return parserWords.Replace(message)
}

// bounded cuts text to at most limit bytes, at a boundary between characters.
func bounded(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// source locates and quotes parts of an expression.
type source struct{ tree *ast.AST }

// at returns the position of a part in messages: "(line 1, column 6)".
func (s source) at(e ast.Expr) string {
	e = start(e)
	location := s.tree.SourceInfo().GetStartLocation(e.ID())
	return fmt.Sprintf("(line %d, column %d)", max(1, location.Line()), max(0, location.Column())+1)
}

// start returns the part that an expression begins with: a selection is located at its point, and an index at its bracket.
func start(e ast.Expr) ast.Expr {
	switch {
	case e.Kind() == ast.SelectKind:
		return start(e.AsSelect().Operand())
	case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Index:
		return start(e.AsCall().Args()[0])
	}
	return e
}

// quote returns a part of the expression as text.
func (s source) quote(e ast.Expr) string {
	text, err := parser.Unparse(e, s.tree.SourceInfo())
	if err != nil {
		return "the expression"
	}
	return strings.Join(strings.Fields(text), " ")
}

// maxCondition is how much of a condition's text is shown.
const maxCondition = 500

// flatten returns the operands of a chain of an operator.
func flatten(operator string, e ast.Expr, to []ast.Expr) []ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operator {
		return append(to, e)
	}
	for _, arg := range e.AsCall().Args() {
		to = flatten(operator, arg, to)
	}
	return to
}

// nodeBytes is the memory of a node, estimated.
const nodeBytes = 160

// instructionBytes is the memory of an instruction of a regular expression, in all of its compiled forms, estimated.
const instructionBytes = 200

// builder makes nodes of an expression.
type builder struct {
	source
	bytes        int
	instructions int // of regular expressions
	converter    bool
	locals       []scope
	slots        int
	faults       []error
}

// scope is a variable of a comprehension that is being built.
type scope struct {
	name   string
	slot   int
	result bool // it collects the result
}

func build(text string, parsed *cel.Ast) (*Program, error) {
	b := &builder{source: source{parsed.NativeRep()}}
	p := &Program{text: text}
	for _, part := range flatten(operators.LogicalAnd, b.tree.Expr(), nil) {
		p.conditions = append(p.conditions, b.condition(part))
	}
	if len(b.faults) > 0 {
		return nil, bellwire.Join(b.faults[:min(len(b.faults), maxFaults)]...)
	}
	p.bytes = len(text) + b.bytes
	return p, nil
}

// condition compiles a condition, with its text for explanations: many events are explained with one filter, and to parse it for each
// would take longer than to evaluate it.
func (b *builder) condition(of ast.Expr) condition {
	quoted := strings.Clone(bounded(b.quote(of), maxCondition))
	b.bytes += len(quoted)
	return condition{node: b.node(of), text: quoted}
}

func (b *builder) refuse(e ast.Expr, format string, args ...any) node {
	b.faults = append(b.faults, bellwire.Invalid(field, format+" "+b.at(e), args...))
	return &literal{valueFalse}
}

func (b *builder) node(e ast.Expr) node {
	b.bytes += nodeBytes
	switch e.Kind() {
	case ast.LiteralKind:
		return b.literal(e)
	case ast.IdentKind:
		return b.variable(e)
	case ast.SelectKind:
		return b.selection(e)
	case ast.CallKind:
		return b.call(e)
	case ast.ListKind:
		return b.list(e)
	case ast.MapKind:
		return b.mapping(e)
	case ast.ComprehensionKind:
		return b.comprehension(e)
	}
	return b.refuse(e, "must not make messages")
}

func (b *builder) literal(e ast.Expr) node {
	switch v := e.AsLiteral().(type) {
	case types.Null:
		return &literal{valueNull}
	case types.Bool:
		return &literal{boolValue(bool(v))}
	case types.Int:
		n := intValue(int64(v))
		n.text = toText(n).text
		return &literal{n}
	case types.Uint:
		n := uintValue(uint64(v))
		n.text = toText(n).text
		return &literal{n}
	case types.Double:
		n := doubleValue(float64(v))
		n.text = toText(n).text
		return &literal{n}
	case types.String:
		b.bytes += len(v)
		return &literal{stringValue(string(v))}
	}
	return b.refuse(e, "must not use bytes")
}

// typeNames are the types that an expression can compare a type with.
var typeNames = []string{"null_type", "bool", "int", "uint", "double", "string", "list", "map"}

func (b *builder) variable(e ast.Expr) node {
	name := e.AsIdent()
	for i := len(b.locals) - 1; i >= 0; i-- {
		if b.locals[i].name == name {
			return &local{b.locals[i].slot}
		}
	}
	switch name {
	case varType:
		return typeVariable{}
	case varData:
		return dataVariable{}
	case varID:
		return idVariable{}
	case varOccurredAt:
		return occurredAtVariable{}
	}
	for _, known := range typeNames {
		if known == name {
			return &literal{typeValue(name)}
		}
	}
	return b.refuse(e, "must not use %.64q, which is not a variable; the variables are %s", name, strings.Join(Variables, ", "))
}

func (b *builder) selection(e ast.Expr) node {
	s := e.AsSelect()
	operand := b.node(s.Operand())
	_, ofData := operand.(dataVariable)
	path := b.path(s.Operand()) + "." + s.FieldName()
	b.bytes += len(path)
	return &selection{operand: operand, ofData: ofData, name: s.FieldName(), path: path, test: s.IsTestOnly()}
}

// path returns how an expression is called in messages.
func (b *builder) path(e ast.Expr) string {
	return bounded(b.quote(e), maxFault)
}

func (b *builder) list(e ast.Expr) node {
	n := new(listing)
	constant := true
	for _, item := range e.AsList().Elements() {
		made := b.node(item)
		_, isLiteral := made.(*literal)
		constant = constant && isLiteral
		n.items = append(n.items, made)
	}
	if !constant {
		return n
	}
	var items []value
	for _, item := range n.items {
		items = append(items, item.(*literal).value)
	}
	return &literal{listValue(items)}
}

func (b *builder) mapping(e ast.Expr) node {
	n := new(mapping)
	for _, entry := range e.AsMap().Entries() {
		n.keys = append(n.keys, b.node(entry.AsMapEntry().Key()))
		n.values = append(n.values, b.node(entry.AsMapEntry().Value()))
	}
	return n
}

func (b *builder) comprehension(e ast.Expr) node {
	c := e.AsComprehension()
	if c.HasIterVar2() {
		return b.refuse(e, "must not use macros with two variables")
	}
	n := &comprehension{over: b.node(c.IterRange()), macro: b.macro(e)}
	n.start = b.node(c.AccuInit())
	outside, slots := len(b.locals), b.slots
	n.slot, n.result = b.slots, b.slots+1
	b.slots += 2
	b.locals = append(b.locals, scope{name: c.AccuVar(), slot: n.result, result: true})
	b.locals = append(b.locals, scope{name: c.IterVar(), slot: n.slot})
	n.condition = b.node(c.LoopCondition())
	n.step = b.node(c.LoopStep())
	n.end = b.node(c.Result())
	b.locals, b.slots = b.locals[:outside], slots
	return n
}

// macro returns the name of the macro that a comprehension stands for.
func (b *builder) macro(e ast.Expr) string {
	if called, ok := b.tree.SourceInfo().GetMacroCall(e.ID()); ok && called.Kind() == ast.CallKind {
		return called.AsCall().FunctionName()
	}
	return "the macro"
}

func (b *builder) call(e ast.Expr) node {
	c := e.AsCall()
	args := c.Args()
	if c.IsMemberFunction() {
		args = append([]ast.Expr{c.Target()}, args...)
	}
	name := c.FunctionName()
	switch name {
	case operators.LogicalAnd:
		return &conjunction{b.nodes(flatten(name, e, nil))}
	case operators.LogicalOr:
		return &disjunction{b.nodes(flatten(name, e, nil))}
	case "matches":
		return b.matches(e, args)
	}
	if _, known := partsOfTime[name]; known {
		return b.partOfTime(e, name, args)
	}
	if name == operators.Add && b.collects(args) {
		return &appending{b.node(args[0]), b.node(args[1].AsList().Elements()[0])}
	}
	nodes := b.nodes(args)
	if n := operation(name, nodes); n != nil {
		if at, ok := n.(*indexed); ok {
			at.path = b.path(e)
			b.bytes += len(at.path)
		}
		return n
	}
	do := functions[name]
	if do == nil && b.converter {
		do = converterFunctions[name]
	}
	switch {
	case do == nil:
		return b.refuse(e, "must not use %.64q, which is not a known function", name)
	case len(nodes) == 1:
		return &call{args: [2]node{nodes[0], nil}, do: do}
	case len(nodes) == 2:
		return &call{args: [2]node{nodes[0], nodes[1]}, do: do}
	}
	return b.refuse(e, "must not give %d arguments to %s", len(nodes), name)
}

func (b *builder) nodes(of []ast.Expr) []node {
	nodes := make([]node, len(of))
	for i, e := range of {
		nodes[i] = b.node(e)
	}
	return nodes
}

// operation returns the node of an operator that is not a function of its operands alone, or nil if it is none.
func operation(name string, args []node) node {
	switch len(args) {
	case 1:
		switch name {
		case operators.LogicalNot:
			return &negation{args[0]}
		case operators.NotStrictlyFalse:
			return &notFalse{args[0]}
		}
	case 2:
		return binary(name, args[0], args[1])
	case 3:
		if name == operators.Conditional {
			return &choice{args[0], args[1], args[2]}
		}
	}
	return nil
}

func binary(name string, a, b node) node {
	switch name {
	case operators.Equals:
		return &equality{left: a, right: b}
	case operators.NotEquals:
		return &equality{left: a, right: b, differ: true}
	case operators.Less:
		return &comparison{left: a, right: b, operator: "<", less: true}
	case operators.LessEquals:
		return &comparison{left: a, right: b, operator: "<=", less: true, same: true}
	case operators.Greater:
		return &comparison{left: a, right: b, operator: ">", more: true}
	case operators.GreaterEquals:
		return &comparison{left: a, right: b, operator: ">=", same: true, more: true}
	case operators.In, operators.OldIn:
		return &membership{a, b}
	case operators.Index:
		return &indexed{operand: a, index: b}
	}
	return nil
}

// collects reports whether the operands of + are the list that a comprehension collects and one more item.
func (b *builder) collects(args []ast.Expr) bool {
	if len(args) != 2 || args[0].Kind() != ast.IdentKind || args[1].Kind() != ast.ListKind || args[1].AsList().Size() != 1 {
		return false
	}
	for i := len(b.locals) - 1; i >= 0; i-- {
		if b.locals[i].name == args[0].AsIdent() {
			return b.locals[i].result
		}
	}
	return false
}

// text returns a literal argument.
func text(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

func (b *builder) matches(e ast.Expr, args []ast.Expr) node {
	if len(args) != 2 {
		return b.refuse(e, "must give one pattern to matches")
	}
	pattern, ok := text(args[1])
	if !ok {
		return b.refuse(args[1], "must give the pattern of matches as text, not as an expression")
	}
	do, instructions, err := matching(pattern)
	switch {
	case err != nil:
		return b.refuse(args[1], "has a pattern that is not a regular expression of RE2: %s", bounded(err.Error(), maxFault))
	case b.instructions+instructions > limits.FilterInstructions:
		return b.refuse(args[1], "must not have patterns as large as this; use fewer repetitions")
	}
	b.instructions += instructions
	b.bytes += instructions * instructionBytes
	return &call{args: [2]node{b.node(args[0]), nil}, do: do}
}

func (b *builder) partOfTime(e ast.Expr, name string, args []ast.Expr) node {
	zone := "UTC"
	if len(args) == 2 {
		given, ok := text(args[1])
		if !ok {
			return b.refuse(args[1], "must give the time zone of %s as text, not as an expression", name)
		}
		zone = given
	}
	location, err := zoneOf(zone)
	if err != nil || len(args) < 1 || len(args) > 2 {
		return b.refuse(e, "must give a time zone to %s such as Europe/Berlin or +02:00", name)
	}
	return &call{args: [2]node{b.node(args[0]), nil}, do: partOfTime(name, location)}
}
