package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/output"
	"github.com/bellwire/bellwire/internal/verify"
	"github.com/bellwire/bellwire/receive"
	"github.com/bellwire/bellwire/receive/sign"
)

type verifyCommand struct {
	connection
	Tenant     string     `env:"BELLWIRE_TENANT" placeholder:"ID" profiled:"" complete:"tenant" help:"The tenant of --endpoint."`
	Request    string     `arg:"" optional:"" default:"-" help:"File with the request as it arrived: headers, an empty line and the body. Default: standard input."`
	Header     []string   `sep:"none" placeholder:"NAME: VALUE" help:"Header of the request. Repeat it for each, and give the body with --body."`
	Body       string     `placeholder:"FILE" help:"File with the body of the request, byte for byte; - for standard input."`
	Dialect    string     `placeholder:"NAME" complete:"dialect" help:"Dialect of the delivery: {dialects}, {shipped}, or one of --dialect-dir. Default: that of --endpoint, or standard."`
	DialectDir string     `name:"dialect-dir" env:"BELLWIRE_DIALECT_DIR" placeholder:"FOLDER" help:"Folder whose files declare more dialects."`
	SecretFile []string   `placeholder:"FILE" help:"File with what the receiver verifies with: a secret, public key or token; - for standard input. Repeat it for more."`
	SecretEnv  string     `placeholder:"NAME" help:"Environment variable that has it. Default: BELLWIRE_SECRET, if there is one."`
	URL        string     `name:"url" placeholder:"URL" help:"URL that the request was sent to, in a dialect that signs it, such as twilio. Default: that of --endpoint."`
	Endpoint   string     `placeholder:"ID" complete:"endpoint" help:"Ask the server for the secrets of this endpoint."`
	Computed   string     `placeholder:"SIGNATURE" help:"Signature that your own code computes for this request, in hex or base64, to find the mistake in the code."`
	ReceivedAt cli.Moment `placeholder:"TIME" help:"When the request was received: 2026-01-31T12:30:00Z, or 2h for 2 hours ago. Default: now."`
	JSON       bool       `name:"json" help:"Print JSON."`

	endpointURL string // of --endpoint
}

// Help is shown below the options.
func (c *verifyCommand) Help() string {
	return `Says whether a request is a genuine delivery, or which mistake was made: the secret, a changed body, the time, the headers, or
what is signed beside the body. Ends with code 1 unless the request is verified. Secrets are never printed. Without
--endpoint no server is called.

  bellwire verify --secret-file secret.txt request.http
  bellwire verify --secret-env WEBHOOK_SECRET --body body.json --header 'Webhook-Id: evt_…' --header …
  bellwire verify --tenant acme --endpoint ep_… --received-at 2h request.http
  bellwire verify --dialect stripe --secret-file secret.txt request.http
  bellwire verify --dialect twilio --url https://example.com/hooks --secret-file secret.txt request.http
  bellwire verify --secret-file secret.txt --computed "v1,K5oZ…" request.http`
}

// Validate refuses options that do not fit together. Kong calls it.
func (c *verifyCommand) Validate() error {
	fromInput := 0
	for _, file := range append([]string{c.source()}, c.SecretFile...) {
		if file == "-" {
			fromInput++
		}
	}
	switch {
	case c.Body != "" && c.Request != "-":
		return cli.Option("body", "must not be given together with a file that has the whole request")
	case (c.Body == "") != (len(c.Header) == 0):
		return cli.Usagef("--header and --body must be given together")
	case fromInput > 1:
		return cli.Option("secret-file", "must not be standard input twice, which the request is read from unless a file is given")
	case c.Endpoint != "" && c.Tenant == "":
		return cli.Option("tenant", "must be given with --endpoint")
	}
	return nil
}

// source returns the file that is read for the request or its body.
func (c *verifyCommand) source() string {
	if c.Body != "" {
		return c.Body
	}
	return c.Request
}

