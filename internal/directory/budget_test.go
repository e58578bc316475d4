package directory

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// doubling is a schema of few bytes that applies 2 to the power of levels schemas to one value.
func doubling(levels int, keyword string) string {
	var defs []string
	for i := range levels {
		defs = append(defs, fmt.Sprintf(`"d%d": {%q: [{"$ref": "#/$defs/d%d"}, {"$ref": "#/$defs/d%d"}]}`, i, keyword, i+1, i+1))
	}
	defs = append(defs, fmt.Sprintf(`"d%d": {"type": "string"}`, levels))
	return `{"$ref": "#/$defs/d0", "$defs": {` + strings.Join(defs, ", ") + `}}`
}

func properties(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"p%d": {"minLength": 1}`, i)
	}
	return `{"properties": {` + strings.Join(members, ", ") + `}}`
}

func compileType(t *testing.T, schema string) *CompiledType {
	t.Helper()
	c, err := CompileType(&bellwire.EventType{Name: "order.created", Schema: []byte(schema)})
	if err != nil {
		t.Fatalf("%.100s: %v", schema, err)
	}
	return c
}

func TestCostlySchemasAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, schema string
		refused      bool
	}{
		{"anyOf", doubling(20, "anyOf"), true},
		{"oneOf", doubling(20, "oneOf"), true},
		{"allOf", doubling(20, "allOf"), true},
		{"below a property", `{"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": ` + strings.ReplaceAll(doubling(20, "anyOf"), "#/$defs", "#/$defs/x/$defs") + `}}`, true},
		{"a few levels", doubling(5, "anyOf"), false},
		{"one union of many", `{"oneOf": [` + strings.Repeat(`{"$ref": "#/$defs/a"}, `, 500) + `true], "$defs": {"a": {"allOf": [{"type": "object"}, {"required": ["a"]}]}}}`, false},
		{"a tree", `{"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}`, false},
		{"a schema of schemas", `{"$ref": "https://json-schema.org/draft/2020-12/schema"}`, false},
		{"many properties", properties(2000), false},
		{"too many properties", properties(5001), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := compileType(t, c.schema).CheckCost()
			if (err != nil) != c.refused || err != nil && bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
}

// TestLoopsAreRefused: a schema that applies itself to its own value matches nothing, and the library spends more on it
// than steps can count.
func TestLoopsAreRefused(t *testing.T) {
	t.Parallel()
	for schema, refused := range map[string]bool{
		`{"$ref": "#"}`: true,
		`{"anyOf": [{"type": "string"}, {"$ref": "#"}]}`: true,
		`{"not": {"$ref": "#"}}`:                         true,
		`{"$ref": "#/$defs/a", "$defs": {"a": {"if": {"$ref": "#/$defs/b"}}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}}`:            true,
		`{"$dynamicAnchor": "n", "oneOf": [{"$dynamicRef": "#n"}]}`:                                                                true,
		`{"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveAnchor": true, "anyOf": [{"$recursiveRef": "#"}]}`: true,
		`{"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": {"$ref": "#"}}}`:                             true,
		`{"items": {"$ref": "#"}}`: false,
		`{"anyOf": [{"items": {"$ref": "#"}}, {"properties": {"a": {"$ref": "#"}}}]}`: false,
		`{"$dynamicAnchor": "n", "additionalProperties": {"$dynamicRef": "#n"}}`:      false,
		`{"$ref": "https://json-schema.org/draft/2019-09/schema"}`:                    false,
		`{"$ref": "http://json-schema.org/draft-07/schema#"}`:                         false,
	} {
		t.Run(schema, func(t *testing.T) {
			_, err := CompileType(&bellwire.EventType{Name: "x", Schema: []byte(schema)})
			if (err != nil) != refused || err != nil && bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", schema, err)
			}
		})
	}
}

