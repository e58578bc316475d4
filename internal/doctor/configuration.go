package doctor

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

func (s *Subject) configurationChecks() []check {
	return []check{
		{"configuration.variables", s.variables},
		{"configuration.public-url", s.publicURL},
		{"configuration.networks", s.networks},
		{"configuration.secrets", s.secrets},
		{"configuration.dialects", s.dialects},
	}
}

func (s *Subject) variables(context.Context) result {
	if unknown := s.Configuration.UnknownVariables; len(unknown) > 0 {
		return warning("The environment has variables that no option reads: "+list(unknown)+".", "Check their spelling against docs/configuration.md, or unset them.")
	}
	return ok("All BELLWIRE_ variables of the environment belong to options.")
}

// publicURL looks for an address that the clients of this server cannot call safely.
func (s *Subject) publicURL(context.Context) result {
	c := &s.Configuration
	if c.PublicURL == "" {
		if host, _, err := net.SplitHostPort(c.Listen); err == nil && !isLoopback(host) {
			return warning("The server listens on "+c.Listen+", which other machines can reach, but has no public URL.",
				"Set --public-url to the https URL of the proxy in front of it, so that links and cookies of the console are right.")
		}
		return ok("The server listens on this machine only.")
	}
	u, err := url.Parse(c.PublicURL)
	if err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return warning("The public URL is http, so API keys cross the network unencrypted.",
			"Terminate TLS in front of the server, and set --public-url to the https URL.")
	}
	return ok("The public URL is %s.", c.PublicURL)
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func (s *Subject) networks(context.Context) result {
	if s.Configuration.AllowsEverything {
		return warning("--allow-network allows all addresses, so endpoints of tenants can reach this machine and its networks.",
			"Allow only the networks in which receivers are.")
	}
	return ok("Deliveries reach public addresses, and the networks of --allow-network.")
}

func (s *Subject) secrets(context.Context) result {
	if given := s.Configuration.SecretsInArguments; len(given) > 0 {
		return warning("The command line contains secrets, which other users of this machine can see: --"+strings.Join(given, ", --")+".",
			"Give them in the environment, or in a configuration file that only Bellwire's user can read.")
	}
	return ok("The command line contains no secrets.")
}

func (s *Subject) dialects(context.Context) result {
	if err := s.Configuration.Dialects; err != nil {
		return problem("The files that declare dialects cannot be used: "+reason(err)+".", `Correct them; "bellwire dialect check" says where the faults are.`)
	}
	return ok("The dialects can be served.")
}
