package main

import (
	"strings"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/internal/cli"
)

// examples are those of commands whose group shows none for them.
var examples = map[string]string{
	"tenants show":   "bellwire tenants show acme",
	"tenants create": "bellwire tenants create acme --name 'Acme Ltd'",
	"tenants put":    "bellwire tenants put acme --name 'Acme Ltd' --metadata region=eu",
	"tenants resume": "bellwire tenants resume acme",
	"tenants delete": "bellwire tenants delete acme",

	"endpoints show":     "bellwire endpoints show --tenant acme ep_…",
	"endpoints put":      "bellwire endpoints put --tenant acme --url https://example.com/hooks --events '*' ep_…",
	"endpoints delete":   "bellwire endpoints delete --tenant acme ep_…",
	"endpoints pause":    "bellwire endpoints pause --tenant acme --reason maintenance ep_…",
	"endpoints enable":   "bellwire endpoints enable --tenant acme --replay-missed ep_…",
	"endpoints disable":  "bellwire endpoints disable --tenant acme --reason holidays ep_…",
	"endpoints secret":   "bellwire endpoints secret --tenant acme ep_…",
	"endpoints test":     "bellwire endpoints test --tenant acme --type card.created ep_…",
	"endpoints history":  "bellwire endpoints history --tenant acme ep_…",
	"endpoints versions": "bellwire endpoints versions --tenant acme ep_…",

	"event-types show":      "bellwire event-types show card.created",
	"event-types put":       "bellwire event-types put card.created --schema card.schema.json --example card.json",
	"event-types delete":    "bellwire event-types delete card.created",
	"event-types converter": "bellwire event-types converter card.created 1 'data.without([\"limit\"])'",

	"events endpoints": "bellwire events endpoints --tenant acme evt_…",
	"deliveries body":  "bellwire deliveries body --tenant acme --attempt 1 dlv_…",

	"jobs show":   "bellwire jobs show --tenant acme job_…",
	"jobs watch":  "bellwire jobs watch --tenant acme job_…",
	"jobs pause":  "bellwire jobs pause --tenant acme job_…",
	"jobs resume": "bellwire jobs resume --tenant acme job_…",

	"keys delete":     "bellwire keys delete --tenant acme key_…",
	"profiles list":   "bellwire profiles list",
	"profiles delete": "bellwire profiles delete staging",
	"keyset show":     "bellwire keyset show",
	"version":         "bellwire version --json",
}

// addExamples gives each command without a description the examples of its group that are about it, or its own.
func addExamples(command *kong.Node) {
	for _, c := range command.Children {
		addExamples(c)
	}
	if command.Detail != "" || command.Type != kong.CommandNode || len(command.Children) > 0 {
		return
	}
	path := strings.TrimPrefix(command.FullPath(), "bellwire ")
	lines := []string{cli.ForExample + "\n"}
	if own, ok := examples[path]; ok {
		lines = append(lines, "  "+own)
	}
	for line := range strings.Lines(command.Parent.Detail) {
		if strings.HasPrefix(line, "  ") && strings.Contains(line, "bellwire "+path+" ") || strings.TrimSpace(line) == "bellwire "+path {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	command.Detail = strings.Join(lines, "\n")
}
