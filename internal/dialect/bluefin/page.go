package bluefin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on pages of a list.
const (
	defaultLimit = 100
	maxLimit     = 1000
	maxPage      = 1_000_000
)

// page is one page of a list.
type page struct {
	number int
	limit  int
	query  string // repeated in the URLs of other pages
}

// parsePage reads the parameters page and limit.
func parsePage(query url.Values) (page, error) {
	p := page{number: 1, limit: defaultLimit}
	for _, param := range []struct {
		name  string
		value *int
		most  int
	}{{"page", &p.number, maxPage}, {"limit", &p.limit, maxLimit}} {
		if !query.Has(param.name) {
			continue
		}
		if len(query[param.name]) > 1 {
			return p, bellwire.Invalid(param.name, "must be given only once")
		}
		n, err := strconv.Atoi(query.Get(param.name))
		if err != nil || n < 1 || n > param.most {
			return p, bellwire.Invalid(param.name, "must be a whole number between 1 and %s", bellwire.Number(param.most))
		}
		*param.value = n
	}
	if query.Has("limit") {
		p.query = "limit=" + strconv.Itoa(p.limit) + "&"
	}
	return p, nil
}

// bounds returns the range of items on the page: all[from:to].
func (p page) bounds(total int) (from, to int) {
	from = min((p.number-1)*p.limit, total)
	return from, min(from+p.limit, total)
}

// setHeaders sets the vendor's paging headers. A link to a page that does not exist is empty.
func (p page) setHeaders(h http.Header, path string, total int) {
	from, to := p.bounds(total)
	last := max(1, (total+p.limit-1)/p.limit)
	link := func(number int) string {
		if number < 1 || number > last {
			return ""
		}
		return fmt.Sprintf("%s?%spage=%d", path, p.query, number)
	}
	first, final := from+1, to
	if from == to { // the page is empty
		first, final = 0, 0
	}
	for _, header := range []struct{ name, value string }{
		{"X-First-Page-Url", link(1)},
		{"X-Last-Page-Url", link(last)},
		{"X-Prev-Page-Url", link(p.number - 1)},
		{"X-Next-Page-Url", link(p.number + 1)},
		{"X-Links", p.links(link, last)},
		{"X-Path", path},
		{"X-Current_page", strconv.Itoa(p.number)}, // sic
		{"X-Last-Page", strconv.Itoa(last)},
		{"X-Total", strconv.Itoa(total)},
		{"X-Per-Page", strconv.Itoa(p.limit)},
		{"X-Total-In-This-Page", strconv.Itoa(to - from)},
		{"X-From", strconv.Itoa(first)},
		{"X-To", strconv.Itoa(final)},
	} {
		h.Set(header.name, header.value)
	}
}

// near is the number of pages on either side of the current one that X-Links has, beside the first and the last.
const near = 3

// links returns X-Links: links to the previous page, to numbered pages, and to the next page. Its form is that of Laravel's
// paginator, whose labels are HTML.
func (p page) links(link func(int) string, last int) string {
	all := []string{entry(link(p.number-1), "&laquo; Previous", false)}
	for number := 1; number <= last; number++ {
		switch {
		case number == 1, number == last, number >= p.number-near && number <= p.number+near:
			all = append(all, entry(link(number), strconv.Itoa(number), number == p.number))
		case number == 2, number == last-1:
			all = append(all, entry("", "...", false))
		}
	}
	return strings.Join(append(all, entry(link(p.number+1), "Next &raquo;", false)), " ")
}

func entry(url, label string, active bool) string {
	mark := ""
	if active {
		mark = "1"
	}
	return "url=" + url + "|label=" + label + "|active=" + mark
}
