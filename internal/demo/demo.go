// Package demo plays a platform and its customers on a temporary server. It publishes events, receives them in every dialect, and
// verifies each delivery.
package demo

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/catalogue"
)

//go:embed payloads/*.json
var payloads embed.FS

const (
	tenant   = "acme"
	patience = 30 * time.Second // for all deliveries; they need about a second
)

// Config configures a demonstration.
type Config struct {
	URL, Key string // of the server, with a key of the role admin
	Out      io.Writer
	Colour   bool // Out is a terminal
	Once     bool // return when every delivery has been verified, instead of when the context ends
	// Past counts what happened before the demonstration, for the charts. It is not called with Once.
	Past func(ctx context.Context, past iter.Seq[Counted]) error
	// Recent stores events of the last days. It is called before the first event is published, and not with Once.
	Recent func(ctx context.Context, sent []Sent) error
}

// payload is an event that the platform publishes.
type payload struct {
	eventType string
	group     string
	schema    []byte // nil: any object
	data      []byte
}

// Play runs a demonstration on an empty server. It fails if a delivery is missing or cannot be verified.
func Play(ctx context.Context, c Config) error {
	screen := &screen{out: c.Out, colour: c.Colour}
	api, err := client.New(c.URL, c.Key)
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
	screen.header(c.URL)
	if c.Once {
		return verify(ctx, screen, api, customer, published)
	}
	return goOn(ctx, c, screen, api, customer, published)
}

// goOn shows a platform with a past, whose events go on until the context ends.
func goOn(ctx context.Context, c Config, screen *screen, api *client.Client, customer *customer, published []payload) error {
	residents, err := settle(ctx, api, customer)
	if err != nil {
		return err
	}
	now, orders := time.Now(), newOrders()
	if err := c.Recent(ctx, recent(now, rand.New(rand.NewPCG(1, 1)), published, residents, orders)); err != nil {
		return err
	}
	living, stop := context.WithCancel(ctx)
	var counting sync.WaitGroup
	defer counting.Wait()
	defer stop()
	var failed error
	// It takes seconds, for which nobody has to wait: charts show it once it is there.
	counting.Go(func() {
		if failed = c.Past(living, past(now, rand.New(rand.NewPCG(1, 1)), published, residents)); failed != nil {
			stop()
		}
	})
	if err := verify(living, screen, api, customer, published); err != nil {
		return err
	}
	link, err := api.CreateConsoleLink(living)
	if err != nil {
		return err
	}
	screen.invitation(c.URL, c.Key, link.URL, customer.url+"/mine", customer.endpoints, published[0])
	customer.live(living, api, published, residents, orders)
	counting.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return failed
}

// verify publishes events, and waits until the customer has verified all deliveries and the server reports their success.
func verify(ctx context.Context, screen *screen, api *client.Client, customer *customer, published []payload) error {
	started := time.Now()
	expected := 0
	sent := make(map[string][]byte) // data by event type
	for _, p := range published {
		receipt, err := api.Publish(ctx, tenant, client.Publication{Type: p.eventType, Data: p.data})
		if err != nil {
			return err
		}
		expected += receipt.Deliveries
		sent[p.eventType] = p.data
	}
	if err := follow(ctx, screen, customer, sent, expected); err != nil {
		return err
	}
	if err := allSucceeded(ctx, api, started, expected); err != nil {
		return err
	}
	screen.summary(len(published), expected, time.Since(started))
	return nil
}

// intact reports whether an arrival has the data that was published.
func (a *arrival) intact(published []byte) bool {
	if a.same != nil {
		return a.same(published, a.data)
	}
	return bytes.Equal(a.data, published)
}

// readPayloads returns the events to publish: some of the demonstration's own, and examples of each vendor.
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

// vendorPayloads returns the examples of the event types that an endpoint subscribes to.
func vendorPayloads(e endpoint) ([]payload, error) {
	file, err := catalogue.Parse(e.catalogue)
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

// describe puts the event types into the server's catalogue.
func describe(ctx context.Context, api *client.Client, published []payload) error {
	for _, p := range published {
		schema := p.schema
		if schema == nil {
			var err error
			if schema, err = schemaOf(p.data); err != nil {
				return err
			}
		}
		_, err := api.PutEventType(ctx, client.EventType{Name: p.eventType, Group: p.group, Schema: schema, Example: p.data})
		if err != nil {
			return err
		}
	}
	return nil
}

// schemaOf returns a schema that names the fields of an example, and requires none of them.
func schemaOf(example []byte) ([]byte, error) {
	var value any
	if err := json.Unmarshal(example, &value); err != nil {
		return nil, err
	}
	return json.Marshal(shape(value))
}

func shape(value any) map[string]any {
	switch v := value.(type) {
	case map[string]any:
		fields := make(map[string]any, len(v))
		for name, field := range v {
			fields[name] = shape(field)
		}
		return map[string]any{"type": "object", "properties": fields}
	case []any:
		if len(v) > 0 {
			return map[string]any{"type": "array", "items": shape(v[0])}
		}
		return map[string]any{"type": "array"}
	case string:
		return map[string]any{"type": "string"}
	case float64:
		return map[string]any{"type": "number"}
	case bool:
		return map[string]any{"type": "boolean"}
	}
	return map[string]any{}
}

// follow prints arrivals until the expected number of deliveries has been verified and acknowledged.
func follow(ctx context.Context, screen *screen, customer *customer, sent map[string][]byte, expected int) error {
	late := time.After(patience)
	for acknowledged := 0; acknowledged < expected; {
		select {
		case a := <-customer.arrivals:
			if a.fault == nil && !a.intact(sent[a.eventType]) {
				a.fault = errors.New("its data differs from what was published")
			}
			screen.row(a)
			if a.fault != nil {
				return fmt.Errorf("the delivery of %s to %s is wrong: %w", a.eventType, a.name, a.fault)
			}
			if a.status < 300 {
				acknowledged++
			}
		case <-late:
			return fmt.Errorf("only %d of %d deliveries were verified within %s", acknowledged, expected, patience)
		case <-ctx.Done():
			return errors.New("stopped before all deliveries were verified")
		}
	}
	return nil
}

// allSucceeded waits until the server reports that every delivery since the start has succeeded.
func allSucceeded(ctx context.Context, api *client.Client, started time.Time, expected int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := api.Deliveries(ctx, tenant, client.DeliveryFilter{Status: client.DeliverySucceeded, Since: started}, client.Page{Limit: 250})
		if err != nil {
			return err
		}
		if len(list.Data) == expected {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the server reports %d succeeded deliveries instead of %d", len(list.Data), expected)
		}
	}
}
