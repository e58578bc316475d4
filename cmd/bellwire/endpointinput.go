package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/suggest"
)

// endpointOptions are the settings of an endpoint. Those that are seldom needed, or secret, are given in a file.
type endpointOptions struct {
	From             string            `placeholder:"FILE" help:"JSON file with settings as the API has them, such as retry, auth, headers and secret; - for standard input. Options go before it."`
	URL              *string           `name:"url" placeholder:"URL" help:"Where to deliver."`
	Events           []string          `placeholder:"PATTERN" complete:"event-type" help:"Event types: names, or starts of names followed by *. Repeat it for more."`
	Filter           *string           `placeholder:"CEL" help:"Deliver only events for which this expression is true, such as data.amount > 100. null in a file (--from) removes it."`
	OnError          *string           `enum:"deliver,skip" placeholder:"CHOICE" help:"deliver or skip events for which the filter has no answer."`
	Description      *string           `placeholder:"TEXT" help:"A description for people."`
	Dialect          *string           `placeholder:"NAME" complete:"dialect" help:"Format of the deliveries."`
	RateLimit        *float64          `xor:"rate" placeholder:"N" help:"Maximum number of events per second."`
	NoRateLimit      bool              `xor:"rate" help:"Remove the rate limit."`
	MaxInFlight      *int              `placeholder:"N" help:"Maximum number of requests at a time."`
	Ordering         *string           `enum:"none,fifo,key" placeholder:"ORDER" help:"none; fifo: one delivery after the other; or key: that among events with the same ordering key."`
	Signing          *string           `enum:"hmac,ed25519,both" placeholder:"SCHEME" help:"hmac, ed25519 or both."`
	Timeout          *time.Duration    `placeholder:"TIME" help:"Maximum time of an attempt, 1s to 60s."`
	AutoDisableAfter *time.Duration    `placeholder:"TIME" help:"How long attempts must have failed before the endpoint is disabled, such as 5d. 0s: never."`
	Metadata         map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Entry of your own. Repeat it for more. The entries given replace all others."`
	Versions         map[string]int    `mapsep:"none" placeholder:"TYPE=N" help:"Version of an event type that it gets. Repeat it for more; other types stay."`
}

// input returns the settings that are given.
func (o *endpointOptions) input(std streams) (client.EndpointInput, error) {
	in, err := o.file(std.in)
	if err != nil {
		return in, err
	}
	replace(&in.URL, o.URL)
	replace(&in.Description, o.Description)
	replace(&in.Dialect, o.Dialect)
	replace(&in.Filter, o.Filter)
	replace(&in.OnError, (*client.OnError)(o.OnError))
	replace(&in.MaxInFlight, o.MaxInFlight)
	replace(&in.Timeout, (*client.Duration)(o.Timeout))
	replace(&in.AutoDisableAfter, (*client.Duration)(o.AutoDisableAfter))
	replace(&in.Ordering, (*client.Ordering)(o.Ordering))
	replace(&in.Signing, (*client.Signing)(o.Signing))
	if o.RateLimit != nil || o.NoRateLimit {
		in.RateLimit, in.NoRateLimit = o.RateLimit, o.NoRateLimit
	}
	if o.Events != nil {
		in.Events = o.Events
	}
	if o.Versions != nil {
		in.Versions = o.Versions
	}
	if o.Metadata != nil {
		in.Metadata = &o.Metadata
	}
	return in, nil
}

// replace sets a setting if an option is given.
func replace[T any](setting **T, option *T) {
	if option != nil {
		*setting = option
	}
}

// endpointSettings are the names of all settings.
var endpointSettings = fieldNames(reflect.TypeFor[client.EndpointInput]())

