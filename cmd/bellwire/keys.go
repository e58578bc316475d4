package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/output"
)

type keysCommand struct {
	Create createKeyCommand `cmd:"" help:"Create a key and print its secret, once."`
	List   listKeysCommand  `cmd:"" help:"List keys, without secrets."`
	Delete deleteKeyCommand `cmd:"" help:"Delete a key, so that requests with it are refused."`
}

// Help is shown below the options.
func (c *keysCommand) Help() string {
	return `Without --tenant, the operator's keys (admin, publisher). With it, the tenant's keys (tenant, tenant-read).

  bellwire keys create --role publisher --name billing
  bellwire keys create --role tenant --tenant acme
  bellwire keys create --role tenant --tenant 123456789012 --hmac --scope 'pcx:webhooks:*'
  bellwire keys list --tenant acme`
}

type createKeyCommand struct {
	connection
	Tenant    string        `placeholder:"ID" complete:"tenant" help:"Tenant that the key belongs to. Default: the operator."`
	Role      string        `required:"" enum:"admin,publisher,tenant,tenant-read" placeholder:"ROLE" help:"What the key may do: admin, publisher, tenant or tenant-read."`
	Name      string        `placeholder:"TEXT" help:"Purpose of the key."`
	Scopes    []string      `name:"scope" placeholder:"SCOPE" help:"Only operation of a vendor's API that the key permits, such as pcx:webhooks:read. Repeat it for more. Default: all of its role."`
	HMAC      bool          `name:"hmac" help:"Let the key sign requests. The server then keeps its secret, sealed."`
	ExpiresIn time.Duration `placeholder:"TIME" help:"Time after which the key is refused, such as 90d. Default: never."`
	JSON      bool          `name:"json" help:"Print JSON."`
}

// Validate checks that the role and the tenant fit together. Kong calls it.
func (c *createKeyCommand) Validate() error {
	ofTenant := c.Role == "tenant" || c.Role == "tenant-read"
	switch {
	case ofTenant && c.Tenant == "":
		return cli.Option("tenant", "must be given for a key with the role %s", c.Role)
	case !ofTenant && c.Role != "" && c.Tenant != "":
		return cli.Option("tenant", "must not be given for a key with the role %s, which belongs to the operator", c.Role)
	}
	if c.ExpiresIn < 0 {
		return cli.Option("expires-in", "must not be negative")
	}
	return nil
}

// Run creates a key.
func (c *createKeyCommand) Run(ctx context.Context, std streams) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	wanted := client.NewKey{Role: client.Role(c.Role), Name: c.Name, HMAC: c.HMAC, Scopes: c.Scopes}
	if c.ExpiresIn > 0 {
		wanted.ExpiresAt = time.Now().Add(c.ExpiresIn).UTC()
	}
	key, err := api.CreateKey(ctx, c.Tenant, wanted)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(std.out).Encode(key)
	}
	expires := ""
	if key.ExpiresAt != nil {
		expires = "expires: " + output.Time(*key.ExpiresAt) + "\n"
	}
	_, err = fmt.Fprintf(std.out, "id:      %s\nrole:    %s\n%ssecret:  %s   (shown this once)\n", key.ID, key.Role, expires, key.Secret)
	return err
}

type listKeysCommand struct {
	connection
	listOptions
	Tenant string `placeholder:"ID" complete:"tenant" help:"Tenant whose keys are listed. Default: the operator's."`
}

var keyColumns = []output.Column[client.Key]{
	output.Text("ID", func(k client.Key) string { return k.ID }),
	output.Text("ROLE", func(k client.Key) string { return string(k.Role) }),
	output.Text("CREATED", func(k client.Key) string { return output.Time(k.CreatedAt) }),
	output.Text("LAST USED", func(k client.Key) string { return output.TimePtr(k.LastUsedAt) }),
	output.Text("EXPIRES", func(k client.Key) string { return output.TimePtr(k.ExpiresAt) }),
	output.Text("SIGNS", func(k client.Key) string { return yes(k.HMAC) }),
	output.Text("SCOPES", func(k client.Key) string { return strings.Join(k.Scopes, ", ") }),
	output.Text("NAME", func(k client.Key) string { return k.Name }),
}

// Run lists keys.
func (c *listKeysCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	return printList(ctx, std, api, &c.listOptions, keyColumns, func(ctx context.Context, page client.Page) (*client.List[client.Key], error) {
		return api.Keys(ctx, c.Tenant, page)
	})
}

type deleteKeyCommand struct {
	connection
	Tenant string `placeholder:"ID" complete:"tenant" help:"Tenant that the key belongs to. Default: the operator."`
	ID     string `arg:"" complete:"key" help:"The key's id (key_…)."`
}

// Run deletes a key.
func (c *deleteKeyCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	return api.DeleteKey(ctx, c.Tenant, c.ID)
}
