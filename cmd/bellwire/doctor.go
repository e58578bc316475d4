package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/doctor"
	"github.com/bellwire/bellwire/internal/output"
	"github.com/bellwire/bellwire/internal/service"
)

type doctorCommand struct {
	cli.FileOption
	settings
	jsonOption
	Reach  []string `group:"doctor" placeholder:"URL" help:"URL of a receiver to connect to. Repeat it for more."`
	FailOn string   `name:"fail-on" group:"doctor" default:"problem" enum:"problem,warning" placeholder:"LEVEL" help:"The least level that makes the exit code 1: problem or warning."`
	Server string   `group:"connection" placeholder:"URL" help:"Address of a running server that examines itself. Default: this command examines what is configured here."`
	Key    string   `group:"connection" env:"BELLWIRE_KEY" placeholder:"KEY" help:"API key for --server. Default: --admin-key."`
}

// Help is shown below the options.
func (c *doctorCommand) Help() string {
	return `Reads the same options as serve, changes nothing, and may run before the first start and beside a running server.
Run it as the user that the server runs as.

Exit codes: 0 no problem, 1 a problem (or, with --fail-on warning, a warning), 2 options that serve refuses, too.

  bellwire doctor --config /etc/bellwire.yaml
  bellwire doctor --reach https://receiver.example.com
  bellwire doctor --json --fail-on warning    for a monitor
  bellwire doctor --server http://127.0.0.1:8080`
}

// Validate checks the options. Kong calls it.
func (c *doctorCommand) Validate() error {
	for _, receiver := range c.Reach {
		if !isHTTP(receiver) {
			return cli.Option("reach", "must be an absolute http or https URL, such as https://receiver.example.com")
		}
	}
	return c.settings.Validate()
}

// Run examines and prints what was found.
func (c *doctorCommand) Run(ctx context.Context, std streams, parsed *kong.Context) error {
	examination, err := c.examine(ctx, parsed)
	if err != nil {
		return err
	}
	printer := output.New(std.out, c.JSON)
	if c.JSON {
		printer.Object(examination)
	} else {
		printFindings(printer, examination.Data)
	}
	if err := printer.Err(); err != nil {
		return err
	}
	return c.verdict(examination.Data)
}

// examine examines this machine, or asks a server.
func (c *doctorCommand) examine(ctx context.Context, parsed *kong.Context) (*client.Examination, error) {
	if c.Server != "" {
		api, err := (&connection{Server: c.Server, Key: cmp.Or(c.Key, c.AdminKey)}).client()
		if err != nil {
			return nil, err
		}
		return api.Examine(ctx)
	}
	subject := c.subject(givenBy(parsed))
	subject.Network.Receivers = c.Reach
	examination := &client.Examination{ExaminedAt: time.Now().UTC()}
	for _, f := range doctor.Examine(ctx, subject) {
		examination.Data = append(examination.Data, client.Finding{ID: f.ID, Level: string(f.Level), Found: f.Found, Do: f.Do})
	}
	return examination, nil
}

// verdict returns an error if there is a finding that makes the command fail.
func (c *doctorCommand) verdict(findings []client.Finding) error {
	problems, warnings := count(findings, bellwire.FindingProblem), count(findings, bellwire.FindingWarning)
	if problems > 0 || warnings > 0 && c.FailOn == string(bellwire.FindingWarning) {
		return errors.New("the examination found something to do")
	}
	return nil
}

func count(findings []client.Finding, level bellwire.FindingLevel) (n int) {
	for _, f := range findings {
		if f.Level == string(level) {
			n++
		}
	}
	return n
}

// printFindings prints what was found for people, and sums it up.
func printFindings(p *output.Printer, findings []client.Finding) {
	colors := map[string]output.Color{
		string(bellwire.FindingProblem): output.Bad, string(bellwire.FindingWarning): output.Warning, string(bellwire.FindingOK): output.Good,
	}
	for _, f := range findings {
		level := fmt.Sprintf("%-7s", f.Level)
		if color, colored := colors[f.Level]; colored {
			level = p.Paint(color, level)
		}
		p.Linef("%s  %-24s  %s", level, f.ID, output.Clean(f.Found))
		if f.Do != "" {
			p.Linef("%s%s", strings.Repeat(" ", 35), output.Clean(f.Do))
		}
	}
	var sum []string
	for _, level := range bellwire.FindingLevels {
		if n := count(findings, level); n > 0 {
			if n > 1 && level != bellwire.FindingOK {
				level += "s"
			}
			sum = append(sum, fmt.Sprintf("%d %s", n, level))
		}
	}
	p.Linef("\n%s", strings.Join(sum, ", "))
}

