package akkuro

import (
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// DefaultVersion is the API version in the examples of the vendor's page.
const DefaultVersion = "2024.1.0"

// versionForm is the form of the vendor's versions.
var versionForm = regexp.MustCompile(`^[0-9]{4}\.[0-9]{1,4}\.[0-9]{1,4}$`)

// Version is a version of the API. All have the same representation of endpoints, and each can have one of the data of events: the
// vendor's later ones deliver ids only, with which to fetch the rest.
type Version struct {
	Name    string // YYYY.Major.Minor
	Payload int    // the version of an event type's data that endpoints which are registered with it get; 0: the newest
}

// ParseVersion reads a version, such as 2024.1.0, or 2024.1.0=1 with the version of the data.
func ParseVersion(text string) (Version, error) {
	name, payload, given := strings.Cut(text, "=")
	v := Version{Name: name}
	if !versionForm.MatchString(name) {
		return v, bellwire.Invalid("api-version", "must have the form YYYY.Major.Minor, such as %s, but is %.64q", DefaultVersion, name)
	}
	if !given {
		return v, nil
	}
	n, err := strconv.Atoi(payload)
	if err != nil || n < 1 || n > bellwire.MaxVersions {
		return v, bellwire.Invalid("api-version", "must be followed by the number of a version of the data between 1 and %d, such as %s=1", bellwire.MaxVersions, name)
	}
	v.Payload = n
	return v, nil
}

// of returns the version of an event type's data, 0 for the newest.
func (v Version) of(t *bellwire.EventType) int {
	if v.Payload > len(t.Older) {
		return 0
	}
	return v.Payload
}

// versions are the API versions that are served.
type versions []Version

// latest returns the greatest version.
func (served versions) latest() Version {
	return slices.MaxFunc(served, func(a, b Version) int { return slices.Compare(numbers(a.Name), numbers(b.Name)) })
}

// numbers returns the parts of a version's name.
func numbers(name string) (parts []int) {
	for part := range strings.SplitSeq(name, ".") {
		n, _ := strconv.Atoi(part) // the name has the form of a version
		parts = append(parts, n)
	}
	return parts
}

// codeNotAcceptable is the code of an error about an Accept header that allows no version that is served.
const codeNotAcceptable bellwire.Code = "not_acceptable"

// choose returns the version that the Accept headers of a request (RFC 9110, 12.5.1) ask for: the latest unless they name one. It
// refuses those that allow no version that is served, and ignores media ranges that cannot be parsed.
func (served versions) choose(values []string) (Version, error) {
	chosen := served.latest()
	list := strings.Join(values, ",")
	if strings.Trim(list, ", \t") == "" {
		return chosen, nil // no preference
	}
	best, quality := 0, 0.0
	for _, text := range ranges(list) {
		media, parameters, err := mime.ParseMediaType(text)
		if err != nil {
			continue
		}
		// The most specific range that matches decides, and of several the one with the highest weight.
		named, s := served.match(media, parameters)
		if weight := qualityOf(parameters); s > best || s == best && s > 0 && weight > quality {
			best, quality = s, weight
			chosen = served.latest()
			if named >= 0 {
				chosen = served[named]
			}
		}
	}
	if best > 0 && quality > 0 {
		return chosen, nil
	}
	names := make([]string, len(served))
	for i, v := range served {
		names[i] = v.Name
	}
	return chosen, bellwire.Errorf(codeNotAcceptable, "the Accept header must allow application/json;api-version=%s", strings.Join(names, " or "))
}

// match returns the place of the version that a range names, -1 if it names none, and how specific the range is among those that
// match, 0 if it does not match.
func (served versions) match(media string, parameters map[string]string) (named, specificity int) {
	version, versioned := parameters["api-version"]
	named = -1
	if versioned {
		named = slices.IndexFunc(served, func(v Version) bool { return v.Name == version })
		if named < 0 {
			return named, 0
		}
	}
	switch {
	case media == "application/json" && versioned:
		return named, 4
	case media == "application/json":
		return named, 3
	case media == "application/*":
		return named, 2
	case media == "*/*":
		return named, 1
	}
	return named, 0
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
