package lemon

import (
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

// maxLimit is the most elements that a page has, and how many it has that nobody has asked for less.
const maxLimit = 100

// maxFilter is the most bytes of a context filter, so that a cursor that carries all of them fits into a URL.
const maxFilter = 256

// parameters reads a query, which may have each of the known parameters once and no other.
func parameters(query string, known ...string) (map[string]string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "The query cannot be read; its escapes are broken.")
	}
	given := make(map[string]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		field := "query." + name
		switch {
		case !slices.Contains(known, name):
			return nil, bellwire.Invalid(field, "There is no parameter of this name here.")
		case len(values[name]) > 1:
			return nil, bellwire.Invalid(field, "It is given twice.")
		case !utf8.ValidString(values[name][0]):
			return nil, bellwire.Invalid(field, "It must be UTF-8 text.")
		}
		given[name] = values[name][0]
	}
	return given, nil
}

// limitOf reads the limit, for which fallback stands if it is not given and is one.
func limitOf(given map[string]string, fallback int) (int, error) {
	limit := fallback
	if text, ok := given["limit"]; ok {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return 0, bellwire.Invalid("query.limit", "It must be a whole number between 1 and %d.", maxLimit)
		}
		limit = int(n)
	} else if limit == 0 {
		return maxLimit, nil
	}
	if limit < 1 || limit > maxLimit {
		return 0, bellwire.Invalid("query.limit", "It must be between 1 and %d.", maxLimit)
	}
	return limit, nil
}

// search is which events a list has, and where it goes on.
type search struct {
	Tenant  string            `json:"tenant"` // whose list it is, in a cursor
	Type    string            `json:"type,omitzero"`
	Since   time.Time         `json:"since,omitzero"`
	Oldest  bool              `json:"asc,omitzero"` // first
	Context map[string]string `json:"context,omitzero"`
	Limit   int               `json:"limit"`
	After   bellwire.Cursor   `json:"after"`
}

// contextKeys are the members of a context that events can be found by.
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
		return nil, bellwire.Invalid("query.sort", "It must be asc or desc.")
	}
	for _, key := range contextKeys {
		text, ok := given[contextPrefix+key]
		if !ok {
			continue
		}
		if len(text) > maxFilter {
			return nil, bellwire.Invalid("query."+contextPrefix+key, "It must have at most %d bytes.", maxFilter)
		}
		if s.Context == nil {
			s.Context = make(map[string]string)
		}
		s.Context[key] = text
	}
	return s, nil
}

// readTime reads a time (RFC 3339). Clients copy created_at into a URL as it is, where the plus sign of its zone stands
// for a space. The zero time stands for all times before there were events.
func readTime(text string) (time.Time, error) {
	since, err := httpx.ParseTime(strings.Replace(text, " ", "+", 1))
	if err != nil || since.Year() > 9999 {
		return time.Time{}, bellwire.Invalid("query.since", "It must be a time such as 2023-06-29T14:40:30.523373+00:00.")
	}
	if since.Before(time.Unix(0, 0)) {
		return time.Time{}, nil
	}
	return since, nil
}

func errUnknownType() error {
	return bellwire.Invalid("query.type", "There is no event type of this name.")
}
