package main

import (
	"context"
	"fmt"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type auditCommand struct {
	tenantsConnection
	listOptions
	span
	By string `placeholder:"KEY" help:"Only what was done with this key (key_…)."`
}

// Help is shown below the options.
func (c *auditCommand) Help() string {
	return `  bellwire audit --tenant acme
  bellwire audit --all-tenants --all --json`
}

var auditColumns = []output.Column[client.AuditEntry]{
	output.Text("AT", func(e client.AuditEntry) string { return output.Time(e.LastAt) }),
	output.Text("TIMES", func(e client.AuditEntry) string { return fmt.Sprint(e.Count) }),
	output.Text("TENANT", func(e client.AuditEntry) string { return e.Tenant }),
	output.Text("BY", func(e client.AuditEntry) string { return actorText(&e.By) }),
	output.Text("PRINCIPAL", func(e client.AuditEntry) string { return e.Principal }),
	output.Text("WHAT", func(e client.AuditEntry) string {
		if e.Action != "" {
			return e.Action + " " + e.Subject
		}
		return e.Method + " " + e.Path
	}),
	output.Text("CHANGED", func(e client.AuditEntry) string {
		if len(e.Before) == 0 { // something was made, or nothing was changed
			return ""
		}
		return changeText(e.Before, e.After)
	}),
	output.Text("REFUSED", func(e client.AuditEntry) string { return e.Refused }),
	output.Text("JUSTIFICATION", func(e client.AuditEntry) string { return e.Justification }),
}

// Run lists the audit log.
func (c *auditCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	return printList(ctx, std, api, &c.listOptions, auditColumns, func(ctx context.Context, page client.Page) (*client.List[client.AuditEntry], error) {
		return api.Audit(ctx, client.AuditFilter{Tenant: tenant, Key: c.By, Since: c.Since.Time, Until: c.Until.Time}, page)
	})
}
