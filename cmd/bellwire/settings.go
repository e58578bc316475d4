package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/store/postgres"
	"github.com/bellwire/bellwire/internal/store/sqlite"
	"github.com/bellwire/bellwire/internal/telemetry"
)

// groups order the options in the help.
var groups = []kong.Group{
	{Key: "server", Title: "Server:"},
	{Key: "storage", Title: "Storage and keys:"},
	{Key: "delivery", Title: "Delivery:"},
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
	DrainTimeout time.Duration `group:"server" default:"30s" env:"BELLWIRE_DRAIN_TIMEOUT" placeholder:"TIME" help:"How long requests under way may take to end after SIGTERM."`

	DatabaseURL       databaseURL   `group:"storage" default:"sqlite://bellwire.db" env:"BELLWIRE_DATABASE_URL" placeholder:"URL" help:"Where everything is kept: sqlite://relative/path, sqlite:///absolute/path, or postgres://user@host:port/database."`
	DatabaseDirectURL databaseURL   `group:"storage" env:"BELLWIRE_DATABASE_DIRECT_URL" placeholder:"URL" help:"The same PostgreSQL database past the pooler that --database-url leads through, to be notified by. Default: --database-url."`
	KeysetFile        string        `group:"storage" env:"BELLWIRE_KEYSET_FILE" placeholder:"FILE" help:"Keys that seal secrets in the database; made on first start. Default: bellwire.keyset beside the SQLite file, or in the working directory."`
	AdminKey          string        `group:"storage" env:"BELLWIRE_ADMIN_KEY" placeholder:"KEY" help:"Key that may do everything. Default: one is made and printed on first start."`
	Retention         time.Duration `group:"storage" default:"720h" env:"BELLWIRE_RETENTION" placeholder:"TIME" help:"How long events are kept, with their deliveries and attempts, once there is nothing to be delivered of them any more. 0: for ever."`

	AllowNetwork  []network `group:"delivery" env:"BELLWIRE_ALLOW_NETWORKS" placeholder:"CIDR" help:"Private network that deliveries may reach. Give it again for more. Default: none."`
	MaxEventBytes int       `group:"delivery" default:"${max_event_bytes}" env:"BELLWIRE_MAX_EVENT_BYTES" placeholder:"BYTES" help:"Most bytes that one event's data may have."`

	Dialects              []string      `group:"dialects" env:"BELLWIRE_DIALECTS" placeholder:"NAME" help:"Dialects to serve beside standard. Default: all."`
	Sandbox               bool          `group:"dialects" env:"BELLWIRE_SANDBOX" help:"Serve the vendors' own calls that trigger events in their tutorials."`
	AuditRetention        time.Duration `group:"dialects" default:"8760h" env:"BELLWIRE_AUDIT_RETENTION" placeholder:"TIME" help:"How long the audit log keeps who asked for what in dialects that demand a reason."`
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
	LogLevel  string `group:"logs" default:"info" enum:"debug,info,warn,error" env:"BELLWIRE_LOG_LEVEL" placeholder:"LEVEL" help:"Least level that is logged: debug, info, warn or error."`
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

// Validate refuses what no single option can see to be wrong by its form. Kong calls it.
func (s *settings) Validate() error {
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		return option("listen", "%q is not HOST:PORT, such as 127.0.0.1:8080", s.Listen)
	}
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return option("public-url", "%q is not an absolute http or https URL", s.PublicURL)
		}
	}
	for _, name := range s.Dialects {
		if !slices.Contains(dialectNames(), name) {
			return option("dialects", "there is no dialect %q; this build has: %s", name, strings.Join(dialectNames(), ", "))
		}
	}
	if len(s.Node) > maxNodeName || !utf8.ValidString(s.Node) || strings.ContainsFunc(s.Node, unicode.IsControl) {
		return option("node", "it has at most %d bytes, and no control characters", maxNodeName)
	}
	if s.DatabaseDirectURL != (databaseURL{}) && (s.DatabaseDirectURL.postgres == "" || s.DatabaseURL.postgres == "") {
		return option("database-direct-url", "it goes together with --database-url, and both are postgres://…")
	}
	if s.MaxEventBytes < 1 || s.MaxEventBytes > maxMaxEventBytes {
		return option("max-event-bytes", "it is from 1 to %d", maxMaxEventBytes)
	}
	if s.Retention != 0 && (s.Retention < minRetention || s.Retention > maxRetention) {
		return option("retention", "it is from %v to %v, or 0 to keep events for ever", minRetention, maxRetention)
	}
	if s.AuditRetention <= 0 {
		return option("audit-retention", "it is longer than 0s")
	}
	if s.AkkuroJWKSURL != "" && s.AkkuroJWTSecret != "" {
		return option("akkuro-jwks-url", "it does not go together with --akkuro-jwt-secret")
	}
	if (s.AkkuroJWKSURL != "" || s.AkkuroJWTSecret != "") && s.AkkuroJWTAudience == "" {
		return option("akkuro-jwt-audience", "it is needed: tokens for other services would be taken without it")
	}
	for _, version := range s.AkkuroAPIVersions {
		if akkuro.CheckVersion(version) != nil {
			return option("akkuro-api-versions", "%q must have the form YYYY.Major.Minor, such as %s", version, akkuro.DefaultVersion)
		}
	}
	if s.DrainTimeout <= 0 {
		return option("drain-timeout", "it is longer than 0s")
	}
	return nil
}

