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

// The budget of a check, in steps. A step is one schema applied to one value, or work that costs about as much: less than a
// microsecond. A check that exceeds its budget is given up and refused.
const (
	baseSteps    = 100_000
	stepsPerByte = 4 // of the data
	// explainSteps bounds the search for what is wrong, whose findings are kept in memory until the end.
	explainSteps = 50_000
	// maxExpansion is the most schemas that may be applied to one value.
	maxExpansion = 10_000
	// maxSchemas is the most schemas that one may consist of: the cost of compiling grows with their square.
	maxSchemas = 5000
)

// budgetOf returns how many steps the check of data of the given size may take.
func budgetOf(bytes int) int { return baseSteps + stepsPerByte*bytes }

// overBudget is the value of a meter's panic, which unwinds the schema library.
type overBudget struct{}

// meter counts the steps of one check.
type meter struct{ left int }

func (m *meter) spend(steps int) {
	m.left -= steps
	if m.left < 0 {
		panic(overBudget{})
	}
}

// evaluator is a compiled schema that counts its steps. It is not safe for concurrent use.
type evaluator struct {
	schema  *jsonschema.Schema
	refuter *jsonschema.Schema // {"not": schema}: checking it does not collect faults
	meter   meter
	// tracks is true for schemas with unevaluatedItems or unevaluatedProperties, for which the library lists the fields of every value.
	tracks  bool
	schemas int // that the schema consists of
	widest  int // how many of them are applied to one value, at most
}

var (
	// errOverBudget reports that a check was given up because it would take too many steps.
	errOverBudget = errors.New("too many steps")
	// errUnexplained reports that a value does not fit, and that finding out why would take too many steps.
	errUnexplained = errors.New("the value does not fit")
)

// check returns nil if the value fits, and how many steps that took. Otherwise err is errOverBudget, errUnexplained, or a
// *jsonschema.ValidationError that describes what does not fit.
func (e *evaluator) check(value any, steps int) (spent int, err error) {
	refuted, err := e.run(e.refuter, value, steps)
	spent = steps - e.meter.left
	if err != nil || refuted != nil {
		return spent, err
	}
	wrong, err := e.run(e.schema, value, explainSteps)
	spent += explainSteps - e.meter.left
	if err != nil {
		return spent, errUnexplained
	}
	return spent, wrong
}

// run applies a schema to a value. wrong is the schema's verdict, and err is errOverBudget or nil.
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

// instrument makes the schemas count their steps, and replaces the library's slow checks. The steps are counted in the format,
// because the library checks it before the rest of a schema.
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

// cost is the steps of applying a schema: a fixed number, and one for each field or item of the value.
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

// counted is a regular expression that counts its steps, which grow with its own size and that of the text.
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

// mismatch passes the finding of our own check through the library's check of formats.
type mismatch struct{ jsonschema.ErrorKind }

func (m *mismatch) Error() string { return "it is not one of the values" }

// LocalizedString implements jsonschema.ErrorKind.
func (m *mismatch) LocalizedString(p *message.Printer) string { return m.ErrorKind.LocalizedString(p) }

// checker checks data against one schema. It is safe for concurrent use: it has up to one evaluator for each processor. All but
// the first are compiled when they are first needed.
type checker struct {
	compile func() (*evaluator, error)
	idle    chan *evaluator
	unmade  chan struct{} // one token for each evaluator that is not compiled yet
	// as in evaluator
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

// check is evaluator.check.
func (c *checker) check(value any, steps int) (spent int, err error) {
	e, err := c.take()
	if err != nil {
		return 0, err
	}
	defer func() { c.idle <- e }()
	return e.check(value, steps)
}

// take waits for an idle evaluator, or compiles one.
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
