package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/dialect/declared"
	"github.com/bellwire/bellwire/internal/sim"
)

// completeCommand is called by the scripts of completionCommand.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// Run prints the words that can be next, a line each.
func (c *completeCommand) Run(ctx context.Context, std streams, app *kong.Application) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" { // kong leaves it
		words = words[1:]
	}
	if len(words) > 1 && words[0] == "help" {
		words = words[1:]
	}
	for _, word := range cli.Complete(app.Node, words, completions(ctx)) {
		if _, err := fmt.Fprintln(std.out, word); err != nil {
			return err
		}
	}
	return nil
}

// completions returns what finds the values that options and arguments name in their tag "complete". Those that only a server has
// are left out if it does not answer at once.
func completions(ctx context.Context) cli.Sources {
	sources := cli.Sources{
		"dialect":    names(func() []string { return slices.Concat(dialectNames(), declared.ShippedNames()) }),
		"shipped":    names(declared.ShippedNames),
		"vendor":     names(catalogueNames),
		"scenario":   names(sim.Names),
		"capability": names(func() []string { return bellwire.CapabilityNames }),
		"profile":    names(profileNames),
	}
	sources["outcome"] = names(func() (all []string) {
		for _, outcome := range bellwire.Outcomes {
			all = append(all, string(outcome))
		}
		return all
	})
	list := map[string]func(context.Context, *client.Client, string) ([]cli.Word, error){
		"tenant": func(ctx context.Context, api *client.Client, _ string) ([]cli.Word, error) {
			return listed(func(page client.Page) (*client.List[client.Tenant], error) { return api.Tenants(ctx, page) },
				func(t client.Tenant) cli.Word { return cli.Word{Text: t.ID, Help: t.Name} })
		},
		"endpoint": func(ctx context.Context, api *client.Client, tenant string) ([]cli.Word, error) {
			return listed(func(page client.Page) (*client.List[client.Endpoint], error) {
				return api.Endpoints(ctx, tenant, client.EndpointFilter{}, page)
			}, func(e client.Endpoint) cli.Word { return cli.Word{Text: e.ID, Help: e.URL} })
		},
		"event-type": func(ctx context.Context, api *client.Client, _ string) ([]cli.Word, error) {
			return listed(func(page client.Page) (*client.List[client.EventType], error) { return api.EventTypes(ctx, page) },
				func(t client.EventType) cli.Word { return cli.Word{Text: t.Name, Help: t.Description} })
		},
		"job": func(ctx context.Context, api *client.Client, tenant string) ([]cli.Word, error) {
			if tenant == "" {
				return listed(func(page client.Page) (*client.List[client.BulkJob], error) { return api.BulkJobs(ctx, page) },
					func(j client.BulkJob) cli.Word { return cli.Word{Text: j.ID, Help: string(j.Kind)} })
			}
			return listed(func(page client.Page) (*client.List[client.Job], error) { return api.Jobs(ctx, tenant, page) },
				func(j client.Job) cli.Word { return cli.Word{Text: j.ID, Help: fmt.Sprintf("%s, %s", j.Kind, j.State)} })
		},
		"key": func(ctx context.Context, api *client.Client, tenant string) ([]cli.Word, error) {
			return listed(func(page client.Page) (*client.List[client.Key], error) { return api.Keys(ctx, tenant, page) },
				func(k client.Key) cli.Word { return cli.Word{Text: k.ID, Help: k.Name} })
		},
	}
	for kind, of := range list {
		sources[kind] = func(given cli.Given) []cli.Word { return asked(ctx, given, of) }
	}
	return sources
}

// names returns a source of words that have no help.
func names(list func() []string) func(cli.Given) []cli.Word {
	return func(cli.Given) (words []cli.Word) {
		for _, name := range list() {
			words = append(words, cli.Word{Text: name})
		}
		return words
	}
}

func profileNames() []string {
	profiles, _, err := readProfiles()
	if err != nil {
		return nil
	}
	return profiles.Names()
}

// completionTime is how long a person who completes a word waits for a server.
const completionTime = 2 * time.Second

// asked asks the server that a command would call. A person who completes a word is shown no errors.
func asked(ctx context.Context, given cli.Given, list func(context.Context, *client.Client, string) ([]cli.Word, error)) []cli.Word {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	to, err := connectionOf(given)
	if err != nil {
		return nil
	}
	api, err := to.client()
	if err != nil {
		return nil
	}
	words, err := list(ctx, api, to.Tenant)
	if err != nil {
		return nil
	}
	return words
}

// connectionOf returns the server, the key and the tenant of a command with these options, which can come from a profile or the
// environment.
func connectionOf(given cli.Given) (*tenantsConnection, error) {
	var line struct {
		Call tenantsConnection `cmd:""`
	}
	parser, err := kong.New(&line)
	if err != nil {
		return nil, err
	}
	args := []string{"call"}
	for _, name := range []string{"server", "key", "profile", "tenant"} {
		if value, ok := given[name]; ok {
			args = append(args, "--"+name+"="+value)
		}
	}
	if _, err := parser.Parse(args); err != nil {
		return nil, err
	}
	if _, ok := given["all-tenants"]; ok {
		line.Call.Tenant = ""
	}
	return &line.Call, nil
}

// listed returns the newest items of a list as words.
func listed[T any](fetch func(client.Page) (*client.List[T], error), word func(T) cli.Word) ([]cli.Word, error) {
	list, err := fetch(client.Page{Limit: maxPage})
	if err != nil {
		return nil, err
	}
	words := make([]cli.Word, len(list.Data))
	for i, item := range list.Data {
		words[i] = word(item)
	}
	return words, nil
}
