package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/store/postgres"
)

// networkPatience bounds a look-up and a connection.
const networkPatience = 3 * time.Second

func (s *Subject) networkChecks() []check {
	return []check{{"network.dns", s.dns}, {"network.reach", s.reach}}
}

// dns resolves the hosts that the configuration names. Without any it asks for the root's name servers, which every resolver knows.
func (s *Subject) dns(ctx context.Context) result {
	hosts := s.hosts()
	start := time.Now()
	var failed []string
	for _, host := range hosts {
		if err := resolve(ctx, host); err != nil {
			failed = append(failed, host+" ("+err.Error()+")")
		}
	}
	if len(hosts) == 0 {
		ctx, cancel := context.WithTimeout(ctx, networkPatience)
		defer cancel()
		if _, err := net.DefaultResolver.LookupNS(ctx, "."); err != nil && !isNotFound(err) {
			return warning("No name server answers: "+resolution(err)+".", "Check the name servers of this machine (/etc/resolv.conf).")
		}
	}
	took := time.Since(start)
	switch {
	case len(failed) > 0:
		return problem("Names cannot be resolved: "+list(failed)+".", "Check the names in the configuration, and the name servers of this machine (/etc/resolv.conf).")
	case took > s.Limits.SlowResolution*time.Duration(max(len(hosts), 1)):
		return warning("Resolving a name takes "+took.Round(time.Millisecond).String()+", which delays deliveries.", "Use a name server that is near and keeps answers.")
	case len(hosts) == 0:
		return ok("The name servers of this machine answer.")
	}
	return ok("Names are resolved: %s.", list(hosts))
}

// hosts returns the names of the hosts that must be resolved.
func (s *Subject) hosts() []string {
	var hosts []string
	add := func(host string) {
		if _, err := netip.ParseAddr(host); err != nil && host != "" && !strings.HasPrefix(host, "/") && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	for _, service := range s.Network.Services {
		host, _, _ := net.SplitHostPort(service.Address)
		add(host)
	}
	for _, receiver := range s.Network.Receivers {
		if u, err := url.Parse(receiver); err == nil {
			add(u.Hostname())
		}
	}
	for _, databaseURL := range []string{s.Database.Postgres, s.Database.Direct} {
		if databaseURL == "" {
			continue
		}
		if named, _, err := postgres.Hosts(databaseURL); err == nil { // database.reachable says what is wrong with it
			for _, host := range named {
				add(host)
			}
		}
	}
	return hosts
}

func resolve(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, networkPatience)
	defer cancel()
	if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
		return errors.New(resolution(err))
	}
	return nil
}

// isNotFound reports whether a name server has answered that a name does not exist.
func isNotFound(err error) bool {
	failed, ok := errors.AsType[*net.DNSError](err)
	return ok && failed.IsNotFound
}

// resolution returns why a name was not resolved, without the name.
func resolution(err error) string {
	var failed *net.DNSError
	switch {
	case isNotFound(err):
		return "the name does not exist"
	case errors.As(err, &failed) && failed.IsTimeout:
		return "no answer in time"
	case errors.As(err, &failed):
		return failed.Err
	}
	return err.Error()
}

// reach connects to the services that the configuration names, and to receivers.
func (s *Subject) reach(ctx context.Context) result {
	var reached, failed []string
	visit := func(name string, err error) {
		if err == nil {
			reached = append(reached, name)
			return
		}
		failed = append(failed, name+" ("+connecting(err)+")")
	}
	for _, service := range s.Network.Services {
		visit(service.Name+" "+service.Address, connect(ctx, new(net.Dialer), service.Address, service.TLS))
	}
	for _, receiver := range s.Network.Receivers {
		address, secure := AddressOf(receiver)
		visit(address, connect(ctx, &net.Dialer{Control: s.Network.Guard.Control}, address, secure))
	}
	switch {
	case len(failed) > 0:
		return problem("Not everything can be reached from this machine: "+list(failed)+".", "Check the firewall, the route and the name of each, and docs/security.md for blocked addresses.")
	case len(s.Network.Receivers) == 0 && len(reached) == 0:
		return note("No connection to a receiver was tried.", `Name one: "bellwire doctor --reach https://receiver.example.com".`)
	}
	return ok("Connections succeed: %s.", list(reached))
}

// AddressOf returns the host and port of an http or https URL, and whether it is https.
func AddressOf(receiver string) (address string, secure bool) {
	u, err := url.Parse(receiver)
	if err != nil { // commands have refused such URLs
		return "", false
	}
	port := u.Port()
	if secure = u.Scheme == "https"; port == "" {
		port = map[bool]string{true: "443", false: "80"}[secure]
	}
	return net.JoinHostPort(u.Hostname(), port), secure
}

// connect makes a connection and ends it.
func connect(ctx context.Context, dialer *net.Dialer, address string, secure bool) error {
	ctx, cancel := context.WithTimeout(ctx, networkPatience)
	defer cancel()
	dial := dialer.DialContext
	if secure {
		dial = (&tls.Dialer{NetDialer: dialer}).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	_ = conn.Close() // nothing was sent
	return nil
}

// connecting returns why a connection failed, without the address.
func connecting(err error) string {
	var (
		operation *net.OpError
		lookup    *net.DNSError
	)
	switch {
	case errors.Is(err, destination.ErrBlocked):
		return destination.ErrBlocked.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &lookup):
		return resolution(lookup)
	case errors.As(err, &operation):
		return operation.Err.Error()
	}
	return reason(err)
}
