package httpx

import (
	"net/http"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Single returns the value of a header that identifies the caller, empty if there is none. Several values are an error with
// CodeUnauthenticated, because a proxy may have checked another one.
func Single(r *http.Request, header string) (string, error) {
	values := r.Header.Values(header)
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", bellwire.Errorf(bellwire.CodeUnauthenticated, "the header %s must be given once, but was given %d times", header, len(values))
}

// Bearer returns the token of an "Authorization: Bearer" header (RFC 6750, 2.1). Its error has CodeUnauthenticated.
func Bearer(r *http.Request) (string, error) {
	header, err := Single(r, "Authorization")
	if err != nil {
		return "", err
	}
	if header == "" {
		return "", bellwire.Errorf(bellwire.CodeUnauthenticated,
			"an API key is required; send it as Authorization: Bearer <key>")
	}
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", bellwire.Errorf(bellwire.CodeUnauthenticated,
			"the Authorization header must have the form Bearer <key>")
	}
	return token, nil
}
