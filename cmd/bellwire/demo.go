package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/telemetry"
)

//go:embed payloads/*.json
var payloads embed.FS

type demoCommand struct {
	Once     bool   `help:"End when every delivery has been verified; exit code 0 only then."`
	LogLevel string `default:"error" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Least level of the server's log records that are shown: debug, info, warn or error."`
}

// Help is shown below the options.
func (c *demoCommand) Help() string {
	return `It needs nothing else: a server on a temporary database, receivers that verify signatures, an endpoint for each,
real payloads. One receiver fails twice before it accepts. Everything is removed at the end.

  bellwire demo           look around until Ctrl-C
  bellwire demo --once    for scripts`
}

const (
	demoTenant  = "acme"
	demoTimeout = 30 * time.Second // for all deliveries; they need about a second
)

// Run shows the whole way of an event.
func (c *demoCommand) Run(ctx context.Context, std streams) (err error) {
	dir, err := os.MkdirTemp("", "bellwire-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := demoSettings(dir, c.LogLevel)
	srv, err := openServer(ctx, s, s.logger(std.err))
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- srv.run(serving) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	d := &demonstration{url: srv.url(), key: srv.adminKey, screen: newScreen(std.out)}
	return d.play(ctx, c.Once)
}

func demoSettings(dir, logLevel string) *settings {
	return &settings{
		Listen: "127.0.0.1:0", DrainTimeout: 5 * time.Second,
		storage:      storage{DatabaseURL: databaseURL{path: filepath.Join(dir, "bellwire.db")}},
		AllowNetwork: []network{{netip.MustParsePrefix("127.0.0.0/8")}},
		Limits:       []limitValue{{limits.MinRetryDelay, 0.2}}, // so that nobody waits for retries
		LogFormat:    telemetry.FormatText, LogLevel: logLevel, MaxEventBytes: service.DefaultMaxEventBytes,
	}
}

// demonstration plays a platform and its customer.
type demonstration struct {
	url    string
	key    string
	screen *screen
}

// payload is what the platform publishes.
type payload struct {
	eventType string
	group     string
	schema    []byte // nil: any object
	data      []byte
}

func (d *demonstration) play(ctx context.Context, once bool) error {
	api, err := client.New(d.url, d.key)
	if err != nil {
		return err
	}
	published, err := readPayloads()
	if err != nil {
		return err
	}
	if err := describe(ctx, api, published); err != nil {
		return err
	}
	customer, err := newCustomer(ctx, api)
	if err != nil {
		return err
	}
	defer customer.close()
	d.screen.header(d.url)
	started := time.Now()
	expected := 0
	sent := make(map[string][]byte) // data by event type
	for _, p := range published {
		receipt, err := api.Publish(ctx, demoTenant, client.Publication{Type: p.eventType, Data: p.data})
		if err != nil {
			return err
		}
		expected += receipt.Deliveries
		sent[p.eventType] = p.data
	}
	if err := d.follow(ctx, customer, sent, expected); err != nil {
		return err
	}
	if err := allSucceeded(ctx, api, expected); err != nil {
		return err
	}
	d.screen.summary(len(published), expected, time.Since(started))
	if once {
		return nil
	}
	d.screen.invitation(d.url, d.key, customer.endpoints, published[0])
	for {
		select {
		case a := <-customer.arrivals:
			d.screen.row(a)
		case <-ctx.Done():
			return nil
		}
	}
}

// intact tells whether an arrival brought what was published.
func (a *arrival) intact(published []byte) bool {
	if a.same != nil {
		return a.same(published, a.data)
	}
	return bytes.Equal(a.data, published)
}

// readPayloads returns what is published: payloads of the demonstration's own, and for each dialect examples of its
// vendor's.
func readPayloads() ([]payload, error) {
	files, err := payloads.ReadDir("payloads")
	if err != nil {
		return nil, err
	}
	var all []payload
	for _, file := range files {
		data, err := payloads.ReadFile("payloads/" + file.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, payload{eventType: strings.TrimSuffix(file.Name(), ".json"), data: bytes.TrimSpace(data)})
	}
	for _, e := range vendorEndpoints() {
		examples, err := vendorPayloads(e)
		if err != nil {
			return nil, err
		}
		all = append(all, examples...)
	}
	return all, nil
}

// vendorPayloads are the examples of those event types that the dialect's endpoint wants.
func vendorPayloads(e demoEndpoint) ([]payload, error) {
	file, err := catalogueOf(e.dialect)
	if err != nil {
		return nil, err
	}
	var all []payload
	for _, t := range file.EventTypes {
		if slices.Contains(e.events, t.Name) {
			all = append(all, payload{eventType: t.Name, group: t.Group, schema: t.Schema, data: t.Example})
		}
	}
	return all, nil
}

// describe fills the catalogue.
func describe(ctx context.Context, api *client.Client, published []payload) error {
	for _, p := range published {
		schema := p.schema
		if schema == nil {
			schema = []byte(`{"type": "object"}`)
		}
		_, err := api.PutEventType(ctx, client.EventType{Name: p.eventType, Group: p.group, Schema: schema, Example: p.data})
		if err != nil {
			return err
		}
	}
	return nil
}

// follow shows what arrives until so many deliveries have been verified and acknowledged.
func (d *demonstration) follow(ctx context.Context, customer *customer, sent map[string][]byte, expected int) error {
	timeout := time.After(demoTimeout)
	for acknowledged := 0; acknowledged < expected; {
		select {
		case a := <-customer.arrivals:
			if a.fault == nil && !a.intact(sent[a.eventType]) {
				a.fault = errors.New("its data is not what was published")
			}
			d.screen.row(a)
			if a.fault != nil {
				return fmt.Errorf("a delivery of %s to %s is not good: %w", a.eventType, a.name, a.fault)
			}
			if a.status < 300 {
				acknowledged++
			}
		case <-timeout:
			return fmt.Errorf("only %d of %d deliveries were verified within %s", acknowledged, expected, demoTimeout)
		case <-ctx.Done():
			return errors.New("stopped before all deliveries were verified")
		}
	}
	return nil
}

// allSucceeded waits until the server, too, says of every delivery that it has succeeded.
func allSucceeded(ctx context.Context, api *client.Client, expected int) error {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := api.Deliveries(ctx, demoTenant, client.DeliveryFilter{Status: "succeeded"}, client.Page{Limit: 250})
		if err != nil {
			return err
		}
		if len(list.Data) == expected {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the server says of %d deliveries only that they succeeded, not of %d", len(list.Data), expected)
		}
	}
}
