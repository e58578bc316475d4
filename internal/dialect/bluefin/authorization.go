package bluefin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive/sign"
)

// keyPrefix is the prefix of the vendor's API key ids, which 32 hex digits follow.
const keyPrefix = "api_"

// authorization is the Authorization header of a signed request (vendor's HMAC samples):
//
//	Authorization: Hmac id="…", nonce="…", timestamp="…", response="…"
type authorization struct {
	id, nonce, timestamp string
	at                   time.Time // timestamp parsed
	response             [sha256.Size]byte
}

// param matches one parameter of the header and the comma or the end after it (RFC 9110, 11.2). Values have no spaces and no
// escapes. Quotes are optional around a token, because one of Bluefin's samples omits them.
var param = regexp.MustCompile(`^[ \t]*([A-Za-z]+)[ \t]*=[ \t]*(?:"([!#-\[\]-~]+)"|([!#$%&'*+.^_|~0-9A-Za-z-]+))[ \t]*(,|$)`)

// decimal matches a Unix time in seconds.
var decimal = regexp.MustCompile(`^[0-9]{1,12}$`)

// parseAuthorization parses the text after "Hmac ". It must have each of the four parameters once, in any order.
func parseAuthorization(text string) (*authorization, bool) {
	given := make(map[string]string, 4)
	for more := true; more; {
		found := param.FindStringSubmatch(text)
		if found == nil {
			return nil, false
		}
		name, value := strings.ToLower(found[1]), found[2]+found[3]
		if _, twice := given[name]; twice {
			return nil, false
		}
		given[name] = value
		text, more = text[len(found[0]):], found[4] == ","
	}
	a := &authorization{id: given["id"], nonce: given["nonce"], timestamp: given["timestamp"]}
	response := given["response"]
	if len(given) != 4 || a.id == "" || a.nonce == "" || !decimal.MatchString(a.timestamp) || len(response) != hex.EncodedLen(len(a.response)) {
		return nil, false
	}
	if _, err := hex.Decode(a.response[:], []byte(response)); err != nil {
		return nil, false
	}
	seconds, err := strconv.ParseInt(a.timestamp, 10, 64)
	a.at = time.Unix(seconds, 0)
	return a, err == nil
}

// keyID returns the id of an API key in a form that the service accepts: "api_" is the vendor's prefix.
func keyID(text string) string {
	digits, own := strings.CutPrefix(text, keyPrefix)
	if own && len(digits) == hex.EncodedLen(len(bellwire.KeyID{})) {
		return digits
	}
	return text
}

// authenticate returns the caller and the body, which the signature covers. It does not read the body if the key does not
// exist or the signature is too old.
func (f *front) authenticate(r *http.Request) (service.Caller, []byte, error) {
	headers := r.Header["Authorization"]
	if len(headers) != 1 {
		return service.Caller{}, nil, unauthenticated("the Authorization header must be given once")
	}
	scheme, rest, _ := strings.Cut(headers[0], " ")
	switch {
	case strings.EqualFold(scheme, "Hmac"):
		return f.authenticateSigned(r, rest)
	case strings.EqualFold(scheme, "Basic") && f.basic:
		return f.authenticateBasic(r)
	}
	return service.Caller{}, nil, unauthenticated("the Authorization header has an unknown scheme")
}

func (f *front) authenticateSigned(r *http.Request, params string) (service.Caller, []byte, error) {
	a, ok := parseAuthorization(params)
	if !ok {
		return service.Caller{}, nil, unauthenticated(`the Authorization header must have the form Hmac id="…", nonce="…", timestamp="…", response="…"`)
	}
	claim, err := f.svc.ClaimSigned(r.Context(), service.SignedRequest{Key: keyID(a.id), Nonce: a.nonce, At: a.at})
	if err != nil {
		return service.Caller{}, nil, err
	}
	httpx.Claim(r, claim.Owner())
	body, err := readBody(r)
	if err != nil {
		return service.Caller{}, nil, err
	}
	c, err := claim.Prove(r.Context(), func(secret string) bool {
		return hmac.Equal(a.response[:], sign.PayConex(secret, r.Method, target(r), a.nonce, a.timestamp, body))
	})
	if err != nil {
		return c, nil, err
	}
	return c, body, httpx.Confirm(r, c.Owner())
}

func (f *front) authenticateBasic(r *http.Request) (service.Caller, []byte, error) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		return service.Caller{}, nil, unauthenticated("the Basic credentials are malformed")
	}
	c, err := f.svc.AuthenticateKey(r.Context(), keyID(id), secret)
	if err != nil {
		return c, nil, err
	}
	if err := httpx.Confirm(r, c.Owner()); err != nil {
		return c, nil, err
	}
	body, err := readBody(r)
	return c, body, err
}

// readBody returns the body of a POST or PATCH. Other requests are signed without a body.
func readBody(r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodPatch {
		return nil, nil
	}
	return httpx.ReadBody(r, httpx.MaxSmallBody)
}

// target returns the path with the query, byte for byte as it was sent.
func target(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI() // sent with scheme and host, as to a proxy
}

func unauthenticated(message string) error {
	return bellwire.Errorf(bellwire.CodeUnauthenticated, "%s", message)
}