// verdict is the result, as it is printed.
type verdict struct {
	Verified bool             `json:"verified"`
	Dialect  string           `json:"dialect"`
	SentAt   *time.Time       `json:"sent_at"`
	Computed string           `json:"computed,omitempty"` // right or wrong
	Mistakes []verify.Finding `json:"mistakes"`
	Note     string           `json:"note,omitempty"`
}

// Run verifies a request.
func (c *verifyCommand) Run(ctx context.Context, std streams) error {
	q := verify.Question{Dialect: c.Dialect, Computed: c.Computed, ReceivedAt: c.ReceivedAt.Time}
	if q.ReceivedAt.IsZero() {
		q.ReceivedAt = time.Now()
	}
	var err error
	if q.Secrets, err = c.secrets(std); err != nil {
		return err
	}
	var current []client.SigningSecret
	if c.Endpoint != "" {
		if current, err = c.askServer(ctx, &q); err != nil {
			return err
		}
	}
	if q.Dialect == "" {
		q.Dialect = standard.Name
	}
	if err := c.open(&q); err != nil {
		return err
	}
	if len(q.Secrets)+len(q.Endpoint) == 0 {
		return cli.Usagef("--secret-file, --secret-env or --endpoint must be given, or BELLWIRE_SECRET be set")
	}
	if q.Header, q.Body, err = c.request(std); err != nil {
		return err
	}
	answer, err := verify.Check(q)
	if err != nil {
		return cli.Option("computed", "%s", err)
	}
	v := &verdict{
		Verified: len(answer.Findings) == 0 || answer.OfComputed, Dialect: q.Dialect,
		Mistakes: append([]verify.Finding{}, answer.Findings...), Note: expiring(q.Secrets, current),
	}
	if !answer.SentAt.IsZero() {
		v.SentAt = &answer.SentAt
	}
	if c.Computed != "" && v.Verified {
		v.Computed = "right"
		if answer.OfComputed {
			v.Computed = "wrong"
		}
	}
	return v.print(output.New(std.out, c.JSON))
}

// open sets what verifies deliveries of the dialect.
func (c *verifyCommand) open(q *verify.Question) error {
	if d := dialectOf(q.Dialect); d != nil {
		q.New = d.verifier
		return c.refuseURL(q.Dialect)
	}
	d, err := fileDialect(q.Dialect, c.DialectDir)
	if err != nil {
		return err
	}
	if !d.SignsURL() {
		if err := c.refuseURL(q.Dialect); err != nil {
			return err
		}
	}
	d = d.ReceivedAt(cmp.Or(c.URL, c.endpointURL))
	if !d.Signs() {
		return cli.Option("dialect", "must be another one: deliveries of %s have neither a signature nor a secret, so there is nothing to verify", q.Dialect)
	}
	if q.Format, err = d.Format(); err != nil {
		return ofDialect(err)
	}
	q.New = func(secrets ...string) (receive.Verifier, error) {
		v, err := d.Verifier(secrets...)
		if err != nil {
			return nil, err
		}
		v.Tolerance = math.MaxInt64
		return v, nil
	}
	return nil
}

// refuseURL refuses a URL that is not signed.
func (c *verifyCommand) refuseURL(dialect string) error {
	if c.URL == "" {
		return nil
	}
	return cli.Option("url", "must not be given, because deliveries of %s do not sign the URL", dialect)
}

// ofDialect returns the error of a dialect's verifier as that of the option that it is about.
func ofDialect(err error) error {
	if known, ok := errors.AsType[*bellwire.Error](err); ok && known.Field == "url" {
		return cli.Option("url", "%s", known.Message)
	}
	return cli.Option("dialect", "%s", err)
}