// subject returns what is examined: what is configured, and this process.
func (s *settings) subject(g given) *doctor.Subject {
	_, dialects := s.fileDialects()
	budget := thisBudget()
	subject := &doctor.Subject{
		Configuration: doctor.Configuration{
			Listen: s.Listen, PublicURL: s.PublicURL, File: cli.DefaultConfigFile, Dialects: dialects,
			UnknownVariables: g.unknown,
			AllowsEverything: slices.ContainsFunc(s.AllowNetwork, func(n network) bool { return n.Bits() == 0 }),
		},
		Database: doctor.Database{
			SQLite: s.DatabaseURL.path, Postgres: s.DatabaseURL.postgres, Direct: s.DatabaseDirectURL.postgres, Connections: s.DatabaseConnections,
		},
		Keyset:            doctor.Keyset{Text: s.Keyset, File: s.keysetPath()},
		Network:           doctor.Network{Services: s.services(), Guard: s.guard()},
		Descriptors:       budget.descriptors,
		LeastDescriptors:  leastDescriptors,
		EnoughDescriptors: enoughDescriptors,
		Getenv:            os.Getenv,
		Now:               time.Now,
	}
	for _, option := range g.settings {
		if option.Name == "config" && option.Set {
			subject.Configuration.File = option.Value
		}
		if !option.Set || !option.Secret && !s.containsPassword(option.Name) {
			continue
		}
		switch option.Source {
		case service.SettingFlag:
			subject.Configuration.SecretsInArguments = append(subject.Configuration.SecretsInArguments, option.Name)
		case service.SettingFile:
			subject.Configuration.FileHasSecrets = true
		}
	}
	return subject
}

// containsPassword reports whether the value of an option is a URL with a password.
func (s *settings) containsPassword(option string) bool {
	switch option {
	case "database-url":
		return hasPassword(s.DatabaseURL.postgres)
	case "database-direct-url":
		return hasPassword(s.DatabaseDirectURL.postgres)
	case "smtp-url":
		return s.SMTPURL.Password != ""
	}
	return false
}

func hasPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return false
	}
	_, set := u.User.Password()
	return set
}

// services returns the servers that the configuration names, besides the database.
func (s *settings) services() []doctor.Service {
	var list []doctor.Service
	if len(s.AlertEmail) > 0 {
		list = append(list, doctor.Service{Name: "the mail server", Address: net.JoinHostPort(s.SMTPURL.Host, strconv.Itoa(s.SMTPURL.Port)), TLS: s.SMTPURL.TLS})
	}
	for _, named := range []struct{ name, url string }{
		{"the collector of traces", s.OTLPEndpoint}, {"the JWKS", s.AkkuroJWKSURL}, {"the JWKS", s.AzakawJWKSURL},
	} {
		if named.url != "" {
			address, secure := doctor.AddressOf(named.url)
			list = append(list, doctor.Service{Name: named.name, Address: address, TLS: secure})
		}
	}
	return list
}

// examineEvery is the minimum time between two examinations of a running server.
const examineEvery = 5 * time.Second

// newExamination returns what examines a running server, until stop ends: then a drain must not wait for slow name servers.
func newExamination(stop context.Context, subject *doctor.Subject) *glance[service.Examination] {
	g := newGlance(doctor.Timeout, func(ctx context.Context) (service.Examination, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(stop, cancel)()
		examination := service.Examination{At: time.Now(), Findings: doctor.Examine(ctx, subject)}
		if stop.Err() != nil { // what was cut off is no fault
			return service.Examination{}, bellwire.Errorf(bellwire.CodeUnavailable, "the server is shutting down")
		}
		return examination, nil
	})
	g.every = examineEvery
	return g
}
