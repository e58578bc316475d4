package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"math"
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
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/mail"
	"github.com/bellwire/bellwire/internal/service"
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
	{Key: "traces", Title: "Traces:"},
	{Key: "alerts", Title: "Alerts by e-mail:"},
	{Key: "connection", Title: "Connection to a server:"},
	{Key: "answer", Title: "How to answer:"},
	{Key: "doctor", Title: "Examination:"},
}

// settings are the options of the server. Each is a flag, an environment variable and a key of the configuration file. The tag
// secret keeps the value of one from being shown. A test compares docs/configuration.md with them.
type settings struct {
	Listen       string        `group:"server" default:"127.0.0.1:8080" env:"BELLWIRE_LISTEN" placeholder:"HOST:PORT" help:"Address to listen on."`
	PublicURL    string        `group:"server" env:"BELLWIRE_PUBLIC_URL" placeholder:"URL" help:"URL at which clients reach this server, if it is not the address that it listens on."`
	Node         string        `group:"server" env:"BELLWIRE_NODE" placeholder:"NAME" help:"Name of this node among those that share a PostgreSQL database. Default: the host name and the address that it listens on."`
	NodeListen   string        `group:"server" env:"BELLWIRE_NODE_LISTEN" placeholder:"HOST:PORT" help:"Address at which this node takes deliveries from the other nodes. Default: none; then they go through the database, which takes longer."`
	NodeAddress  string        `group:"server" env:"BELLWIRE_NODE_ADDRESS" placeholder:"HOST:PORT" help:"Address at which other nodes reach --node-listen, if it is not that."`
	DrainDelay   time.Duration `group:"server" default:"0s" env:"BELLWIRE_DRAIN_DELAY" placeholder:"TIME" help:"How long to keep serving after SIGTERM, with /readyz failing, so that load balancers can choose other nodes."`
	DrainTimeout time.Duration `group:"server" default:"30s" env:"BELLWIRE_DRAIN_TIMEOUT" placeholder:"TIME" help:"How long requests in progress may take to finish after SIGTERM and the drain delay."`

	storage
	NewDatabase bool          `group:"storage" env:"BELLWIRE_NEW_DATABASE" help:"Create a new SQLite database although a keyset exists, as after the loss of a database."`
	AdminKey    string        `group:"storage" env:"BELLWIRE_ADMIN_KEY" secret:"" placeholder:"KEY" help:"Key that may do everything, of at least 16 characters. Default: created and printed on first start."`
	Retention   time.Duration `group:"storage" default:"30d" env:"BELLWIRE_RETENTION" placeholder:"TIME" help:"How long events are kept, with their deliveries and attempts, counted from when they were accepted. Events with open deliveries are kept longer. 0: forever."`

	StatisticsMinutes time.Duration `group:"storage" default:"2d" env:"BELLWIRE_STATISTICS_MINUTES" placeholder:"TIME" help:"How long statistics by minute are kept."`
	StatisticsHours   time.Duration `group:"storage" default:"60d" env:"BELLWIRE_STATISTICS_HOURS" placeholder:"TIME" help:"How long statistics by hour are kept."`
	StatisticsDays    time.Duration `group:"storage" default:"730d" env:"BELLWIRE_STATISTICS_DAYS" placeholder:"TIME" help:"How long statistics by day are kept."`

	AllowNetwork  []network    `group:"delivery" env:"BELLWIRE_ALLOW_NETWORKS" placeholder:"CIDR" help:"Private network that deliveries may reach. Repeat it for more. Default: none."`
	DenyNetwork   []network    `group:"delivery" env:"BELLWIRE_DENY_NETWORKS" placeholder:"CIDR" help:"Network that deliveries must not reach, whatever is allowed. Repeat it for more. Default: none."`
	MaxEventBytes cli.ByteSize `group:"delivery" default:"${max_event_bytes}" env:"BELLWIRE_MAX_EVENT_BYTES" placeholder:"SIZE" help:"Maximum size of one event's data, such as 512KiB; at most 16MiB."`

	Limits []limitValue `name:"limit" group:"limits" env:"BELLWIRE_LIMITS" placeholder:"NAME=VALUE" pairs:"" help:"Limit on what a tenant may have and do, such as endpoints=5000. Repeat it for more. Default: as in docs/limits.md. Names: {limits}."`

	Dialects               []string         `group:"dialects" env:"BELLWIRE_DIALECTS" placeholder:"NAME" complete:"dialect" help:"Dialects to serve in addition to standard: {dialects}, all of these with all, or {shipped}. Default: all but the last ones, which files declare."`
	DialectDir             string           `group:"dialects" env:"BELLWIRE_DIALECT_DIR" placeholder:"FOLDER" help:"Folder whose YAML files each declare a dialect, which is served too. Default: none."`
	DialectSettings        []dialectSetting `name:"dialect-setting" group:"dialects" env:"BELLWIRE_DIALECT_SETTINGS" placeholder:"DIALECT.NAME=VALUE" pairs:"" sep:";" help:"Setting of a dialect for all tenants, such as lemon.timeout=20s or azakaw.user_agent=azakaw/1.0. Repeat it for more. Default: as in docs/dialects.md."`
	Sandbox                bool             `group:"dialects" env:"BELLWIRE_SANDBOX" help:"Serve the vendors' own calls that trigger events in their tutorials."`
	AuditRetention         time.Duration    `group:"dialects" default:"365d" env:"BELLWIRE_AUDIT_RETENTION" placeholder:"TIME" help:"How long the audit log keeps who changed what, and who read what in dialects that require a reason."`
	AkkuroJWKSURL          string           `name:"akkuro-jwks-url" group:"dialects" env:"BELLWIRE_AKKURO_JWKS_URL" placeholder:"URL" help:"URL of the keys (JWKS) that verify the tokens of callers of the dialect akkuro."`
	AkkuroJWTSecret        string           `name:"akkuro-jwt-secret" group:"dialects" env:"BELLWIRE_AKKURO_JWT_SECRET" secret:"" placeholder:"SECRET" help:"Secret that verifies these tokens, instead of a JWKS."`
	AkkuroJWTAudience      string           `name:"akkuro-jwt-audience" group:"dialects" env:"BELLWIRE_AKKURO_JWT_AUDIENCE" placeholder:"NAME" help:"Audience that these tokens must have."`
	AkkuroJWTIssuer        string           `name:"akkuro-jwt-issuer" group:"dialects" env:"BELLWIRE_AKKURO_JWT_ISSUER" placeholder:"NAME" help:"Issuer that these tokens must have. Default: any."`
	AkkuroScopeClaim       string           `name:"akkuro-scope-claim" group:"dialects" env:"BELLWIRE_AKKURO_SCOPE_CLAIM" placeholder:"NAME" help:"Claim of these tokens that contains the functional groups that they are for. Default: none, and they are for all."`
	AkkuroProvisionTenants bool             `name:"akkuro-provision-tenants" group:"dialects" env:"BELLWIRE_AKKURO_PROVISION_TENANTS" help:"Dialect akkuro: create the tenant of a valid token if it does not exist."`
	AkkuroTenantClaim      string           `name:"akkuro-tenant-claim" group:"dialects" default:"tenant" env:"BELLWIRE_AKKURO_TENANT_CLAIM" placeholder:"NAME" help:"Claim of these tokens that contains the tenant."`
	AkkuroAPIVersions      []string         `name:"akkuro-api-versions" group:"dialects" default:"2024.1.0" env:"BELLWIRE_AKKURO_API_VERSIONS" placeholder:"VERSION" help:"API versions that clients of the dialect akkuro may request, separated by commas. With =N, endpoints that are registered with it get version N of their event type's data."`
	AtelioExpandWildcards  bool             `group:"dialects" env:"BELLWIRE_ATELIO_EXPAND_WILDCARDS" help:"Dialect atelio: store the event types that a wildcard matches when it is written, instead of the wildcard."`
	AkkuroStrict           bool             `group:"dialects" env:"BELLWIRE_AKKURO_STRICT" help:"Dialect akkuro: refuse bodies whose content type is not application/json, which the vendor's own examples do not send."`
	AzakawJWKSURL          string           `name:"azakaw-jwks-url" group:"dialects" env:"BELLWIRE_AZAKAW_JWKS_URL" placeholder:"URL" help:"URL of the keys (JWKS) that verify the tokens of callers of the dialect azakaw."`
	AzakawJWTSecret        string           `name:"azakaw-jwt-secret" group:"dialects" env:"BELLWIRE_AZAKAW_JWT_SECRET" secret:"" placeholder:"SECRET" help:"Secret that verifies these tokens, instead of a JWKS."`
	AzakawJWTAudience      string           `name:"azakaw-jwt-audience" group:"dialects" env:"BELLWIRE_AZAKAW_JWT_AUDIENCE" placeholder:"NAME" help:"Audience that these tokens must have."`
	AzakawJWTIssuer        string           `name:"azakaw-jwt-issuer" group:"dialects" env:"BELLWIRE_AZAKAW_JWT_ISSUER" placeholder:"NAME" help:"Issuer that these tokens must have. Default: any."`
	AzakawTenantClaim      string           `name:"azakaw-tenant-claim" group:"dialects" default:"tenantId" env:"BELLWIRE_AZAKAW_TENANT_CLAIM" placeholder:"NAME" help:"Claim of these tokens that contains the tenant."`
	BluefinBasic           bool             `group:"dialects" env:"BELLWIRE_BLUEFIN_BASIC" help:"Dialect bluefin: accept a key's id and secret as Basic credentials, as the vendor's certification environment does."`
	LemonStrictAck         bool             `group:"dialects" env:"BELLWIRE_LEMON_STRICT_ACK" help:"Dialect lemon: accept only status 200 as an acknowledgement, and no other 2xx."`

	LogFormat string `group:"logs" default:"text" enum:"text,json" env:"BELLWIRE_LOG_FORMAT" placeholder:"FORMAT" help:"Format of the log on standard error: text or json."`
	LogLevel  string `group:"logs" default:"info" enum:"debug,info,warn,error" env:"BELLWIRE_LOG_LEVEL" placeholder:"LEVEL" help:"Minimum level to log: debug, info, warn or error."`

	OTLPEndpoint string  `name:"otlp-endpoint" group:"traces" env:"BELLWIRE_OTLP_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" help:"URL of an OpenTelemetry collector that gets spans over HTTP, such as http://127.0.0.1:4318. Default: none are recorded."`
	TraceRatio   float64 `group:"traces" default:"0" env:"BELLWIRE_TRACE_RATIO" placeholder:"SHARE" help:"Share of publishes without a trace of the publisher's for which one begins, from 0 to 1."`

	SMTPURL    smtpURL  `name:"smtp-url" group:"alerts" env:"BELLWIRE_SMTP_URL" placeholder:"URL" help:"Mail server for alerts, such as smtp://user:password@mail.example.com:587, or smtps:// for TLS from the start."`
	SMTPFrom   string   `name:"smtp-from" group:"alerts" env:"BELLWIRE_SMTP_FROM" placeholder:"ADDRESS" help:"E-mail address that alerts come from."`
	AlertEmail []string `group:"alerts" env:"BELLWIRE_ALERT_EMAILS" placeholder:"ADDRESS" help:"E-mail address that gets alerts about failing and disabled endpoints and failed jobs, at most one an hour. Repeat it for more. Default: none."`
}

