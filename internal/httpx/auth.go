package httpx

import (
	"net/http"
	"strings"

	"github.com/bellwire/bellwire"
)

// Bearer returns the token of an "Authorization: Bearer" header (RFC 6750, 2.1). Its error has
// CodeUnauthenticated.
func Bearer(r *http.Request) (string, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", bellwire.Errorf(bellwire.CodeUnauthenticated,
			"No key was given; send it as Authorization: Bearer <key>.")
	}
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", bellwire.Errorf(bellwire.CodeUnauthenticated,
			"The Authorization header is not of the form Bearer <key>.")
	}
	return token, nil
}
