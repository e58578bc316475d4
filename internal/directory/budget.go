package directory

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"runtime"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/message"
)

// The budget of a check, in steps. A step is one schema that is applied to one value, or work that costs about as much:
// less than a microsecond. What would take more steps is refused, and costs no more than the budget.
const (
	baseSteps    = 100_000
	stepsPerByte = 4 // of the data
	// explainSteps are those that finding out what is wrong may take: what is found is kept until the end.
	explainSteps = 50_000
	// maxExpansion is how many schemas may be applied to one and the same value.
	maxExpansion = 10_000
	// maxSchemas is how many a schema may consist of: what compiling it costs grows with their square.
	maxSchemas = 5000
)

// budgetOf returns how many steps the check of so many bytes may take.
func budgetOf(bytes int) int { return baseSteps + stepsPerByte*bytes }

// overBudget is what a meter panics with, to get out of the schema library.
type overBudget struct{}

// meter counts the steps of one check.
type meter struct{ left int }

func (m *meter) spend(steps int) {
	m.left -= steps
	if m.left < 0 {
		panic(overBudget{})
	}
}

// evaluator is a compiled schema whose steps are counted. It makes one check at a time.
type evaluator struct {
	schema  *jsonschema.Schema
	refuter *jsonschema.Schema // {"not": schema}: it is checked without keeping what is wrong
	meter   meter
	// tracks: the schema has unevaluatedItems or unevaluatedProperties, for which the members of every value are listed.
	tracks  bool
	schemas int // that the schema consists of
	widest  int // how many of them are applied to one value, at most
}

// errOverBudget says that a check was given up because it would take too many steps.
var errOverBudget = errors.New("too many steps")

// check reports whether the value fits, and how many steps that took. err is an errOverBudget, a
// *jsonschema.ValidationError that says what does not fit, or nil: finding that out would take too long.
func (e *evaluator) check(value any, steps int) (fits bool, spent int, err error) {
	refuted, err := e.run(e.refuter, value, steps)
	spent = steps - e.meter.left
	if err != nil || refuted != nil {
		return refuted != nil, spent, err
	}
	wrong, err := e.run(e.schema, value, explainSteps)
	spent += explainSteps - e.meter.left
	if err != nil {
		return false, spent, nil
	}
	return false, spent, wrong
}

// run returns what the schema says, or an errOverBudget.
func (e *evaluator) run(schema *jsonschema.Schema, value any, steps int) (wrong, err error) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case overBudget{}:
			err = errOverBudget
		default:
			panic(r)
		}
	}()
	e.meter.left = steps
	return schema.Validate(value), nil
}

// instrument makes the schemas count what they cost, and replaces the library's slow checks. A schema is asked for its
// format before it is applied, so this is where it counts.
func (e *evaluator) instrument(schemas []*jsonschema.Schema) {
	for _, s := range schemas {
		e.tracks = e.tracks || s.UnevaluatedItems != nil || s.UnevaluatedProperties != nil
	}
	for _, s := range schemas {
		format := &jsonschema.Format{}
		var inner func(any) error
		if s.Format != nil {
			format.Name, inner = s.Format.Name, s.Format.Validate
		}
		allowed := newEnumeration(s.Enum)
		s.Enum = nil
		cost := costOf(s)
		format.Validate = func(v any) error {
			e.meter.spend(cost.of(v, e.tracks))
			if allowed != nil && !allowed.has(v, &e.meter) {
				return &mismatch{&kind.Enum{Got: v, Want: allowed.values}}
			}
			if inner != nil {
				return inner(v)
			}
			return nil
		}
		s.Format = format
		if s.UniqueItems {
			s.UniqueItems = false
			s.Extensions = append(s.Extensions, unique{&e.meter})
		}
	}
}

// cost is what a schema's application costs: fixed, and for each member or item of the value.
type cost struct{ fixed, member, item int }

func costOf(s *jsonschema.Schema) cost {
	listed := len(s.Required) + len(s.Dependencies) + len(s.DependentRequired)
	for _, names := range s.DependentRequired {
		listed += len(names)
	}
	for _, d := range s.Dependencies {
		if names, ok := d.([]string); ok {
			listed += len(names)
		}
	}
	c := cost{fixed: 1 + listed/16}
	for range onSame(s) {
		c.fixed++
	}
	if s.Const != nil {
		c.fixed += size(*s.Const) / 16
	}
	c.member = 1 + len(s.PatternProperties) + present(s.PropertyNames) + present(s.UnevaluatedProperties)
	c.item = 1 + present(s.Contains) + present(s.UnevaluatedItems)
	return c
}

func present(s *jsonschema.Schema) int {
	if s == nil {
		return 0
	}
	return 1
}

func (c cost) of(v any, tracks bool) int {
	switch v := v.(type) {
	case map[string]any:
		if tracks {
			return c.fixed + (c.member+1)*len(v)
		}
		return c.fixed + c.member*len(v)
	case []any:
		if tracks {
			return c.fixed + (c.item+1)*len(v)
		}
		return c.fixed + c.item*len(v)
	case string:
		return c.fixed + len(v)/64
	}
	return c.fixed
}

// counted is a regular expression that counts what it costs, which grows with its own size and that of the text.
type counted struct {
	*regexp.Regexp
	instructions int
	meter        *meter
}

func (c counted) MatchString(s string) bool {
	c.meter.spend(1 + len(s)*c.instructions/64)
	return c.Regexp.MatchString(s)
}

// compileRegexp is the evaluator's jsonschema.RegexpEngine.
func (e *evaluator) compileRegexp(text string) (jsonschema.Regexp, error) {
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	return counted{compiled, len(program.Inst), &e.meter}, nil
}

// mismatch carries what a check of ours found through the library's check of formats.
type mismatch struct{ jsonschema.ErrorKind }

func (m *mismatch) Error() string { return "it is not one of the values" }

// LocalizedString is the library's way to ask an error for its text.
func (m *mismatch) LocalizedString(p *message.Printer) string { return m.ErrorKind.LocalizedString(p) }

// checker checks data against one schema. As an evaluator makes one check at a time, there are as many as there are
// processors to use them; all but the first are made when they are first needed.
type checker struct {
	compile func() (*evaluator, error)
	idle    chan *evaluator
	unmade  chan struct{}
	// The schema's extent, as the evaluator has it.
	schemas, widest int
}

func newChecker(first *evaluator, compile func() (*evaluator, error)) *checker {
	n := runtime.GOMAXPROCS(0)
	c := &checker{
		compile: compile, idle: make(chan *evaluator, n), unmade: make(chan struct{}, n), schemas: first.schemas, widest: first.widest,
	}
	c.idle <- first
	for range n - 1 {
		c.unmade <- struct{}{}
	}
	return c
}

func (c *checker) check(value any, steps int) (fits bool, spent int, err error) {
	e, err := c.take()
	if err != nil {
		return false, 0, err
	}
	defer func() { c.idle <- e }()
	return e.check(value, steps)
}

func (c *checker) take() (*evaluator, error) {
	select {
	case e := <-c.idle:
		return e, nil
	default:
	}
	select {
	case e := <-c.idle:
		return e, nil
	case <-c.unmade:
	}
	e, err := c.compile()
	if err != nil {
		c.unmade <- struct{}{}
	}
	return e, err
}
