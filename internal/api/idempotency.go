package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const idempotencyHeader = "Idempotency-Key"

// idempotencyKey returns the value of the Idempotency-Key header, empty if there is none. It accepts a bare value, and a string in
// quotes as in draft-ietf-httpapi-idempotency-key-header.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values(idempotencyHeader)
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", refusedHeader("must be given once, but was given %d times", len(values))
	}
	key := strings.Trim(values[0], " \t")
	if strings.HasPrefix(key, `"`) {
		unquoted, ok := unquote(key)
		if !ok {
			return "", refusedHeader(`must be one string in quotes, such as "order-42", because it begins with a quote`)
		}
		key = unquoted
	}
	if key == "" {
		return "", refusedHeader("must not be empty")
	}
	return key, service.CheckIdempotencyKey(idempotencyHeader, key)
}

func refusedHeader(format string, args ...any) error {
	return bellwire.Invalid(idempotencyHeader, format, args...)
}

// unquote parses a string of RFC 8941, 3.3.3, in which a backslash escapes a quote or another backslash.
func unquote(s string) (string, bool) {
	if len(s) < 2 || !strings.HasSuffix(s, `"`) {
		return "", false
	}
	inner := s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if c == '"' {
			return "", false
		}
		if c == '\\' {
			i++
			if i == len(inner) || inner[i] != '"' && inner[i] != '\\' {
				return "", false
			}
			c = inner[i]
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// identify sets the id of an event to the request's key, unless it has one.
func identify(d *service.Draft, key string) error {
	switch {
	case key == "" || d.IdempotencyKey == key:
		return nil
	case d.IdempotencyKey != "":
		return bellwire.Invalid("id", "must equal the header %s, if both are given", idempotencyHeader)
	}
	d.IdempotencyKey = key
	return nil
}

// identifyAll makes a batch repeatable: events without an id get the request's key, a slash and their index.
func identifyAll(drafts []service.Draft, key string) error {
	if key == "" {
		return nil
	}
	for i := range drafts {
		if drafts[i].IdempotencyKey != "" {
			continue
		}
		drafts[i].IdempotencyKey = key + "/" + strconv.Itoa(i)
	}
	last := key + "/" + strconv.Itoa(len(drafts)-1)
	return service.CheckIdempotencyKey(idempotencyHeader, last)
}
