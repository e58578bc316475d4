package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/store/postgres"
	"github.com/bellwire/bellwire/internal/store/sqlite"
	"github.com/bellwire/bellwire/internal/telemetry"
)

// groups order the options in the help.
var groups = []kong.Group{
	{Key: "server", Title: "Server:"},
	{Key: "storage", Title: "Storage and keys:"},
	{Key: "delivery", Title: "Delivery:"},
	{Key: "limits", Title: "Limits:"},
	{Key: "dialects", Title: "Dialects:"},
	{Key: "logs", Title: "Logs:"},
	{Key: "connection", Title: "Connection to a server:"},
	{Key: "answer", Title: "How to answer:"},
}

// settings are everything that a server can be told. Each is a flag, an environment variable and a key of the
// configuration file; docs/configuration.md is held against them by a test.
type settings struct {
	Listen       string        `group:"server" default:"127.0.0.1:8080" env:"BELLWIRE_LISTEN" placeholder:"HOST:PORT" help:"Address to listen on."`
	PublicURL    string        `group:"server" env:"BELLWIRE_PUBLIC_URL" placeholder:"URL" help:"Where clients reach this server, if not at the address it listens on."`
	Node         string        `group:"server" env:"BELLWIRE_NODE" placeholder:"NAME" help:"Name of this node among those that share a PostgreSQL database. Default: the host's name and the address it listens on."`
	DrainDelay   time.Duration `group:"server" default:"0s" env:"BELLWIRE_DRAIN_DELAY" placeholder:"TIME" help:"How long to go on after SIGTERM with /readyz failing, before no more connections are taken: load balancers need that time to look elsewhere."`
	DrainTimeout time.Duration `group:"server" default:"30s" env:"BELLWIRE_DRAIN_TIMEOUT" placeholder:"TIME" help:"How long requests under way may take to end after SIGTERM and the drain delay."`

	storage
	NewDatabase bool          `group:"storage" env:"BELLWIRE_NEW_DATABASE" help:"Make a new SQLite database although a keyset is there already, as it is when a database was lost."`
	AdminKey    string        `group:"storage" env:"BELLWIRE_ADMIN_KEY" placeholder:"KEY" help:"Key that may do everything, of at least 16 characters. Default: one is made and printed on first start."`
	Retention   time.Duration `group:"storage" default:"30d" env:"BELLWIRE_RETENTION" placeholder:"TIME" help:"How long events are kept, with their deliveries and attempts, after their last delivery has ended. 0: for ever."`

	AllowNetwork  []network    `group:"delivery" env:"BELLWIRE_ALLOW_NETWORKS" placeholder:"CIDR" help:"Private network that deliveries may reach. Give it again for more. Default: none."`
	DenyNetwork   []network    `group:"delivery" env:"BELLWIRE_DENY_NETWORKS" placeholder:"CIDR" help:"Network that deliveries may not reach, whatever is allowed. Give it again for more. Default: none."`
	MaxEventBytes cli.ByteSize `group:"delivery" default:"${max_event_bytes}" env:"BELLWIRE_MAX_EVENT_BYTES" placeholder:"SIZE" help:"Maximum size of one event's data, such as 512KiB; at most 16MiB."`

	Limits []limitValue `name:"limit" group:"limits" env:"BELLWIRE_LIMITS" placeholder:"NAME=VALUE" pairs:"" help:"Limit on what a tenant may have and do, such as endpoints=5000. Give it again for more. Default: as docs/limits.md says. Names: ${limits}."`

	Dialects              []string      `group:"dialects" env:"BELLWIRE_DIALECTS" placeholder:"NAME" help:"Dialects to serve beside standard. Default: all."`
	Sandbox               bool          `group:"dialects" env:"BELLWIRE_SANDBOX" help:"Serve the vendors' own calls that trigger events in their tutorials."`
	AuditRetention        time.Duration `group:"dialects" default:"365d" env:"BELLWIRE_AUDIT_RETENTION" placeholder:"TIME" help:"How long the audit log keeps who asked for what in dialects that demand a reason."`
	AkkuroJWKSURL         string        `name:"akkuro-jwks-url" group:"dialects" env:"BELLWIRE_AKKURO_JWKS_URL" placeholder:"URL" help:"Where the keys are that callers of the dialect akkuro sign their tokens with."`
	AkkuroJWTSecret       string        `name:"akkuro-jwt-secret" group:"dialects" env:"BELLWIRE_AKKURO_JWT_SECRET" placeholder:"SECRET" help:"Secret that these tokens are signed with, instead."`
	AkkuroJWTAudience     string        `name:"akkuro-jwt-audience" group:"dialects" env:"BELLWIRE_AKKURO_JWT_AUDIENCE" placeholder:"NAME" help:"Audience that these tokens must be for."`
	AkkuroTenantClaim     string        `name:"akkuro-tenant-claim" group:"dialects" default:"tenant" env:"BELLWIRE_AKKURO_TENANT_CLAIM" placeholder:"NAME" help:"Claim of these tokens that holds the tenant."`
	AkkuroAPIVersions     []string      `name:"akkuro-api-versions" group:"dialects" default:"2024.1.0" env:"BELLWIRE_AKKURO_API_VERSIONS" placeholder:"VERSION" help:"Versions of the API that clients of the dialect akkuro may ask for. Several are separated by commas."`
	AtelioExpandWildcards bool          `group:"dialects" env:"BELLWIRE_ATELIO_EXPAND_WILDCARDS" help:"Keep the events that a wildcard matches when it is written, instead of the wildcard, in the dialect atelio."`
	AkkuroStrict          bool          `group:"dialects" env:"BELLWIRE_AKKURO_STRICT" help:"Refuse bodies in the dialect akkuro whose content type is not application/json, as its vendor's rules say and its examples do not."`
	BluefinBasic          bool          `group:"dialects" env:"BELLWIRE_BLUEFIN_BASIC" help:"Take a key's id and secret as Basic credentials in the dialect bluefin, as its certification environment does."`
	LemonStrictAck        bool          `group:"dialects" env:"BELLWIRE_LEMON_STRICT_ACK" help:"Take only the status 200 as acknowledged in the dialect lemon, and no other 2xx."`

	LogFormat string `group:"logs" default:"text" enum:"text,json" env:"BELLWIRE_LOG_FORMAT" placeholder:"FORMAT" help:"Form of log records on standard error: text or json."`
	LogLevel  string `group:"logs" default:"info" enum:"debug,info,warn,error" env:"BELLWIRE_LOG_LEVEL" placeholder:"LEVEL" help:"Minimum level that is logged: debug, info, warn or error."`
}

