package api

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// cookie is the cookie that holds the token of a console session. It authenticates requests of the native API without an
// Authorization header, and nothing else.
type cookie struct {
	name   string
	path   string
	secure bool
	origin *http.CrossOriginProtection
}

// newCookie returns the cookie for a server that clients reach at the given URL.
func newCookie(publicURL string) *cookie {
	c := &cookie{name: "bellwire_session", path: "/", origin: http.NewCrossOriginProtection()}
	u, err := url.Parse(publicURL)
	if err != nil {
		return c
	}
	c.secure = u.Scheme == "https"
	if prefix := strings.TrimRight(u.EscapedPath(), "/"); prefix != "" {
		c.path = prefix
	} else if c.secure {
		c.name = "__Host-bellwire"
	}
	_ = c.origin.AddTrustedOrigin(u.Scheme + "://" + u.Host) // a URL without a host has no pages
	return c
}

// token returns the token in a request, empty if there is none.
func (c *cookie) token(r *http.Request) (string, error) {
	if len(r.Header.Values("Authorization")) > 0 {
		return "", nil
	}
	switch cookies := r.CookiesNamed(c.name); len(cookies) {
	case 0:
		return "", nil
	case 1:
		return cookies[0].Value, c.check(r)
	default: // another site has set one too
		return "", bellwire.Errorf(bellwire.CodeUnauthenticated, "the cookie %s must be sent once; delete the cookies of this site, and sign in again", c.name)
	}
}

// check refuses requests to change something that do not come from the server's own pages. Browsers send at least one of the two
// headers.
func (c *cookie) check(r *http.Request) error {
	said := r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != ""
	if safe := r.Method == http.MethodGet || r.Method == http.MethodHead; safe || said && c.origin.Check(r) == nil {
		return nil
	}
	return bellwire.Errorf(bellwire.CodeForbidden, "requests with the console's cookie must come from its own pages; elsewhere, send a key")
}

// set returns the header that sets the cookie.
func (c *cookie) set(token string, lasts time.Duration) string {
	return c.header(token, int(lasts/time.Second))
}

// clear returns the header that deletes the cookie.
func (c *cookie) clear() string { return c.header("", -1) }

func (c *cookie) header(value string, maxAge int) string {
	made := http.Cookie{
		Name: c.name, Value: value, Path: c.path, MaxAge: maxAge, HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteStrictMode,
	}
	return made.String()
}

// credentials returns the caller of a request: by the console's cookie, by a portal session's token, or by what withKey returns for
// a key.
func (a *api) credentials(r *http.Request, withKey func(string) (service.Caller, error)) (service.Caller, error) {
	token, err := a.cookie.token(r)
	switch {
	case err != nil:
		return service.Caller{}, err
	case token != "":
		return a.svc.AuthenticateConsole(r.Context(), token)
	}
	secret, err := httpx.Bearer(r)
	switch {
	case err != nil:
		return service.Caller{}, err
	case strings.HasPrefix(secret, service.PortalTokenPrefix):
		return a.svc.AuthenticatePortal(r.Context(), secret)
	}
	return withKey(secret)
}