// maxMaxEventBytes bounds MaxEventBytes, because a publish is read into memory as a whole.
const maxMaxEventBytes = 16 << 20

// maxNodeName is the maximum length of a node's name, in bytes.
const maxNodeName = 256

// Bounds of the retention of events, which can also be 0, for ever.
const (
	minRetention = time.Second
	maxRetention = 50 * 365 * 24 * time.Hour
)

// minAdminKey is the minimum length of an admin key, in characters. A shorter one could be guessed.
const minAdminKey = 16

// Validate refuses values and combinations of values that pass the parsing of the single options. Kong calls it.
func (s *settings) Validate() error {
	return cmp.Or(s.checkServer(), s.checkStorage(), s.checkDelivery(), s.checkLimits(), s.checkDialects(), s.checkTraces(), s.checkAlerts())
}

func (s *settings) checkServer() error {
	host, err := checkAddress("listen", s.Listen)
	if err != nil {
		return err
	}
	if err := checkPublicURL(s.PublicURL); err != nil {
		return err
	}
	if named := s.urlDialects(); s.PublicURL == "" && len(named) > 0 && isUnspecified(host) {
		return cli.Option("public-url", "must be given with --listen %s, because the dialects %s deliver this server's URL, and clients cannot call "+
			"such an address; set it to https://…, or choose dialects with --dialects, such as standard",
			s.Listen, strings.Join(named, " and "))
	}
	if err := s.checkNodeListen(); err != nil {
		return err
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

// checkNodeListen refuses addresses at which no other node could reach this one.
func (s *settings) checkNodeListen() error {
	if s.NodeListen == "" {
		if s.NodeAddress != "" {
			return cli.Option("node-address", "must be given together with --node-listen")
		}
		return nil
	}
	host, err := checkAddress("node-listen", s.NodeListen)
	if err != nil {
		return err
	}
	if s.DatabaseURL.postgres == "" {
		return cli.Option("node-listen", "must not be given with SQLite, whose database has one node only")
	}
	if s.NodeAddress == "" {
		if isUnspecified(host) {
			return cli.Option("node-address", "must be given with --node-listen %s, because other nodes cannot connect to such an address", s.NodeListen)
		}
		return nil
	}
	if host, err = checkAddress("node-address", s.NodeAddress); err == nil && isUnspecified(host) {
		return cli.Option("node-address", "must be an address at which other nodes reach this one, not %q", s.NodeAddress)
	}
	return err
}

// checkAddress returns the host of an address to listen on, or an error about the option.
func checkAddress(option, address string) (host string, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", cli.Option(option, "%q must be HOST:PORT, such as 127.0.0.1:8080", address)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return "", cli.Option(option, "the port %q must be a number between 0 and 65535", port)
	}
	return host, nil
}

func (s *settings) checkStorage() error {
	if err := s.storage.check(); err != nil {
		return err
	}
	if s.AdminKey != "" && utf8.RuneCountInString(s.AdminKey) < minAdminKey {
		return cli.Option("admin-key", "must have at least %d characters, so that it cannot be guessed", minAdminKey)
	}
	if s.Retention != 0 && (s.Retention < minRetention || s.Retention > maxRetention) {
		return cli.Option("retention", "must be between 1s and 18250d (50 years), or 0 to keep events forever")
	}
	return s.checkStatistics()
}

// checkStatistics refuses times for which an interval cannot be asked for, and those that keep fine statistics longer than coarse
// ones.
func (s *settings) checkStatistics() error {
	kept := []struct {
		option      string
		time, least time.Duration
	}{
		{"statistics-minutes", s.StatisticsMinutes, time.Hour},
		{"statistics-hours", s.StatisticsHours, 24 * time.Hour},
		{"statistics-days", s.StatisticsDays, 24 * time.Hour},
	}
	for i, k := range kept {
		if k.time < k.least || k.time > maxRetention {
			return cli.Option(k.option, "must be between %s and 18250d (50 years)", bellwire.Duration(k.least))
		}
		if i > 0 && k.time < kept[i-1].time {
			return cli.Option(k.option, "must not be shorter than --%s", kept[i-1].option)
		}
	}
	return nil
}

// statisticsKept returns how long statistics are kept.
func (s *settings) statisticsKept() bellwire.StatisticsKept {
	return bellwire.StatisticsKept{Minutes: s.StatisticsMinutes, Hours: s.StatisticsHours, Days: s.StatisticsDays}
}

func (s *settings) checkDelivery() error {
	if s.MaxEventBytes < 1 || s.MaxEventBytes > maxMaxEventBytes {
		return cli.Option("max-event-bytes", "must be between 1 and %d (16MiB)", maxMaxEventBytes)
	}
	return nil
}

func (s *settings) checkDialects() error {
	for _, name := range s.Dialects {
		// A file of the folder can declare others; fileDialects refuses the rest.
		if s.DialectDir == "" && name != allDialects && !slices.Contains(servableDialects(), name) {
			return unknownDialect(name, "dialects")
		}
	}
	if _, err := settingsByDialect(s.DialectSettings); err != nil {
		return err
	}
	if s.AuditRetention <= 0 {
		return cli.Option("audit-retention", "must be longer than 0s")
	}
	if err := cmp.Or(checkTokens("akkuro", s.AkkuroJWKSURL, s.AkkuroJWTSecret, s.AkkuroJWTAudience),
		checkTokens("azakaw", s.AzakawJWKSURL, s.AzakawJWTSecret, s.AzakawJWTAudience)); err != nil {
		return err
	}
	for _, version := range s.AkkuroAPIVersions {
		if _, err := akkuro.ParseVersion(version); err != nil {
			return cli.Option("akkuro-api-versions", "%q must have the form YYYY.Major.Minor, such as %[2]s, or %[2]s=1 with a version of the data", version, akkuro.DefaultVersion)
		}
	}
	return nil
}

// checkTokens refuses combinations of the options for the tokens of a dialect's callers.
func checkTokens(dialect, jwksURL, secret, audience string) error {
	if jwksURL != "" && secret != "" {
		return cli.Option(dialect+"-jwks-url", "must not be given together with --%s-jwt-secret", dialect)
	}
	if (jwksURL != "" || secret != "") && audience == "" {
		return cli.Option(dialect+"-jwt-audience", "must be given, because tokens for other services would be accepted without it")
	}
	return nil
}

func (s *settings) checkTraces() error {
	if s.OTLPEndpoint != "" && !isHTTP(s.OTLPEndpoint) {
		return cli.Option("otlp-endpoint", "must be an absolute http or https URL, such as http://127.0.0.1:4318")
	}
	if s.TraceRatio < 0 || s.TraceRatio > 1 || math.IsNaN(s.TraceRatio) {
		return cli.Option("trace-ratio", "must be between 0 and 1, such as 0.01 for one publish in a hundred")
	}
	if s.TraceRatio > 0 && s.OTLPEndpoint == "" {
		return cli.Option("trace-ratio", "must be given together with --otlp-endpoint, because spans are recorded nowhere without it")
	}
	return nil
}

func (s *settings) checkAlerts() error {
	if len(s.AlertEmail) > bellwire.MaxAlertAddresses {
		return cli.Option("alert-email", "must be given at most %d times", bellwire.MaxAlertAddresses)
	}
	for i, address := range s.AlertEmail {
		if err := mail.CheckAddress(address); err != nil {
			return cli.Option("alert-email", "%q %s", address, err)
		}
		if slices.Contains(s.AlertEmail[:i], address) {
			return cli.Option("alert-email", "must not be given twice with %q", address)
		}
	}
	if s.SMTPFrom != "" {
		if err := mail.CheckAddress(s.SMTPFrom); err != nil {
			return cli.Option("smtp-from", "%s", err)
		}
	}
	if len(s.AlertEmail) == 0 {
		return nil
	}
	if s.SMTPURL.Host == "" {
		return cli.Option("smtp-url", "must be given together with --alert-email")
	}
	if s.SMTPFrom == "" {
		return cli.Option("smtp-from", "must be given together with --alert-email")
	}
	return nil
}

// mailer sends alerts and tests of them.
type mailer interface {
	engine.Mailer
	service.Mailer
}

// mailer returns what sends alerts, nil if nobody gets any.
func (s *settings) mailer() mailer {
	if len(s.AlertEmail) == 0 {
		return nil
	}
	return mail.New(mail.Config{Server: s.SMTPURL.Server, From: s.SMTPFrom})
}

// smtpURL names a mail server.
type smtpURL struct{ mail.Server }

// UnmarshalText reads the URL of a mail server. Its error never repeats the URL, which may contain a password.
func (u *smtpURL) UnmarshalText(text []byte) (err error) {
	if u.Server, err = mail.ParseURL(string(text)); err != nil {
		return cli.Usagef("%s", err)
	}
	return nil
}

func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// checkPublicURL refuses a URL that paths cannot be appended to, or that customers cannot call.
func checkPublicURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || !isHTTP(text):
		return cli.Option("public-url", "must be an absolute http or https URL, such as https://webhooks.example.com")
	case u.User != nil:
		return cli.Option("public-url", "must not contain a user name or password, because customers see this URL")
	case strings.ContainsAny(text, "?#"):
		return cli.Option("public-url", "must not have a query or fragment, because paths are appended to it")
	case isUnspecified(u.Hostname()):
		return cli.Option("public-url", "must be a URL at which clients reach this server, not %q", text)
	}
	return nil
}

