package send

import (
	"net/http"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// loggedHeaders returns the headers that were sent, by name, without the values of credentials, and reports whether some did not
// fit. The endpoint's own headers are left out first then, because they are the same in every attempt.
func loggedHeaders(sent http.Header, credentials []bellwire.Header) (list []bellwire.Header, cut bool) {
	list = make([]bellwire.Header, 0, len(sent))
	for name, values := range sent {
		value := strings.Join(values, ", ") // a copy only if there are several
		if slices.ContainsFunc(credentials, func(c bellwire.Header) bool { return strings.EqualFold(c.Name, name) }) {
			value = bellwire.Redacted
		}
		list = append(list, bellwire.Header{Name: lower(name), Value: value})
	}
	if !surelyFit(list) {
		slices.SortFunc(list, ownLast)
		list, cut = cappedHeaders(list)
	}
	slices.SortFunc(list, byName)
	return list, cut
}

// lower returns the name of a header in lower case, for most without an allocation.
func lower(name string) string {
	if known, is := lowered[name]; is {
		return known
	}
	return strings.ToLower(name)
}

// lowered has the names of headers that most attempts have.
var lowered = func() map[string]string {
	names := make(map[string]string)
	for _, name := range []string{
		"Cache-Control", "Connection", "Content-Length", "Content-Type", "Date", "Keep-Alive", "Server", "Traceparent", "User-Agent", "Vary",
		"Webhook-Id", "Webhook-Signature", "Webhook-Timestamp",
	} {
		names[name] = strings.ToLower(name)
	}
	return names
}()

// ownLast orders the endpoint's own headers behind the others, and each by name.
func ownLast(a, b bellwire.Header) int {
	if own := a.Value == bellwire.Redacted; own != (b.Value == bellwire.Redacted) {
		if own {
			return 1
		}
		return -1
	}
	return byName(a, b)
}

// receivedHeaders returns the headers of an answer, by name, and reports whether some did not fit.
func receivedHeaders(received http.Header, secrets redactor) (list []bellwire.Header, cut bool) {
	list = make([]bellwire.Header, 0, len(received))
	for name, values := range received {
		value := strings.ToValidUTF8(secrets.redactText(strings.Join(values, ", ")), "\uFFFD")
		list = append(list, bellwire.Header{Name: lower(name), Value: value})
	}
	slices.SortFunc(list, byName)
	return cappedHeaders(list)
}

// cappedHeaders returns as many headers as fit into MaxStoredHeaders, and reports whether there were more.
func cappedHeaders(list []bellwire.Header) (fitting []bellwire.Header, cut bool) {
	if surelyFit(list) {
		return list, false
	}
	size := 0
	for i, h := range list {
		if size += sizeOfHeader(h); size > bellwire.MaxStoredHeaders {
			return slices.Clone(list[:i]), true
		}
	}
	return list, false
}

// surelyFit reports whether headers would fit into MaxStoredHeaders even if each byte had to be escaped. Usually they do, and need not
// be looked at.
func surelyFit(list []bellwire.Header) bool {
	size := 0
	for _, h := range list {
		size += around + escaped*(len(h.Name)+len(h.Value))
	}
	return size <= bellwire.MaxStoredHeaders
}

const (
	around  = len(`{"Name":"","Value":""},`) // a header, as stored
	escaped = len(`\u0000`)                  // a byte, at most
)

func sizeOfHeader(h bellwire.Header) int { return around + storedSize(h.Name) + storedSize(h.Value) }

// storedSize returns how many bytes a text takes as JSON.
func storedSize(text string) int {
	size := len(text)
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c == 0x7f:
			size += escaped - 1
		case c == '"' || c == '\\':
			size++
		}
	}
	return size
}

func byName(a, b bellwire.Header) int { return strings.Compare(a.Name, b.Name) }
