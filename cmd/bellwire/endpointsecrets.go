package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type secretCommand struct {
	ofEndpoint
	jsonOption
}

// Run prints the secrets of an endpoint.
func (c *secretCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	secrets, err := api.EndpointSecret(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		table := output.NewTable(p, []output.Column[client.SigningSecret]{
			output.Text("SECRET", func(s client.SigningSecret) string { return s.Secret }),
			output.Text("SIGNS UNTIL", func(s client.SigningSecret) string { return output.TimePtr(s.ExpiresAt) }),
			output.Text("PUBLIC KEY", func(s client.SigningSecret) string { return s.PublicKey }),
		})
		for _, secret := range secrets.Secrets {
			table.Add(secret)
		}
		table.Flush() // the Printer remembers the error
	})
}

type rotateCommand struct {
	ofEndpoint
	jsonOption
	Overlap time.Duration `default:"24h" placeholder:"TIME" help:"How long the previous secret signs too. 0s: not at all."`
}

// Run rotates the secret of an endpoint.
func (c *rotateCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	secret, err := api.RotateSecret(ctx, c.Tenant, c.ID, c.Overlap)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		p.Fields(field("secret", secret.Secret), field("public key", secret.PublicKey), field("the previous one signs until", output.TimePtr(secret.PreviousExpiresAt)))
	})
}

type endpointHistoryCommand struct {
	ofEndpoint
	listOptions
}

// Run lists the changes of an endpoint.
func (c *endpointHistoryCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	columns := []output.Column[client.EndpointChange]{
		output.Text("AT", func(h client.EndpointChange) string { return output.Time(h.At) }),
		output.Text("CHANGE", func(h client.EndpointChange) string { return string(h.Action) }),
		output.Text("BY", func(h client.EndpointChange) string { return actorText(&h.By) }),
		output.Text("FROM", func(h client.EndpointChange) string { return h.By.Address }),
		output.Text("WHAT", func(h client.EndpointChange) string {
			if h.Action != client.ChangeUpdated {
				return ""
			}
			return changeText(h.Before, h.After)
		}),
	}
	return printList(ctx, std, api, &c.listOptions, columns, func(ctx context.Context, page client.Page) (*client.List[client.EndpointChange], error) {
		return api.EndpointHistory(ctx, c.Tenant, c.ID, page)
	})
}

type endpointVersionsCommand struct {
	ofEndpoint
	jsonOption
}

// Run lists the versions of event types that an endpoint gets.
func (c *endpointVersionsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	versions, err := api.EndpointVersions(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		table := output.NewTable(p, []output.Column[client.EndpointVersion]{
			output.Text("TYPE", func(v client.EndpointVersion) string { return v.EventType }),
			output.Text("VERSION", func(v client.EndpointVersion) string { return fmt.Sprint(v.Version) }),
			output.Text("NEWEST", func(v client.EndpointVersion) string { return fmt.Sprint(v.Newest) }),
			output.Text("CHOSEN", func(v client.EndpointVersion) string {
				if v.Chosen {
					return "yes"
				}
				return "by its creation"
			}),
		})
		for _, v := range versions {
			table.Add(v)
		}
		table.Flush() // the Printer remembers the error
	})
}

type previewVersionsCommand struct {
	ofEndpoint
	jsonOption
	Versions map[string]int `required:"" mapsep:"none" placeholder:"TYPE=N" help:"Version of an event type. Repeat it for more."`
	Limit    int            `placeholder:"N" help:"Number of events, at most 20. Default: 5."`
}

// Run shows the last events of an endpoint in other versions.
func (c *previewVersionsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	previews, err := api.PreviewVersions(ctx, c.Tenant, c.ID, c.Versions, c.Limit)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		if len(previews) == 0 {
			p.Linef("The endpoint has got no event of these types yet.")
		}
		for i := range previews {
			one := &previews[i]
			p.Heading(output.Clean(one.EventType + " " + one.Event))
			printPreview(p, "before", &one.Before)
			printPreview(p, "after", &one.After)
		}
	})
}

func printPreview(p *output.Printer, title string, b *client.PreviewBody) {
	if b.Version > 0 {
		p.Linef("%s, version %d: %s", title, b.Version, output.Clean(b.Body))
	}
	if b.Problem != "" {
		p.Linef("%s: %s", title, p.Paint(output.Warning, output.Clean(b.Problem)))
	}
}

// actorText says in a few words who made a change.
func actorText(a *client.Actor) string {
	switch {
	case a == nil:
		return ""
	case a.Kind == client.ActorBellwire:
		return strings.TrimSuffix("Bellwire: "+a.Reason, ": ")
	case a.KeyName != "":
		return a.KeyName + " (" + a.Key + ")"
	case a.Key != "":
		return a.Key
	case a.Kind == client.ActorConfigured:
		return "the configured admin key"
	case a.Role == client.RoleAdmin || a.Role == client.RolePublisher:
		return "an operator"
	}
	return string(a.Kind)
}

// changeText returns the fields that a change set, before and after it.
func changeText(before, after map[string]json.RawMessage) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if was, is := fieldText(before[name]), fieldText(after[name]); was != is {
			list = append(list, name+": "+was+" → "+is)
		}
	}
	return strings.Join(list, "; ")
}

func fieldText(v json.RawMessage) string {
	if len(v) == 0 {
		return "null"
	}
	return string(v)
}