// isUnspecified reports whether host stands for all addresses of the machine.
func isUnspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.Unmap().IsUnspecified()
}

// urlDialects returns the names of the enabled dialects that deliver the server's own URL.
func (s *settings) urlDialects() []string {
	var names []string
	for _, d := range enabledDialects(s.Dialects) {
		if d.deliversURL {
			names = append(names, d.name)
		}
	}
	return names
}

// logger returns the configured logger.
func (s *settings) logger(w io.Writer) *slog.Logger {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	return telemetry.NewLogger(w, s.LogFormat, levels[s.LogLevel])
}

// guard returns the configured guard of the addresses that deliveries may reach.
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

// warnOfAllowed logs a warning if deliveries may reach all addresses.
func (s *settings) warnOfAllowed(log *slog.Logger) {
	for _, n := range s.AllowNetwork {
		if n.Bits() == 0 {
			log.Warn("--allow-network allows all addresses: tenants' endpoints can reach this machine and its networks", "network", n.String())
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

// databaseURL names the database. At most one field is set.
type databaseURL struct {
	path     string // of the SQLite file
	postgres string // the URL of a PostgreSQL database, which may contain a password
}

// UnmarshalText reads a database URL. Its error never repeats the URL, which may contain a password.
func (d *databaseURL) UnmarshalText(text []byte) error {
	raw := string(text)
	scheme, rest, found := strings.Cut(raw, "://")
	switch {
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return d.readPostgres(raw)
	case !found || scheme != "sqlite":
		return cli.Usagef("must be sqlite://relative/path, sqlite:///absolute/path or postgres://user@host:port/database")
	case rest == "" || strings.HasSuffix(rest, "/") || strings.ContainsAny(rest, "?#\"'") || strings.TrimSpace(rest) != rest:
		return cli.Usagef("must name a file without parameters, quotes or surrounding spaces, such as sqlite://relative/path or sqlite:///absolute/path")
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

// String returns the URL without its password.
func (d databaseURL) String() string {
	if d.postgres == "" {
		return d.path
	}
	return postgres.Shown(d.postgres)
}

// opening says how a database is opened.
type opening struct {
	kept         bellwire.StatisticsKept
	dialectFiles string                  // their digest
	mayMake      func(path string) error // an SQLite file is created only if it returns nil
	migrating    func(from, to int)      // called before the schema of a database with data is changed; nil: nothing is
}

// openStore opens the database.
func (s *storage) openStore(ctx context.Context, log *slog.Logger, o opening) (bellwire.Store, error) {
	if s.DatabaseURL.postgres != "" {
		return postgres.Open(ctx, s.DatabaseURL.postgres, postgres.Options{
			DirectURL: s.DatabaseDirectURL.postgres, Connections: s.DatabaseConnections, StatisticsKept: o.kept, Logger: log,
			Version: thisBuild().Version, StartedAt: time.Now(), DialectFiles: o.dialectFiles, Migrating: o.migrating,
		})
	}
	return sqlite.Open(ctx, s.DatabaseURL.path, sqlite.Options{
		StatisticsKept: o.kept, Logger: log, New: o.mayMake, NoUpgradeCopy: s.NoUpgradeBackup, Migrating: o.migrating,
	})
}

// recordEvery returns how long results of attempts gather.
func (s *storage) recordEvery() time.Duration {
	if s.DatabaseURL.postgres != "" {
		return postgres.RecordEvery
	}
	return 0
}

// reads returns how many reads the store can make at the same time.
func (s *storage) reads() int {
	if s.DatabaseURL.postgres != "" {
		return postgres.Lists(s.DatabaseConnections)
	}
	return limits.Reads
}
