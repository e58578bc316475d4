package akkuro

import (
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// DefaultVersion is the version of the API that the vendor's page on webhooks has.
const DefaultVersion = "2024.1.0"

// versionForm is that of the vendor's versions: year, major, minor.
var versionForm = regexp.MustCompile(`^[0-9]{4}\.[0-9]{1,4}\.[0-9]{1,4}$`)

// CheckVersion refuses what is no version of the API.
func CheckVersion(text string) error {
	if !versionForm.MatchString(text) {
		return bellwire.Invalid("api-version", "%.64q must have the form YYYY.Major.Minor, such as %s.", text, DefaultVersion)
	}
	return nil
}

// versions are those of the API that are served. One representation is good for all of them.
type versions []string

// codeNotAcceptable: the Accept header wants something else than JSON of a version that is served.
const codeNotAcceptable bellwire.Code = "not_acceptable"

// check refuses requests that want another version, by the values of their Accept headers (RFC 9110, 12.5.1). Ranges
// that cannot be read are passed over.
func (served versions) check(values []string) error {
	list := strings.Join(values, ",")
	if strings.Trim(list, ", \t") == "" {
		return nil // whatever there is
	}
	best, quality := 0, 0.0
	for _, text := range ranges(list) {
		media, parameters, err := mime.ParseMediaType(text)
		if err != nil {
			continue
		}
		// Of the ranges that fit, the one that says most decides.
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
	return bellwire.Errorf(codeNotAcceptable, "The Accept header asks for what is not served; there is application/json;api-version=%s.",
		strings.Join(served, ", "))
}

// specificity tells how much a range says of what is served; 0: it is not meant.
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

// qualityOf returns a range's weight, which is 1 unless it says otherwise.
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

// ranges splits a list at its commas, but for those in quotes.
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