// hostile are schemas, with data that makes much of them.
func hostile() map[string][2]string {
	numbers := make([]string, 0, 4000)
	for i := range cap(numbers) {
		numbers = append(numbers, fmt.Sprint(i))
	}
	many := "[" + strings.Join(numbers, ",") + "]"
	enum := "[" + strings.Join(numbers[:1000], ",") + "]"
	return map[string][2]string{
		"doubling anyOf":     {doubling(24, "anyOf"), `1`},
		"doubling in not":    {`{"not": ` + strings.ReplaceAll(doubling(24, "oneOf"), "#/$defs", "#/not/$defs") + `}`, `1`},
		"doubling by depth":  {`{"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}], "type": "array"}`, strings.Repeat("[", 100) + "1" + strings.Repeat("]", 100)},
		"by dynamic anchors": {`{"$dynamicRef": "#n", "$defs": {"a": {"$dynamicAnchor": "n", "type": "array", "allOf": [{"items": {"$dynamicRef": "#n"}}, {"items": {"$dynamicRef": "#n"}}]}}}`, strings.Repeat("[", 100) + strings.Repeat("]", 100)},
		"leaves":             {`{"anyOf": [` + strings.TrimSuffix(strings.Repeat(`{"items": {"type": "string"}},`, 500), ",") + `]}`, many},
		"enum":               {`{"items": {"not": {"anyOf": [` + strings.TrimSuffix(strings.Repeat(`{"enum": `+enum+`},`, 2), ",") + `]}}}`, many},
		"enum of arrays":     {`{"anyOf": [` + strings.TrimSuffix(strings.Repeat(`{"enum": [[1]]},`, 500), ",") + `]}`, many},
		"uniqueItems":        {`{"uniqueItems": true}`, many},
		"uniqueItems again":  {`{"allOf": [` + strings.TrimSuffix(strings.Repeat(`{"uniqueItems": true},`, 500), ",") + `]}`, many},
		"patterns":           {`{"pattern": "(x+x+)+(.{0,1000})y"}`, `"` + strings.Repeat("x", 1<<14) + `"`},
		"unevaluated":        {`{"unevaluatedItems": false, "anyOf": [` + strings.TrimSuffix(strings.Repeat(`{"minItems": 1},`, 500), ",") + `]}`, many},
		"required":           {`{"items": {"required": ["` + strings.Join(numbers[:1000], `","`) + `"]}}`, "[" + strings.TrimSuffix(strings.Repeat("{},", 5000), ",") + "]"},
		"propertyNames":      {`{"propertyNames": {"anyOf": [` + strings.TrimSuffix(strings.Repeat(`{"type": "number"},`, 1000), ",") + `]}}`, `{"` + strings.Join(numbers, `":0,"`) + `":0}`},
	}
}

// TestChecksKeepTheirBudget: whatever the schema and the data, a check takes no more work than its budget. Work is
// measured in allocations, as the schema library makes some for each schema that it applies to a value.
func TestChecksKeepTheirBudget(t *testing.T) {
	for name, c := range hostile() {
		compiled := compileType(t, c[0])
		value, fault := decode([]byte(c[1]))
		if fault != nil {
			t.Fatal(name, fault)
		}
		budget := budgetOf(len(c[1]))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := compiled.checker.check(value, budget)
		runtime.ReadMemStats(&after)
		made := after.Mallocs - before.Mallocs
		t.Logf("%s: fits %t, over budget %t; %d allocations, %d MB, budget %d", name, err == nil, errors.Is(err, errOverBudget), made, (after.TotalAlloc-before.TotalAlloc)>>20, budget)
		if made > 8*uint64(budget) {
			t.Errorf("%s: %d allocations for a budget of %d steps", name, made, budget)
		}
	}
}

