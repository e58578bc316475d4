package akkuro

import (
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// DefaultVersion is the API version in the examples of the vendor's page (seed 000).
const DefaultVersion = "2024.1.0"

// versionForm is the form of the vendor's versions.
var versionForm = regexp.MustCompile(`^[0-9]{4}\.[0-9]{1,4}\.[0-9]{1,4}$`)

// CheckVersion refuses a text that is not an API version.
func CheckVersion(text string) error {
	if !versionForm.MatchString(text) {
		return bellwire.Invalid("api-version", "must have the form YYYY.Major.Minor, such as %s, but is %.64q", DefaultVersion, text)
	}
	return nil
}

// versions are the API versions that are served. All have the same representation.
type versions []string

// codeNotAcceptable is the code of an error about an Accept header that allows no version that is served.
const codeNotAcceptable bellwire.Code = "not_acceptable"

// check refuses requests whose Accept headers (RFC 9110, 12.5.1) allow no version that is served. It ignores media ranges
// that cannot be parsed.
func (served versions) check(values []string) error {
	list := strings.Join(values, ",")
	if strings.Trim(list, ", \t") == "" {
		return nil // no preference
	}
	best, quality := 0, 0.0
	for _, text := range ranges(list) {
		media, parameters, err := mime.ParseMediaType(text)
		if err != nil {
			continue
		}
		// The most specific range that matches decides.
		switch s := served.specificity(media, parameters); {
		case s > best:
			best, quality = s, qualityOf(parameters)
		case s == best:
			quality = max(quality, qualityOf(parameters))
		}
	}
	if best > 0 && quality > 0 {
		return nil
	}
	return bellwire.Errorf(codeNotAcceptable, "the Accept header must allow application/json;api-version=%s",
		strings.Join(served, " or "))
}

// specificity returns how specific a range is among those that match, and 0 if it does not match.
func (served versions) specificity(media string, parameters map[string]string) int {
	version, versioned := parameters["api-version"]
	if versioned && !slices.Contains(served, version) {
		return 0
	}
	switch {
	case media == "application/json" && versioned:
		return 4
	case media == "application/json":
		return 3
	case media == "application/*":
		return 2
	case media == "*/*":
		return 1
	}
	return 0
}

// qualityOf returns the weight of a range, by default 1.
func qualityOf(parameters map[string]string) float64 {
	text, given := parameters["q"]
	if !given {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 1
	}
	return q
}

// ranges splits a list at its commas outside quotes.
func ranges(list string) []string {
	var found []string
	quoted, start := false, 0
	for i, c := range list + "," {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			found = append(found, list[start:i])
			start = i + 1
		}
	}
	return found
}
