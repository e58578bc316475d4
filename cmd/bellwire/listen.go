package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/receive"
)

type listenCommand struct {
	Address    string   `group:"server" default:"127.0.0.1:9090" env:"BELLWIRE_LISTEN_ADDRESS" placeholder:"HOST:PORT" help:"Address to receive deliveries at."`
	Dialect    string   `group:"server" default:"standard" env:"BELLWIRE_DIALECT" placeholder:"NAME" complete:"dialect" help:"Dialect of the deliveries: {dialects}, {shipped}, or one of --dialect-dir."`
	DialectDir string   `group:"server" name:"dialect-dir" env:"BELLWIRE_DIALECT_DIR" placeholder:"FOLDER" help:"Folder whose files declare more dialects."`
	Secret     []string `group:"server" env:"BELLWIRE_SECRET" placeholder:"SECRET" help:"What deliveries are verified with: the endpoint's secret or token, in the dialect standard also its public key (whpk_…). Give it again while a secret is rotated."`
	URL        string   `group:"server" name:"url" placeholder:"URL" help:"URL that the endpoint has, in a dialect that signs it, such as twilio."`
	Count      int      `group:"server" placeholder:"N" help:"End after this many deliveries. Default: go on until Ctrl-C."`
	JSON       bool     `name:"json" group:"server" help:"Print one JSON object for each delivery."`

	Status   int           `group:"answer" default:"200" placeholder:"CODE" help:"Status to answer with."`
	Delay    time.Duration `group:"answer" placeholder:"TIME" help:"Time to wait before the answer."`
	FailRate float64       `group:"answer" placeholder:"SHARE" help:"Share of deliveries, 0 to 1, to answer with 500 instead."`
}

// Help is shown below the options.
func (c *listenCommand) Help() string {
	return `Deliveries that fail verification are answered with 401. Without --secret nothing is verified, and it says so.
The server must be allowed to reach this machine: bellwire serve --allow-network 127.0.0.0/8

  bellwire listen --secret whsec_…                 verify and print
  bellwire listen --dialect lemon --secret 5f3c…   in another dialect
  bellwire listen --dialect stripe --secret whsec_…
  bellwire listen --dialect cloudevents            allows deliveries when the sender asks
  bellwire listen --status 503 --delay 2s          be a slow receiver that fails
  bellwire listen --secret whsec_… --json | jq .   for other programs`
}

// Validate is called by kong.
func (c *listenCommand) Validate() error {
	switch {
	case c.Status < 200 || c.Status > 599:
		return cli.Usagef("--status: must be between 200 and 599")
	case !(c.FailRate >= 0 && c.FailRate <= 1):
		return cli.Usagef("--fail-rate: must be between 0 and 1")
	case c.Delay < 0 || c.Count < 0:
		return cli.Usagef("--delay and --count must not be negative")
	}
	_, err := checkAddress("address", c.Address)
	return err
}

// Run receives until the context ends or --count deliveries have come.
func (c *listenCommand) Run(ctx context.Context, std streams) error {
	r := &receiver{command: c, out: std.out, full: make(chan struct{})}
	open, err := verifierOf(c.Dialect, c.DialectDir, c.URL)
	if err != nil {
		return err
	}
	if len(c.Secret) > 0 {
		verifier, err := open(c.Secret...)
		if known, ok := errors.AsType[*bellwire.Error](err); ok && known.Field == "url" {
			return cli.Option("url", "%s", known.Message)
		}
		if err != nil {
			return cli.Usagef("--secret: %s", err)
		}
		r.verifier = verifier
	}
	listener, err := net.Listen("tcp", c.Address)
	if err != nil {
		return fmt.Errorf("--address: %w", notListening(c.Address, err))
	}
	fmt.Fprintf(std.err, "Receiving at http://%s/\n", listener.Addr())
	if r.verifier == nil {
		fmt.Fprintln(std.err, "Deliveries are not verified: give the endpoint's secret with --secret.")
	}
	server := httpx.NewServer(c.Address, thisBudget().clients, r)
	server.WriteTimeout += c.Delay
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	case <-r.full:
	}
	// The last sender must still get its answer.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Delay+time.Second)
	defer cancel()
	err = server.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // a sender has a connection on which it sent nothing
	}
	return errors.Join(err, server.Close())
}

// receiver prints the deliveries that it receives.
type receiver struct {
	command  *listenCommand
	verifier receive.Verifier // nil: nothing is verified

	mu   sync.Mutex
	out  io.Writer
	seen int
	full chan struct{} // closed after --count deliveries
}

// received is one request, as it is printed.
type received struct {
	At       time.Time `json:"received_at"`
	ID       string    `json:"id"`
	Type     string    `json:"type,omitempty"`
	Verified bool      `json:"verified"`
	Error    string    `json:"error,omitempty"`
	Bytes    int       `json:"bytes"`
	Status   int       `json:"status"`
	Body     string    `json:"body"`
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if origin := req.Header.Get("WebHook-Request-Origin"); req.Method == http.MethodOptions && origin != "" {
		// CloudEvents: the sender asks for permission, at any rate.
		w.Header().Set("WebHook-Allowed-Origin", origin)
		w.Header().Set("WebHook-Allowed-Rate", "*")
		w.Header().Set("Allow", http.MethodPost)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 2*maxMaxEventBytes))
	if err != nil {
		http.Error(w, "cannot read the body", http.StatusBadRequest)
		return
	}
	got := r.verify(req.Header, body)
	select {
	case <-time.After(r.command.Delay):
	case <-req.Context().Done():
		got.Error = "sender did not wait for the answer"
	}
	w.WriteHeader(got.Status)
	r.print(got)
}

func (r *receiver) verify(h http.Header, body []byte) received {
	got := received{
		At: time.Now().UTC(), ID: h.Get("webhook-id"), Bytes: len(body), Status: r.command.Status, Body: string(body),
	}
	if rand.Float64() < r.command.FailRate {
		got.Status = http.StatusInternalServerError
	}
	if r.verifier == nil {
		got.Error = "not verified: no --secret"
		return got
	}
	delivery, err := r.verifier.Verify(h, body)
	if err != nil {
		got.Error, got.Status = err.Error(), http.StatusUnauthorized
		return got
	}
	got.Verified, got.ID, got.Type = true, delivery.ID, delivery.Type
	return got
}

func (r *receiver) print(got received) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.command.JSON {
		json.NewEncoder(r.out).Encode(got)
	} else {
		r.pretty(got)
	}
	r.seen++
	if r.seen == r.command.Count {
		close(r.full)
	}
}

// pretty prints a delivery for people. It quotes unverified text, which could contain control characters.
func (r *receiver) pretty(got received) {
	verdict, id := "✔ verified", got.ID
	switch {
	case !got.Verified:
		verdict, id = "✘ "+got.Error, strconv.Quote(got.ID)
	case got.Error != "":
		verdict += ", but " + got.Error
	}
	fmt.Fprintf(r.out, "%s  %s  %s  %s  %s  answered %d\n", got.At.Format("15:04:05.000"), id, got.Type, verdict,
		humanize.Bytes(uint64(got.Bytes)), got.Status)
	var indented bytes.Buffer
	if json.Indent(&indented, []byte(got.Body), "    ", "  ") == nil {
		fmt.Fprintf(r.out, "    %s\n", indented.String())
	}
}
