package main

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialect/atelio"
	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/token"
	"github.com/bellwire/bellwire/receive"
)

// dialect is one dialect of this build.
type dialect struct {
	name string
	// configure returns the dialect as the settings ask for it. publicURL has no slash at its end.
	configure func(s *settings, publicURL string) (bellwire.Dialect, error)
	// The paths of its management API begin with prefix, or have segment as their second segment. A dialect with neither
	// has no management API but the native one.
	prefix, segment string
	sandbox         string // where more paths of its management API begin in a sandbox; empty: nowhere
	catalogue       []byte // the vendor's event types, as package internal/catalogue reads them; nil: none
	deliversURL     bool   // deliveries contain the URL of this server
	// verifier returns the verifier of deliveries for the values of listen's --secret.
	verifier func(secrets ...string) (receive.Verifier, error)
}

// dialects are the dialects of this build, in the order of the documentation.
var dialects = []*dialect{
	{
		name:      standard.Name,
		configure: func(*settings, string) (bellwire.Dialect, error) { return standard.Dialect{}, nil },
		verifier:  func(secrets ...string) (receive.Verifier, error) { return receive.Standard(secrets...) },
	},
	{
		name:        akkuro.Name,
		configure:   akkuroDialect,
		segment:     akkuro.Segment,
		sandbox:     akkuro.SandboxPrefix,
		catalogue:   akkuro.Catalogue,
		deliversURL: true,
		verifier:    func(secrets ...string) (receive.Verifier, error) { return receive.Akkuro(secrets...) },
	},
	{
		name: atelio.Name,
		configure: func(s *settings, _ string) (bellwire.Dialect, error) {
			return atelio.Dialect{ExpandWildcards: s.AtelioExpandWildcards}, nil
		},
		prefix:    atelio.Prefix,
		catalogue: atelio.Catalogue,
		verifier:  func(secrets ...string) (receive.Verifier, error) { return receive.Atelio(secrets...) },
	},
	{
		name:      azakaw.Name,
		configure: azakawDialect,
		prefix:    azakaw.Prefix,
		sandbox:   azakaw.SandboxPrefix,
		catalogue: azakaw.Catalogue,
		verifier:  azakawVerifier,
	},
	{
		name: lemon.Name,
		configure: func(s *settings, _ string) (bellwire.Dialect, error) {
			return lemon.Dialect{StrictAck: s.LemonStrictAck}, nil
		},
		prefix:    lemon.Prefix,
		catalogue: lemon.Catalogue,
		verifier:  func(secrets ...string) (receive.Verifier, error) { return receive.Lemon(secrets...) },
	},
	{
		name: bluefin.Name,
		configure: func(s *settings, publicURL string) (bellwire.Dialect, error) {
			return bluefin.Dialect{PublicURL: publicURL, Basic: s.BluefinBasic}, nil
		},
		prefix:      bluefin.Prefix,
		catalogue:   bluefin.Catalogue,
		deliversURL: true,
		verifier:    func(webhooks ...string) (receive.Verifier, error) { return receive.Bluefin(webhooks...) },
	},
}

// akkuroDialect accepts callers' JSON Web Tokens if the settings name their issuer.
func akkuroDialect(s *settings, publicURL string) (bellwire.Dialect, error) {
	d := akkuro.Dialect{PublicURL: publicURL, Strict: s.AkkuroStrict, Provision: s.AkkuroProvisionTenants}
	for _, text := range s.AkkuroAPIVersions {
		version, err := akkuro.ParseVersion(text)
		if err != nil {
			return nil, err
		}
		d.Versions = append(d.Versions, version)
	}
	var err error
	d.Tokens, err = s.tokens(token.Config{
		JWKSURL: s.AkkuroJWKSURL, Secret: s.AkkuroJWTSecret, Audience: s.AkkuroJWTAudience, Issuer: s.AkkuroJWTIssuer,
		TenantClaim: s.AkkuroTenantClaim, ScopeClaim: s.AkkuroScopeClaim,
	})
	return d, err
}

// azakawDialect accepts callers' JSON Web Tokens if the settings name their issuer.
func azakawDialect(s *settings, _ string) (bellwire.Dialect, error) {
	tokens, err := s.tokens(token.Config{
		JWKSURL: s.AzakawJWKSURL, Secret: s.AzakawJWTSecret, Audience: s.AzakawJWTAudience, Issuer: s.AzakawJWTIssuer,
		TenantClaim: s.AzakawTenantClaim,
	})
	return azakaw.Dialect{Tokens: tokens}, err
}

// tokens returns the verifier of tokens, nil if there are none. A sandbox without an issuer issues its own, with a secret of this
// process.
func (s *settings) tokens(c token.Config) (*token.Verifier, error) {
	if c.JWKSURL == "" && c.Secret == "" {
		if !s.Sandbox {
			return nil, nil
		}
		c.Secret, c.Audience = rand.Text()+rand.Text(), "sandbox"
	}
	return token.New(c)
}

// azakawVerifier takes "username:password" for Basic credentials, and everything else for API keys.
func azakawVerifier(secrets ...string) (receive.Verifier, error) {
	if username, password, basic := strings.Cut(secrets[0], ":"); basic && len(secrets) == 1 {
		return receive.AzakawBasic(username, password)
	}
	return receive.AzakawAPIKey("", secrets...)
}

// fronted is a dialect with a management API of its own.
type fronted interface {
	Front(svc *service.Service, log *slog.Logger) http.Handler
}

var (
	_ fronted = akkuro.Dialect{}
	_ fronted = atelio.Dialect{}
	_ fronted = azakaw.Dialect{}
	_ fronted = bluefin.Dialect{}
	_ fronted = lemon.Dialect{}
)

// mount puts a management API at the dialect's paths.
func (d *dialect) mount(dispatcher *httpx.Dispatcher, front http.Handler, sandbox bool) {
	if sandbox && d.sandbox != "" {
		dispatcher.Mount(front, d.sandbox)
	}
	if d.segment != "" {
		dispatcher.MountSecond(front, d.segment)
		return
	}
	dispatcher.Mount(front, d.prefix)
}

func dialectNames() []string {
	names := make([]string, len(dialects))
	for i, d := range dialects {
		names[i] = d.name
	}
	return names
}

// enabledDialects returns the named dialects, or all if none is named, or if the names have allDialects. It always includes
// standard, the default of the native API's endpoints.
func enabledDialects(names []string) []*dialect {
	var enabled []*dialect
	for _, d := range dialects {
		if len(names) == 0 || d.name == standard.Name || slices.Contains(names, d.name) || slices.Contains(names, allDialects) {
			enabled = append(enabled, d)
		}
	}
	return enabled
}

// dialectOf returns the named dialect, or nil if this build does not have it.
func dialectOf(name string) *dialect {
	if i := slices.IndexFunc(dialects, func(d *dialect) bool { return d.name == name }); i >= 0 {
		return dialects[i]
	}
	return nil
}
