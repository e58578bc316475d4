package lemon

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// maxLimit is the maximum and the default of a page's length.
const maxLimit = 100

// maxFilter bounds the bytes of a context filter, so that a cursor that has all filters fits into a URL.
const maxFilter = 256

// parameters reads a query string. It refuses unknown and repeated parameters.
func parameters(query string, known ...string) (map[string]string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "the query string is not correctly percent-encoded")
	}
	given := make(map[string]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		field := "query." + name
		switch {
		case !slices.Contains(known, name):
			return nil, bellwire.Invalid(field, "is not a known parameter")
		case len(values[name]) > 1:
			return nil, bellwire.Invalid(field, "must be given only once")
		case !utf8.ValidString(values[name][0]):
			return nil, bellwire.Invalid(field, "must be UTF-8 text")
		}
		given[name] = values[name][0]
	}
	return given, nil
}

// limitOf returns the limit: the parameter if it is given, else fallback, else maxLimit if fallback is 0.
func limitOf(given map[string]string, fallback int) (int, error) {
	limit := cmp.Or(fallback, maxLimit)
	if text, ok := given["limit"]; ok {
		n, _ := strconv.ParseUint(text, 10, 16) // an error leaves 0 or the largest number, which are out of bounds
		limit = int(n)
	}
	if limit < 1 || limit > maxLimit {
		return 0, bellwire.Invalid("query.limit", "must be a whole number between 1 and %d", maxLimit)
	}
	return limit, nil
}

// search is the parameters of a list of events. It is also the content of a cursor, with After set.
type search struct {
	Tenant  string            `json:"tenant"` // of the caller that the cursor was made for
	Type    string            `json:"type,omitzero"`
	Since   time.Time         `json:"since,omitzero"`
	Oldest  bool              `json:"asc,omitzero"` // first
	Context map[string]string `json:"context,omitzero"`
	Limit   int               `json:"limit"`
	After   bellwire.Cursor   `json:"after"`
}

// contextKeys are the fields of a context that can be filtered by, from the vendor's API reference.
var contextKeys = []string{
	"account", "batch_order", "identification", "order", "person", "securities_account", "securities_transfer", "sweep",
	"tax_exemption_order", "trade", "transaction", "treasury_mandate", "treasury_transfer", "update", "workflow",
}

const contextPrefix = "context."

var searchParameters = func() []string {
	names := []string{"cursor", "limit", "since", "sort", "type"}
	for _, key := range contextKeys {
		names = append(names, contextPrefix+key)
	}
	return names
}()

// readSearch reads a query. A cursor carries all of the search that it is of: of what stands beside it, the limit alone
// counts.
func readSearch(query string) (*search, error) {
	given, err := parameters(query, searchParameters...)
	if err != nil {
		return nil, err
	}
	asked, err := readFilters(given)
	if err != nil {
		return nil, err
	}
	if text, ok := given["cursor"]; ok {
		asked = new(search)
		if err := readCursor(text, asked); err != nil {
			return nil, err
		}
	}
	asked.Limit, err = limitOf(given, asked.Limit)
	return asked, err
}

func readFilters(given map[string]string) (*search, error) {
	s := new(search)
	if text, ok := given["type"]; ok {
		if bellwire.CheckEventTypeName(text) != nil {
			return nil, errUnknownType()
		}
		s.Type = text
	}
	if text, ok := given["since"]; ok {
		since, err := readTime(text)
		if err != nil {
			return nil, err
		}
		s.Since = since
	}
	switch text, ok := given["sort"]; {
	case text == "asc":
		s.Oldest = true
	case ok && text != "desc":
		return nil, bellwire.Invalid("query.sort", "must be asc or desc")
	}
	for _, key := range contextKeys {
		text, ok := given[contextPrefix+key]
		if !ok {
			continue
		}
		if len(text) > maxFilter {
			return nil, bellwire.Invalid("query."+contextPrefix+key, "must have at most %d bytes", maxFilter)
		}
		if s.Context == nil {
			s.Context = make(map[string]string)
		}
		s.Context[key] = text
	}
	return s, nil
}

// readTime reads an RFC 3339 time. A space counts as a plus sign, because clients copy created_at into the URL unescaped. It
// returns the zero time for times before 1970, when no event occurred.
func readTime(text string) (time.Time, error) {
	since, err := httpx.ParseTime(strings.Replace(text, " ", "+", 1))
	if err != nil || since.Year() > 9999 {
		return time.Time{}, bellwire.Invalid("query.since", "must be an RFC 3339 time, such as 2023-06-29T14:40:30.523373+00:00")
	}
	if since.Before(time.Unix(0, 0)) {
		return time.Time{}, nil
	}
	return since, nil
}

func errUnknownType() error {
	return bellwire.Invalid("query.type", "is not a known event type")
}
