package main

import (
	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
)

// connection has the options of commands that call a server.
type connection struct {
	Server string `group:"connection" default:"http://127.0.0.1:8080" env:"BELLWIRE_SERVER" placeholder:"URL" help:"Address of the server."`
	Key    string `group:"connection" env:"BELLWIRE_KEY,BELLWIRE_ADMIN_KEY" placeholder:"KEY" help:"API key."`
}

func (c *connection) client() (*client.Client, error) {
	if c.Key == "" {
		return nil, cli.Option("key", "must be given")
	}
	made, err := client.New(c.Server, c.Key)
	if err != nil {
		return nil, cli.Option("server", "%s", err)
	}
	return made, nil
}
