package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// CheckURL returns an error if a database URL is malformed. The error repeats nothing of the URL but names of parameters,
// because any other part may belong to a password.
func CheckURL(databaseURL string) error {
	u, err := url.Parse(databaseURL)
	switch {
	case err != nil && hasEncodedHost(databaseURL):
		return errors.New("must name the directory of a socket by a parameter: postgres:///database?host=/var/run/postgresql")
	case err != nil, misread(u):
		return errors.New("must be postgres://user:password@host:port/database; " +
			"in the password, write / as %2F, @ as %40, ? as %3F, # as %23 and % as %25")
	}
	parameters := u.Query()
	for name := range parameters {
		if strings.HasPrefix(name, "pool_") {
			return fmt.Errorf("must not have the parameter %s; use --database-connections for the number of connections", name)
		}
	}
	if strings.Trim(u.Path, "/") == "" && parameters.Get("dbname") == "" && parameters.Get("database") == "" {
		return errors.New("must name a database: postgres://user@host:port/database")
	}
	return nil
}

// hasEncodedHost reports whether a URL has %2F where its host is, as some write the directory of a socket.
func hasEncodedHost(databaseURL string) bool {
	_, rest, _ := strings.Cut(databaseURL, "://")
	authority, _, _ := strings.Cut(rest, "/")
	host := authority[strings.LastIndex(authority, "@")+1:]
	return strings.HasPrefix(strings.ToUpper(host), "%2F")
}

// misread reports whether a part of the password was parsed as the path: an unescaped slash ends the host.
func misread(u *url.URL) bool { return strings.Contains(u.EscapedPath(), "@") }

// Shown returns the parts of a database URL that are not secret: where the database is.
func Shown(databaseURL string) string {
	u, err := url.Parse(databaseURL)
	if err != nil || misread(u) {
		return "postgres://" + bellwire.Redacted
	}
	shown := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	separator := "?"
	for _, name := range []string{"host", "port", "dbname", "database"} {
		if value := u.Query().Get(name); value != "" {
			shown += separator + name + "=" + value
			separator = "&"
		}
	}
	return shown
}

// Hosts returns the hosts of a database URL and their ports, in the order in which they are tried. A host is a name, an address or the
// directory of a socket. Its error does not show the URL, which can contain a password.
func Hosts(databaseURL string) (hosts, ports []string, err error) {
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		return nil, nil, errors.New("has an invalid parameter")
	}
	add := func(host string, port uint16) {
		hosts, ports = append(hosts, host), append(ports, strconv.Itoa(int(port)))
	}
	add(config.Host, config.Port)
	last := &pgconn.FallbackConfig{Host: config.Host, Port: config.Port}
	for _, next := range config.Fallbacks { // with "sslmode=prefer" each host is there twice
		if next.Host != last.Host || next.Port != last.Port {
			add(next.Host, next.Port)
		}
		last = next
	}
	return hosts, ports, nil
}