// MaxEventBytes may not be above this: a publish is read into memory as a whole.
const maxMaxEventBytes = 16 << 20

// maxNodeName is the most bytes that a node's name may have.
const maxNodeName = 256

// An event is kept from minRetention to maxRetention, or for ever.
const (
	minRetention = time.Second
	maxRetention = 50 * 365 * 24 * time.Hour
)

// minAdminKey is the fewest characters that an admin key may have: a shorter one can be guessed.
const minAdminKey = 16

// Validate refuses what no single option can see to be wrong by its form. Kong calls it.
func (s *settings) Validate() error {
	return cmp.Or(s.checkServer(), s.checkStorage(), s.checkDelivery(), s.checkLimits(), s.checkDialects())
}

func (s *settings) checkServer() error {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return cli.Option("listen", "%q must be HOST:PORT, such as 127.0.0.1:8080", s.Listen)
	}
	if err := checkPublicURL(s.PublicURL); err != nil {
		return err
	}
	if named := s.urlDialects(); s.PublicURL == "" && len(named) > 0 && isUnspecified(host) {
		return cli.Option("public-url", "must be given with --listen %s, which is no address that anybody can call, because the dialects %s "+
			"deliver this server's URL: give --public-url https://…, or name other dialects in --dialects, such as standard",
			s.Listen, strings.Join(named, " and "))
	}
	if len(s.Node) > maxNodeName {
		return cli.Option("node", "must have at most %d bytes", maxNodeName)
	}
	if s.DrainDelay < 0 {
		return cli.Option("drain-delay", "must not be negative")
	}
	if s.DrainTimeout <= 0 {
		return cli.Option("drain-timeout", "must be longer than 0s")
	}
	return nil
}

func (s *settings) checkStorage() error {
	if err := s.storage.check(); err != nil {
		return err
	}
	if s.AdminKey != "" && utf8.RuneCountInString(s.AdminKey) < minAdminKey {
		return cli.Option("admin-key", "must have at least %d characters, so that it cannot be guessed", minAdminKey)
	}
	if s.Retention != 0 && (s.Retention < minRetention || s.Retention > maxRetention) {
		return cli.Option("retention", "must be between 1s and 18250d (50 years), or 0 to keep events for ever")
	}
	return nil
}

func (s *settings) checkDelivery() error {
	if s.MaxEventBytes < 1 || s.MaxEventBytes > maxMaxEventBytes {
		return cli.Option("max-event-bytes", "must be between 1 and %d (16MiB)", maxMaxEventBytes)
	}
	return nil
}

func (s *settings) checkDialects() error {
	for _, name := range s.Dialects {
		if !slices.Contains(dialectNames(), name) {
			return cli.Option("dialects", "there is no dialect %q; this build has: %s", name, strings.Join(dialectNames(), ", "))
		}
	}
	if s.AuditRetention <= 0 {
		return cli.Option("audit-retention", "must be longer than 0s")
	}
	if s.AkkuroJWKSURL != "" && s.AkkuroJWTSecret != "" {
		return cli.Option("akkuro-jwks-url", "must not be given together with --akkuro-jwt-secret")
	}
	if (s.AkkuroJWKSURL != "" || s.AkkuroJWTSecret != "") && s.AkkuroJWTAudience == "" {
		return cli.Option("akkuro-jwt-audience", "must be given: tokens for other services would be taken without it")
	}
	for _, version := range s.AkkuroAPIVersions {
		if akkuro.CheckVersion(version) != nil {
			return cli.Option("akkuro-api-versions", "%q must have the form YYYY.Major.Minor, such as %s", version, akkuro.DefaultVersion)
		}
	}
	return nil
}

