package main

import (
	"context"
	"errors"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type alertsCommand struct {
	Test testAlertsCommand `cmd:"" help:"Send a test e-mail to each address that gets alerts, and show what the mail server said."`
}

// Help is shown below the options.
func (c *alertsCommand) Help() string {
	return `Operators get them by e-mail. The options --smtp-url, --smtp-from and --alert-email of the server say where to.

  bellwire alerts test`
}

type testAlertsCommand struct {
	connection
	jsonOption
}

// Help is shown below the options.
func (c *testAlertsCommand) Help() string {
	return `The server that answers sends it, with its --smtp-url and --smtp-from, to each --alert-email.

  bellwire alerts test`
}

// Run sends tests. It fails if one of them was not sent.
func (c *testAlertsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tests, err := api.TestAlerts(ctx)
	if err != nil {
		return err
	}
	if err := printAll(std, api, c.JSON, alertTestColumns(), tests); err != nil {
		return err
	}
	for _, t := range tests {
		if !t.Sent {
			return errors.New("not all e-mails were sent")
		}
	}
	return nil
}

func alertTestColumns() []output.Column[client.AlertTest] {
	return []output.Column[client.AlertTest]{
		output.Text("ADDRESS", func(t client.AlertTest) string { return t.Address }),
		{Title: "RESULT", Cell: func(t client.AlertTest) output.Cell {
			if t.Sent {
				return output.Cell{Text: "sent", Color: output.Good}
			}
			return output.Cell{Text: "not sent", Color: output.Bad}
		}},
		output.Text("ANSWER", func(t client.AlertTest) string { return t.Answer + t.Error }),
	}
}