// logger returns the logger that the settings ask for.
func (s *settings) logger(w io.Writer) *slog.Logger {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	return telemetry.NewLogger(w, s.LogFormat, levels[s.LogLevel])
}

// networks are those that deliveries may reach although they are private.
func (s *settings) networks() []netip.Prefix {
	prefixes := make([]netip.Prefix, len(s.AllowNetwork))
	for i, n := range s.AllowNetwork {
		prefixes[i] = n.Prefix
	}
	return prefixes
}

// keysetPath is where the keyset is kept. Nodes that share a database need copies of the same one.
func (s *settings) keysetPath() string {
	if s.KeysetFile != "" {
		return s.KeysetFile
	}
	return filepath.Join(filepath.Dir(s.DatabaseURL.path), "bellwire.keyset")
}

// option makes an error about an option.
func option(flag, format string, args ...any) error {
	return usagef("--%s: %s", flag, fmt.Sprintf(format, args...))
}

// network is a CIDR.
type network struct{ netip.Prefix }

// UnmarshalText reads a CIDR.
func (n *network) UnmarshalText(text []byte) error {
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		return usagef("%q is not a network such as 10.0.0.0/8 or fd00::/8", text)
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
		return usagef("it is sqlite://relative/path, sqlite:///absolute/path or postgres://user@host:port/database")
	case rest == "" || strings.HasSuffix(rest, "/") || strings.ContainsAny(rest, "?#"):
		return usagef("it names a file and has no parameters: sqlite://relative/path or sqlite:///absolute/path")
	}
	*d = databaseURL{path: filepath.Clean(rest)}
	return nil
}

func (d *databaseURL) readPostgres(raw string) error {
	u, err := url.Parse(raw)
	// One whose password has a slash seems to have neither, and the password seems to be what may be shown.
	if err != nil || strings.Trim(u.Path, "/") == "" || u.User == nil && strings.Contains(u.EscapedPath(), "@") {
		return usagef("it names a server and a database: postgres://user@host:port/database")
	}
	*d = databaseURL{postgres: raw}
	return nil
}

// String returns what may be shown.
func (d databaseURL) String() string {
	if d.postgres == "" {
		return d.path
	}
	u, err := url.Parse(d.postgres)
	if err != nil {
		return bellwire.Redacted
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// openStore opens the database.
func (s *settings) openStore(ctx context.Context, log *slog.Logger) (bellwire.Store, error) {
	if s.DatabaseURL.postgres != "" {
		return postgres.Open(ctx, s.DatabaseURL.postgres, postgres.Options{DirectURL: s.DatabaseDirectURL.postgres, Logger: log})
	}
	return sqlite.Open(ctx, s.DatabaseURL.path, sqlite.Options{})
}