func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// checkPublicURL refuses a URL that paths cannot be put behind, or that customers cannot call.
func checkPublicURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || !isHTTP(text):
		return cli.Option("public-url", "must be an absolute http or https URL, such as https://webhooks.example.com")
	case u.User != nil:
		return cli.Option("public-url", "must not contain a user name or password: customers are given this URL")
	case strings.ContainsAny(text, "?#"):
		return cli.Option("public-url", "must have no query and no fragment: paths are put behind it")
	case isUnspecified(u.Hostname()):
		return cli.Option("public-url", "%q is no address that anybody can call: must be where clients reach this server", text)
	}
	return nil
}

// isUnspecified reports whether a server that listens on the host does so on all addresses of its machine.
func isUnspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.Unmap().IsUnspecified()
}

// urlDialects are the enabled dialects that write the server's own URL into what they deliver.
func (s *settings) urlDialects() []string {
	var names []string
	for _, d := range enabledDialects(s.Dialects) {
		if d.deliversURL {
			names = append(names, d.name)
		}
	}
	return names
}

// logger returns the logger that the settings ask for.
func (s *settings) logger(w io.Writer) *slog.Logger {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	return telemetry.NewLogger(w, s.LogFormat, levels[s.LogLevel])
}

// guard makes what decides which addresses deliveries may reach.
func (s *settings) guard() *destination.Guard {
	return destination.New(destination.Config{
		Allow: prefixes(s.AllowNetwork), Deny: prefixes(s.DenyNetwork), Own: destination.NodeAddresses(),
	})
}

func prefixes(networks []network) []netip.Prefix {
	list := make([]netip.Prefix, len(networks))
	for i, n := range networks {
		list[i] = n.Prefix
	}
	return list
}

// warnOfAllowed says that deliveries may reach everything, if they may.
func (s *settings) warnOfAllowed(log *slog.Logger) {
	for _, n := range s.AllowNetwork {
		if n.Bits() == 0 {
			log.Warn("--allow-network allows every address: tenants' endpoints reach this machine and all its networks", "network", n.String())
		}
	}
}

// network is a CIDR.
type network struct{ netip.Prefix }

// UnmarshalText reads a CIDR.
func (n *network) UnmarshalText(text []byte) error {
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		return cli.Usagef("%q must be a network such as 10.0.0.0/8 or fd00::/8", text)
	}
	n.Prefix = prefix.Masked()
	return nil
}

// databaseURL names the database. Exactly one member is set.
type databaseURL struct {
	path     string // of the SQLite file
	postgres string // the URL of a PostgreSQL database, which can hold a password
}

// UnmarshalText reads a database URL. Its error never repeats the URL, which can hold a password.
func (d *databaseURL) UnmarshalText(text []byte) error {
	raw := string(text)
	scheme, rest, found := strings.Cut(raw, "://")
	switch {
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return d.readPostgres(raw)
	case !found || scheme != "sqlite":
		return cli.Usagef("must be sqlite://relative/path, sqlite:///absolute/path or postgres://user@host:port/database")
	case rest == "" || strings.HasSuffix(rest, "/") || strings.ContainsAny(rest, "?#\"'") || strings.TrimSpace(rest) != rest:
		return cli.Usagef("must name a file, without parameters, quotes or outer blanks: sqlite://relative/path or sqlite:///absolute/path")
	}
	*d = databaseURL{path: filepath.Clean(rest)}
	return nil
}

func (d *databaseURL) readPostgres(raw string) error {
	if err := postgres.CheckURL(raw); err != nil {
		return cli.Usagef("%s", err)
	}
	*d = databaseURL{postgres: raw}
	return nil
}

// String returns what may be shown.
func (d databaseURL) String() string {
	if d.postgres == "" {
		return d.path
	}
	return postgres.Shown(d.postgres)
}

// openStore opens the database. A new SQLite file is made only if mayMake has nothing against it.
func (s *storage) openStore(ctx context.Context, log *slog.Logger, mayMake func(path string) error) (bellwire.Store, error) {
	if s.DatabaseURL.postgres != "" {
		return postgres.Open(ctx, s.DatabaseURL.postgres, postgres.Options{
			DirectURL: s.DatabaseDirectURL.postgres, Connections: s.DatabaseConnections, Logger: log,
		})
	}
	return sqlite.Open(ctx, s.DatabaseURL.path, sqlite.Options{Logger: log, New: mayMake})
}

// reads is how many reads the store makes for callers at the same time.
func (s *storage) reads() int {
	if s.DatabaseURL.postgres != "" {
		return postgres.Lists(s.DatabaseConnections)
	}
	return limits.Reads
}