// TestPlainChecksFit checks that ordinary schemas are far within the budget.
func TestPlainChecksFit(t *testing.T) {
	t.Parallel()
	const order = `{"type": "object", "required": ["id", "items"], "properties": {"id": {"type": "string", "pattern": "^[A-Z0-9-]{1,64}$"},
		"items": {"type": "array", "uniqueItems": true, "items": {"oneOf": [
			{"type": "object", "required": ["sku"], "properties": {"kind": {"const": "a"}, "sku": {"type": "string"}, "n": {"type": "integer", "minimum": 0}}},
			{"type": "object", "required": ["url"], "properties": {"kind": {"const": "b"}, "url": {"type": "string"}}},
			{"type": "object", "required": ["x"], "properties": {"kind": {"enum": ["c", "d"]}, "x": {"type": "number"}}}]}}}}`
	compiled := compileType(t, order)
	if err := compiled.CheckCost(); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 100, 5000} {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(`{"kind":"a","sku":"s%d","n":%d}`, i, i)
		}
		data := `{"id":"A-1","items":[` + strings.Join(items, ",") + `]}`
		if err := compiled.Validate([]byte(data)); err != nil {
			t.Errorf("%d items: %v", n, err)
		}
	}
}

func TestOverBudgetIsReported(t *testing.T) {
	t.Parallel()
	err := compileType(t, doubling(24, "anyOf")).Validate([]byte(`1`))
	var e *bellwire.Error
	if !errors.As(err, &e) || e.Code != bellwire.CodeInvalid || e.Field != "data" || !strings.Contains(e.Message, "too many steps") {
		t.Errorf("got %v", err)
	}
}

// TestManyMismatches: data with more faults than are looked at one by one is refused all the same.
func TestManyMismatches(t *testing.T) {
	t.Parallel()
	compiled := compileType(t, `{"items": {"type": "string"}}`)
	err := compiled.Validate([]byte("[" + strings.Repeat("1,", 60_000) + "1]"))
	var e *bellwire.Error
	if !errors.As(err, &e) || e.Code != bellwire.CodeInvalid || !strings.HasPrefix(e.Message, "does not fit the schema") {
		t.Errorf("got %v", err)
	}
}

// TestCountedChecksAgree compares the checks that count steps with those of the library.
func TestCountedChecksAgree(t *testing.T) {
	t.Parallel()
	number := rapid.SampledFrom([]string{"0", "-0", "0.0", "1", "1.0", "10e-1", "1E0", "100", "1e2", "1.00e+2", "-1", "0.5", "5e-1", "50e-2", "12", "1.2e1", "0e9", "1e400"})
	text := rapid.SampledFrom([]string{`""`, `"a"`, `"1"`, `"[1]"`, `"a,1"`, `"é"`, `"\u00e9"`, `"n"`})
	leaf := rapid.OneOf(number, text, rapid.SampledFrom([]string{"null", "true", "false", "[]", "{}"}))
	var value func(depth int) *rapid.Generator[string]
	value = func(depth int) *rapid.Generator[string] {
		if depth == 0 {
			return leaf
		}
		list := rapid.Custom(func(t *rapid.T) string {
			return "[" + strings.Join(rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "items"), ",") + "]"
		})
		object := rapid.Custom(func(t *rapid.T) string {
			var members []string
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID).Draw(t, "names") {
				members = append(members, fmt.Sprintf("%q:%s", name, value(depth-1).Draw(t, "member")))
			}
			return "{" + strings.Join(members, ",") + "}"
		})
		return rapid.OneOf(leaf, list, object)
	}
	rapid.Check(t, func(t *rapid.T) {
		enum := "[" + strings.Join(rapid.SliceOfN(value(2), 1, 4).Draw(t, "enum"), ",") + "]"
		data := value(3).Draw(t, "data")
		for _, schema := range []string{
			`{"enum": ` + enum + `}`,
			`{"uniqueItems": true}`,
			`{"not": {"enum": ` + enum + `}}`,
			`{"items": {"enum": ` + enum + `}, "additionalProperties": {"uniqueItems": true}}`,
			`{"anyOf": [{"uniqueItems": true, "type": "array", "contains": {"enum": ` + enum + `}}, {"minProperties": 2}], "unevaluatedItems": false}`,
		} {
			if !json.Valid([]byte(schema)) {
				t.Fatal(schema)
			}
			want := validByLibrary(t, schema, data)
			compiled, err := CompileType(&bellwire.EventType{Name: "x", Schema: []byte(schema)})
			if err != nil {
				return // an enum that has a value twice, say
			}
			if err := compiled.Validate([]byte(data)); (err == nil) != want {
				t.Fatalf("%s against %s: %v, want %t", data, schema, err, want)
			}
		}
	})
}