// fieldNames returns the names of a struct's fields in JSON.
func fieldNames(of reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(of) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// maxSettings is the maximum size of a file of settings.
const maxSettings = 1 << 20

// file returns the settings of the file, if there is one.
func (o *endpointOptions) file(stdin io.Reader) (in client.EndpointInput, err error) {
	if o.From == "" {
		return in, nil
	}
	text, err := readInput(o.From, stdin, maxSettings)
	if err != nil {
		return in, fmt.Errorf("--from: %w", err)
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(text, &given); err != nil {
		return in, fmt.Errorf("--from: %s must be one JSON object with settings of an endpoint", o.From)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(endpointSettings, name) {
			return in, fmt.Errorf("--from: %s is not a setting of an endpoint%s", name, suggest.DidYouMean(name, endpointSettings))
		}
	}
	if err := json.Unmarshal(text, &in); err != nil {
		// The library's text is not repeated: it can quote a secret.
		return in, fmt.Errorf("--from: a setting in %s has not the form that the API documents", o.From)
	}
	for name, value := range given {
		if string(value) == "null" {
			if err := remove(&in, name); err != nil {
				return in, err
			}
		}
	}
	return in, nil
}

// remove removes a setting, which is null in a file.
func remove(in *client.EndpointInput, name string) error {
	switch name {
	case "filter":
		in.Filter = new(string)
	case "description":
		in.Description = new(string)
	case "status_reason":
		in.StatusReason = new(string)
	case "headers":
		in.Headers = &map[string]string{}
	case "metadata":
		in.Metadata = &map[string]string{}
	case "auth":
		in.Auth = &client.Auth{Type: client.AuthNone}
	case "rate_limit":
		in.NoRateLimit = true
	default:
		return fmt.Errorf("--from: %s must not be null; leave it out, or give a value", name)
	}
	return nil
}

// readInput reads a file, or standard input if it is named -.
func readInput(name string, stdin io.Reader, most int64) ([]byte, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > most:
		return nil, fmt.Errorf("%s has more than %d bytes", name, most)
	}
	return text, nil
}

type createEndpointCommand struct {
	tenantConnection
	jsonOption
	endpointOptions
}

// Run creates an endpoint.
func (c *createEndpointCommand) Run(ctx context.Context, std streams) error {
	return c.run(std, &c.connection, c.JSON, func(api *caller, in client.EndpointInput) (*client.Endpoint, error) {
		return api.CreateEndpoint(ctx, c.Tenant, in)
	})
}

// run sends all settings of an endpoint, and shows it.
func (o *endpointOptions) run(std streams, to *connection, asJSON bool, send func(*caller, client.EndpointInput) (*client.Endpoint, error)) error {
	api, err := to.caller()
	if err != nil {
		return err
	}
	in, err := o.input(std)
	if err != nil {
		return err
	}
	switch {
	case in.URL == nil:
		return cli.Option("url", "must be given")
	case len(in.Events) == 0:
		return cli.Option("events", "must be given; '*' stands for all")
	}
	endpoint, err := send(api, in)
	if err != nil {
		return err
	}
	return printEndpoint(std, api, asJSON, endpoint)
}

type putEndpointCommand struct {
	ofEndpoint
	jsonOption
	endpointOptions
}

// Run creates or replaces an endpoint.
func (c *putEndpointCommand) Run(ctx context.Context, std streams) error {
	return c.run(std, &c.connection, c.JSON, func(api *caller, in client.EndpointInput) (*client.Endpoint, error) {
		return api.PutEndpoint(ctx, c.Tenant, c.ID, in)
	})
}

type updateEndpointCommand struct {
	ofEndpoint
	jsonOption
	endpointOptions
}

// Run changes an endpoint.
func (c *updateEndpointCommand) Run(ctx context.Context, std streams) error {
	in, err := c.input(std)
	if err != nil {
		return err
	}
	return changeEndpoint(ctx, std, &c.ofEndpoint, c.JSON, in)
}

// changeEndpoint changes an endpoint and shows it.
func changeEndpoint(ctx context.Context, std streams, of *ofEndpoint, asJSON bool, in client.EndpointInput) error {
	api, err := of.caller()
	if err != nil {
		return err
	}
	endpoint, err := api.UpdateEndpoint(ctx, of.Tenant, of.ID, in)
	if err != nil {
		return err
	}
	return printEndpoint(std, api, asJSON, endpoint)
}

// stopOptions are options of commands that stop sending to an endpoint.
type stopOptions struct {
	Reason *string `placeholder:"TEXT" help:"Why, for people who look at the endpoint, its history, or what became of an event."`
}

type pauseEndpointCommand struct {
	ofEndpoint
	jsonOption
	stopOptions
}

// Run pauses an endpoint.
func (c *pauseEndpointCommand) Run(ctx context.Context, std streams) error {
	return changeEndpoint(ctx, std, &c.ofEndpoint, c.JSON, client.EndpointInput{Status: client.Ptr(client.EndpointPaused), StatusReason: c.Reason})
}

type enableEndpointCommand struct {
	ofEndpoint
	jsonOption
	ReplayMissed bool `help:"Also replay what the endpoint has missed since it began to fail, or was paused or disabled."`
}

// Run enables an endpoint.
func (c *enableEndpointCommand) Run(ctx context.Context, std streams) error {
	in := client.EndpointInput{Status: client.Ptr(client.EndpointEnabled)}
	if c.ReplayMissed {
		in.Replay = client.ReplayMissed
	}
	return changeEndpoint(ctx, std, &c.ofEndpoint, c.JSON, in)
}

type disableEndpointCommand struct {
	ofEndpoint
	jsonOption
	stopOptions
}

// Run disables an endpoint.
func (c *disableEndpointCommand) Run(ctx context.Context, std streams) error {
	return changeEndpoint(ctx, std, &c.ofEndpoint, c.JSON, client.EndpointInput{Status: client.Ptr(client.EndpointDisabled), StatusReason: c.Reason})
}
