package directory

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// describe returns what a keyword of a schema demands of a value that does not fit it, as a predicate of the value.
func describe(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.FalseSchema:
		return "is not allowed"
	case *kind.Type:
		return fmt.Sprintf("must be %s, but is %s", anyType(k.Want), ofType(k.Got))
	case *kind.Enum:
		return oneOf(k.Want)
	case *kind.Const:
		return oneOf([]any{k.Want})
	case *kind.Format:
		var own *mismatch
		if errors.As(k.Err, &own) {
			return describe(own.ErrorKind)
		}
		return fmt.Sprintf("must have the format %q", k.Want)
	case *kind.Pattern:
		return fmt.Sprintf("must match the pattern %q", k.Want)
	case *kind.Not:
		return "must not fit the schema's not"
	case *kind.OneOf: // with Subschemas, unlike those of isChoice
		return "must fit only one of the alternatives, but fits several"
	}
	if text := describeSize(k); text != "" {
		return text
	}
	if text := describeMembers(k); text != "" {
		return text
	}
	path := k.KeywordPath()
	return "must fit the schema's " + path[0]
}

// describeSize describes keywords that compare numbers, or "" for another keyword.
func describeSize(k jsonschema.ErrorKind) string {
	counted := func(bound string, want int, what, plural string, got int) string {
		if want != 1 {
			what = plural
		}
		return fmt.Sprintf("must have %s %s %s, but has %s", bound, bellwire.Number(want), what, bellwire.Number(got))
	}
	switch k := k.(type) {
	case *kind.Minimum:
		return "must be at least " + decimal(k.Want)
	case *kind.Maximum:
		return "must be at most " + decimal(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be greater than " + decimal(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be less than " + decimal(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + decimal(k.Want)
	case *kind.MinLength:
		return counted("at least", k.Want, "character", "characters", k.Got)
	case *kind.MaxLength:
		return counted("at most", k.Want, "character", "characters", k.Got)
	case *kind.MinItems:
		return counted("at least", k.Want, "item", "items", k.Got)
	case *kind.MaxItems:
		return counted("at most", k.Want, "item", "items", k.Got)
	case *kind.MinProperties:
		return counted("at least", k.Want, "property", "properties", k.Got)
	case *kind.MaxProperties:
		return counted("at most", k.Want, "property", "properties", k.Got)
	case *kind.MinContains:
		return counted("at least", k.Want, "item that fits contains", "items that fit contains", len(k.Got))
	case *kind.MaxContains:
		return counted("at most", k.Want, "item that fits contains", "items that fit contains", len(k.Got))
	}
	return ""
}

// describeMembers describes keywords about what a value contains, or "" for another keyword.
func describeMembers(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.UniqueItems:
		return fmt.Sprintf("must not have equal items, but items %d and %d are equal", k.Duplicates[0], k.Duplicates[1])
	case *kind.AdditionalItems:
		return fmt.Sprintf("must not have more items than the schema names, but has %s more", bellwire.Number(k.Count))
	case *kind.Contains:
		return "must have an item that fits contains"
	case *kind.PropertyNames:
		return fmt.Sprintf("must not have a property with the name %q", k.Property)
	case *kind.Dependency:
		return dependent(k.Missing, k.Prop)
	case *kind.DependentRequired:
		return dependent(k.Missing, k.Prop)
	}
	return ""
}

func dependent(missing []string, property string) string {
	return fmt.Sprintf("must have %s, because it has %q", quoteAll(missing), property)
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return enumerate(quoted, "and")
}

// anyType returns "a string or null", for example.
func anyType(types []string) string {
	texts := make([]string, len(types))
	for i, t := range types {
		texts[i] = ofType(t)
	}
	return enumerate(texts, "or")
}

// ofType returns the name of a JSON type with its article.
func ofType(name string) string {
	switch name {
	case "null":
		return name
	case "array", "integer", "object":
		return "an " + name
	}
	return "a " + name
}

// oneOf returns that a value must be one of those, if they are short enough to be listed.
func oneOf(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		text, err := json.Marshal(v)
		if err != nil || len(text) > maxFieldBytes {
			return "must be one of the schema's values"
		}
		texts[i] = string(text)
	}
	return "must be " + enumerate(texts, "or")
}

// enumerate joins texts, the last one with a conjunction.
func enumerate(texts []string, conjunction string) string {
	last := len(texts) - 1
	if last < 1 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:last], ", ") + " " + conjunction + " " + texts[last]
}

// decimal returns a number of a schema as text.
func decimal(r *big.Rat) string {
	f, _ := r.Float64()
	return fmt.Sprint(f)
}