// secrets returns the secrets of files and of the environment.
func (c *verifyCommand) secrets(std streams) ([]string, error) {
	var secrets []string
	for _, name := range c.SecretFile {
		text, err := readInput(name, std.in, maxSettings)
		if err != nil {
			return nil, fmt.Errorf("--secret-file: %w", err)
		}
		// A file ends with a line break that is not part of what it holds.
		secret := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
		if secret == "" {
			return nil, fmt.Errorf("--secret-file: %s is empty", name)
		}
		secrets = append(secrets, secret)
	}
	name := c.SecretEnv
	if name == "" && len(secrets) == 0 {
		name = "BELLWIRE_SECRET"
	}
	secret := os.Getenv(name)
	switch {
	case secret != "":
		secrets = append(secrets, secret)
	case c.SecretEnv != "":
		return nil, cli.Option("secret-env", "the environment has no variable of this name, or it is empty")
	}
	return secrets, nil
}

// askServer asks the server for the endpoint's secrets and dialect.
func (c *verifyCommand) askServer(ctx context.Context, q *verify.Question) ([]client.SigningSecret, error) {
	api, err := c.caller()
	if err != nil {
		return nil, err
	}
	endpoint, err := api.Endpoint(ctx, c.Tenant, c.Endpoint)
	if err != nil {
		return nil, err
	}
	c.endpointURL = endpoint.URL
	if q.Dialect == "" {
		q.Dialect = endpoint.Dialect
	}
	answered, err := api.EndpointSecret(ctx, c.Tenant, c.Endpoint)
	if err != nil {
		return nil, err
	}
	for _, s := range answered.Secrets {
		if s.PublicKey != "" {
			q.Endpoint = append(q.Endpoint, s.PublicKey)
		}
		if s.Secret != "" && !strings.HasPrefix(s.Secret, sign.PrivateKeyPrefix) {
			q.Endpoint = append(q.Endpoint, s.Secret)
		}
	}
	return answered.Secrets, nil
}

// request reads the request.
func (c *verifyCommand) request(std streams) (http.Header, []byte, error) {
	text, err := readInput(c.source(), std.in, 2*maxMaxEventBytes)
	switch {
	case err != nil && c.Body != "":
		return nil, nil, fmt.Errorf("--body: %w", err)
	case err != nil:
		return nil, nil, err
	case c.Body == "":
		return verify.ParseRequest(text)
	}
	header := make(http.Header)
	for _, line := range c.Header {
		if err := verify.AddHeader(header, line); err != nil {
			return nil, nil, cli.Option("header", "%s", err)
		}
	}
	return header, text, nil
}

// expiring returns a note if one of the receiver's secrets is one that the endpoint will not sign with for long.
func expiring(own []string, current []client.SigningSecret) string {
	for _, secret := range own {
		for _, s := range current {
			if s.ExpiresAt != nil && (s.Secret == secret || s.PublicKey == secret) {
				return "your secret was replaced, and signs until " + output.TimePtr(s.ExpiresAt)
			}
		}
	}
	return ""
}

// errNotVerified and errComputed end the command with code 1.
var (
	errNotVerified = errors.New("request is not verified")
	errComputed    = errors.New("computed signature is wrong")
)

func (v *verdict) print(p *output.Printer) error {
	if p.JSON() {
		p.Object(v)
	} else {
		v.show(p)
	}
	switch {
	case p.Err() != nil:
		return p.Err()
	case !v.Verified:
		return errNotVerified
	case v.Computed == "wrong":
		return errComputed
	}
	return nil
}

// show prints a verdict for people.
func (v *verdict) show(p *output.Printer) {
	line := p.Paint(output.Good, "✔ verified")
	if !v.Verified {
		line = p.Paint(output.Bad, "✘ not verified")
	}
	if v.SentAt != nil {
		line += "  sent at " + output.TimePtr(v.SentAt)
	}
	p.Linef("%s", line)
	switch v.Computed {
	case "right":
		p.Linef("%s", p.Paint(output.Good, "✔ the computed signature is right"))
	case "wrong":
		p.Linef("%s", p.Paint(output.Bad, "✘ the computed signature is wrong"))
	}
	for _, m := range v.Mistakes {
		p.Fields(field("mistake", string(m.Mistake)), field("found", m.Found), field("fix", m.Fix))
	}
	p.Fields(field("note", v.Note))
}
