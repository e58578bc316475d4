package api

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/suggest"
)

// checkParameters refuses a query that does not fit the operation's documented parameters, with all faults at once. Huma would
// find them too, and say so in its own words.
func checkParameters(op *huma.Operation, rawQuery string) error {
	if rawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return bellwire.Errorf(bellwire.CodeMalformed, "the query cannot be read, because its escapes are broken")
	}
	known := map[string]*huma.Schema{}
	for _, p := range op.Parameters {
		if p.In == "query" {
			known[p.Name] = p.Schema
		}
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(query)) {
		schema, documented := known[name]
		switch values := query[name]; {
		case !documented:
			faults = append(faults, bellwire.Invalid(name, "is not a known parameter%s",
				suggest.DidYouMean(name, slices.Sorted(maps.Keys(known)))))
		case len(values) > 1:
			faults = append(faults, bellwire.Invalid(name, "must be given once, but was given %d times", len(values)))
		default:
			faults = append(faults, checkParameter(name, values[0], schema))
		}
	}
	return bellwire.Join(faults...)
}

// checkParameter refuses a value that does not fit the schema. An empty value counts as none.
func checkParameter(name, value string, schema *huma.Schema) error {
	switch {
	case value == "":
		return nil
	case schema.Type == huma.TypeInteger:
		return checkInteger(name, value, schema)
	case schema.Type == huma.TypeBoolean && value != "true" && value != "false":
		return bellwire.Invalid(name, "must be true or false")
	case len(schema.Enum) > 0 && !slices.Contains(schema.Enum, any(value)):
		return bellwire.Invalid(name, "must be %s", bellwire.OneOf(textsOf(schema.Enum)))
	case schema.MaxLength != nil && utf8.RuneCountInString(value) > *schema.MaxLength:
		return bellwire.Invalid(name, "must have at most %s characters", bellwire.Number(*schema.MaxLength))
	}
	return nil
}

func checkInteger(name, value string, schema *huma.Schema) error {
	n, err := strconv.Atoi(value)
	if err != nil {
		return bellwire.Invalid(name, "must be a whole number")
	}
	if schema.Minimum != nil && schema.Maximum != nil && (float64(n) < *schema.Minimum || float64(n) > *schema.Maximum) {
		return bellwire.Invalid(name, "must be between %s and %s", bellwire.Number(*schema.Minimum), bellwire.Number(*schema.Maximum))
	}
	return nil
}

func textsOf(values []any) []string {
	var texts []string
	for _, value := range values {
		if text, ok := value.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}