// validByLibrary reports whether the data is valid according to the library alone.
func validByLibrary(t *rapid.T, schema, data string) bool {
	doc, fault := decode([]byte(schema))
	value, wrong := decode([]byte(data))
	if fault != nil || wrong != nil {
		t.Fatal(fault, wrong)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaURL, doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		return false
	}
	return compiled.Validate(value) == nil
}

// FuzzCanonicalNumber: equal numbers have one form, and others another.
func FuzzCanonicalNumber(f *testing.F) {
	for _, pair := range [][2]string{{"1", "1.0"}, {"100", "1e2"}, {"0", "-0e5"}, {"12", "1.2E+1"}, {"1", "-1"}, {"0.10", "1e-1"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, text := range []string{a, b} {
			var n json.Number
			if json.Unmarshal([]byte(text), &n) != nil || n.String() != text || !checkable(text) {
				return // not the spelling of a number alone
			}
		}
		same := string(canonicalNumber(nil, a)) == string(canonicalNumber(nil, b))
		x, _ := ratOf(a)
		y, _ := ratOf(b)
		if same != (x.Cmp(y) == 0) {
			t.Errorf("%s and %s: %t", a, b, same)
		}
	})
}

func ratOf(text string) (*big.Rat, bool) { return new(big.Rat).SetString(text) }

// TestRandomChecksKeepTheirBudget is TestChecksKeepTheirBudget on schemas that refer to each other at random.
func TestRandomChecksKeepTheirBudget(t *testing.T) {
	const defs = 6
	ref := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf(`{"$ref": "#/$defs/d%d"}`, rapid.IntRange(0, defs-1).Draw(t, "ref"))
	})
	part := rapid.Custom(func(t *rapid.T) string {
		keyword := rapid.SampledFrom([]string{"anyOf", "oneOf", "allOf", "not", "if", "items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties"}).Draw(t, "keyword")
		value := ref.Draw(t, "schema")
		if strings.HasSuffix(keyword, "Of") {
			value = "[" + strings.Join(rapid.SliceOfN(ref, 1, 3).Draw(t, "schemas"), ",") + "]"
		}
		return fmt.Sprintf("%q: %s", keyword, value)
	})
	name := func(part string) string { return part[:strings.Index(part, ":")] }
	rapid.Check(t, func(t *rapid.T) {
		members := make([]string, defs)
		for i := range members {
			parts := rapid.SliceOfNDistinct(part, 0, 3, name).Draw(t, "parts")
			members[i] = fmt.Sprintf(`"d%d": {%s}`, i, strings.Join(parts, ", "))
		}
		schema := `{"$ref": "#/$defs/d0", "$defs": {` + strings.Join(members, ", ") + `}}`
		compiled, err := CompileType(&bellwire.EventType{Name: "x", Schema: []byte(schema)})
		if bellwire.CodeOf(err) == bellwire.CodeInvalid {
			return // it refers to itself for the same value
		}
		if err != nil {
			t.Fatalf("%s: %v", schema, err)
		}
		depth := rapid.IntRange(0, maxDepth/2).Draw(t, "depth")
		open := rapid.SampledFrom([]string{`[`, `{"a":`, `[1,`}).Draw(t, "form")
		closing := map[byte]string{'[': "]", '{': "}"}[open[0]]
		data := strings.Repeat(open, depth) + "1" + strings.Repeat(closing, depth)
		value, fault := decode([]byte(data))
		if fault != nil {
			t.Fatal(data, fault)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = compiled.checker.check(value, budgetOf(len(data)))
		runtime.ReadMemStats(&after)
		if made := after.Mallocs - before.Mallocs; made > 10*uint64(budgetOf(len(data))+explainSteps) {
			t.Errorf("%s against %s: %d allocations, %v", data, schema, made, err)
		}
	})
}
