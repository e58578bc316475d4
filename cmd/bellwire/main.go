// Command bellwire is the server, and the command line for publishers, receivers and operators.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/dialect/declared"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/sim"
	"github.com/bellwire/bellwire/internal/store/postgres"
)

// Exit codes, which the help and docs/configuration.md document.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const description = `Bellwire delivers a platform's events to its customers as webhooks.

Try it:                 bellwire demo
Run it:                 bellwire serve
Publish an event:       bellwire publish --tenant acme --type card.created --data '{"id": 1}'
See what is delivered:  bellwire listen --secret whsec_…

Exit codes: 0 done, 1 failed, 2 wrong use.`

// commands has a field for each command.
type commands struct {
	ShowVersion kong.VersionFlag `name:"version" short:"V" help:"Print the version."`

	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Demo     demoCommand     `cmd:"" help:"Follow an event from end to end, on a temporary database."`
	Publish  publishCommand  `cmd:"" help:"Publish events."`
	Import   importCommand   `cmd:"" help:"Move in: import tenants, keys, event types, endpoints and past events."`
	Export   exportCommand   `cmd:"" help:"Write tenants, keys, event types, endpoints and events to a file that can be imported."`
	Listen   listenCommand   `cmd:"" help:"Receive, verify and print deliveries on this machine."`
	Verify   verifyCommand   `cmd:"" help:"Say why a signature is refused."`
	Bench    benchCommand    `cmd:"" help:"Measure this machine, and how much of it deliveries reach."`
	Simulate simulateCommand `cmd:"" help:"Simulate a platform of any size: how many nodes it needs, and what a failure costs."`

	Tenants    tenantsCommand    `cmd:"" help:"Create, list, change and delete tenants."`
	Endpoints  endpointsCommand  `cmd:"" help:"Create, list, change and delete endpoints, and their secrets."`
	EventTypes eventTypesCommand `cmd:"" help:"Create, list and delete event types."`
	Events     eventsCommand     `cmd:"" help:"Find events, and what became of them."`
	Deliveries deliveriesCommand `cmd:"" help:"Find deliveries, and what receivers answered."`
	Retry      retryCommand      `cmd:"" help:"Attempt deliveries again."`
	Replay     replayCommand     `cmd:"" help:"Send past events to an endpoint."`
	Jobs       jobsCommand       `cmd:"" help:"Follow and control replays, and retries of many deliveries."`
	Ready      readyCommand      `cmd:"" help:"Report whether a server can take work."`
	Status     statusCommand     `cmd:"" help:"Show what needs you now."`
	Find       findCommand       `cmd:"" help:"Say what an id is of, and of which tenant."`
	Tail       tailCommand       `cmd:"" help:"Print attempts as they are made."`
	Probe      probeCommand      `cmd:"" help:"Make one attempt at an endpoint now, and show it with its timings."`
	Statistics statisticsCommand `cmd:"" help:"Count events and attempts by minute, hour or day."`
	Filters    filtersCommand    `cmd:"" help:"Try filters on stored events."`
	Audit      auditCommand      `cmd:"" help:"List who changed what, and in dialects that require a reason, who read what."`
	Alerts     alertsCommand     `cmd:"" help:"Try the alerts by e-mail."`
	Nodes      nodesCommand      `cmd:"" help:"List the nodes that share the database."`
	Settings   settingsCommand   `cmd:"" help:"List the options of the server with the values in force."`
	Console    consoleCommand    `cmd:"" help:"Sign in to the console."`
	Portal     portalCommand     `cmd:"" help:"Print a link to the portal of a tenant."`
	Keys       keysCommand       `cmd:"" help:"Create, list and delete API keys."`
	Profiles   profilesCommand   `cmd:"" help:"Save the servers that you use, with their keys."`

	Keyset     keysetCommand     `cmd:"" help:"Change the keys that seal the secrets in the database."`
	Backup     backupCommand     `cmd:"" help:"Copy the database while the server runs."`
	Restore    restoreCommand    `cmd:"" help:"Check a copy of a database, and put it in place."`
	Catalogue  catalogueCommand  `cmd:"" help:"Load and list event types."`
	Dialect    dialectCommand    `cmd:"" help:"Check and list files that declare dialects."`
	Doctor     doctorCommand     `cmd:"" help:"Examine the configuration, the machine, the keyset and the database, and say what to do."`
	Check      checkCommand      `cmd:"" help:"Look through an SQLite database for damage."`
	Completion completionCommand `cmd:"" help:"Print a script with which a shell completes command lines."`
	Man        manCommand        `cmd:"" about-all:"" help:"Write the manual pages."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Help       helpCommand       `cmd:"" about-all:"" help:"Show the help of a command."`

	Complete      completeCommand      `cmd:"" about-all:"" hidden:""`
	BenchReceiver benchReceiverCommand `cmd:"" hidden:""`
	BenchRelay    benchRelayCommand    `cmd:"" hidden:""`
	BenchHostile  benchHostileCommand  `cmd:"" hidden:""`
}

// helpCommand is another way to ask for --help.
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command."`
}

// Help is shown below the options.
func (c *helpCommand) Help() string {
	return `  bellwire help serve           the same as bellwire serve --help
  bellwire help keys create`
}

// Run shows the help. It returns only if the command does not exist.
func (c *helpCommand) Run(std streams) error {
	parser, err := newParser(std)
	if err != nil {
		return err
	}
	_, err = parser.Parse(append(c.Command, "--help"))
	return cli.Usagef("%s", err)
}

// streams are the standard streams of the process, or others in tests.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

func main() {
	silenceLibraries()
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

func run(args []string, std streams) int {
	parser, err := parserOf(std, grammar(args))
	if err != nil {
		fmt.Fprintln(std.err, "bellwire:", err)
		return exitFailed
	}
	cli.ForgetEmptyVariables(parser.Model.Node)
	parsed, err := parser.Parse(cli.WithoutEmptyOptions(args, parser.Model.Node))
	if err != nil {
		command := cli.Selected(err)
		fmt.Fprintf(std.err, "bellwire: %s\nRun \"%s --help\" for help.\n", cli.Explain(err.Error(), command), command.FullPath())
		return exitUsage
	}
	ctx, stop := stopSignals(std.err)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(std, parser.Model); err != nil {
		lastWords(std.err, "bellwire: "+cli.Explain(describe(err), parsed.Selected()))
		return exitCode(err)
	}
	return exitOK
}

// grammar returns a struct with the commands that a command line needs: the one that it begins with, or all. A short command would
// take most of its time to build the others.
func grammar(args []string) any {
	all := reflect.TypeFor[commands]()
	for i := range all.NumField() {
		field := all.Field(i)
		if len(args) > 0 && args[0] == commandName(field) && !isAboutAll(field) && !readsFile(field.Type) {
			return reflect.New(reflect.StructOf([]reflect.StructField{all.Field(0), field})).Interface()
		}
	}
	return new(commands)
}

// isAboutAll reports whether a command is about all commands.
func isAboutAll(command reflect.StructField) bool {
	_, tagged := command.Tag.Lookup("about-all")
	return tagged
}

// readsFile reports whether a command reads the configuration file, which can have options of all commands.
func readsFile(command reflect.Type) bool {
	if command == reflect.TypeFor[cli.FileOption]() {
		return true
	}
	if command.Kind() != reflect.Struct {
		return false
	}
	for i := range command.NumField() {
		if readsFile(command.Field(i).Type) {
			return true
		}
	}
	return false
}

// commandName returns the name that kong gives to a command.
func commandName(field reflect.StructField) string {
	var name strings.Builder
	for i, r := range field.Name {
		if unicode.IsUpper(r) && i > 0 {
			name.WriteByte('-')
		}
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}

func newParser(std streams) (*kong.Kong, error) { return parserOf(std, new(commands)) }

// parserOf returns a parser of command lines.
func parserOf(std streams, commands any) (*kong.Kong, error) {
	parser, err := kong.New(commands,
		kong.Name("bellwire"),
		kong.Description(description),
		kong.Writers(std.out, std.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, NoAppDescFormat: true, WrapUpperBound: 120}),
		kong.ExplicitGroups(groups),
		kong.ValueFormatter(cli.DescribeOption),
		kong.Vars{
			"database_connections": strconv.Itoa(postgres.Connections),
			"max_event_bytes":      fmt.Sprintf("%dMiB", service.DefaultMaxEventBytes>>20),
			"version":              thisBuild().String(),
		},
		kong.TypeMapper(reflect.TypeFor[time.Duration](), cli.DurationMapper),
		kong.TypeMapper(reflect.TypeFor[int](), cli.IntMapper),
		kong.TypeMapper(reflect.TypeFor[float64](), cli.FloatMapper),
	)
	if err != nil {
		return nil, err
	}
	cli.TidyValues(parser.Model.Node)
	cli.FillHelp(parser.Model.Node, listsInHelp())
	addExamples(parser.Model.Node)
	return parser, nil
}

// listsInHelp returns what fills the lists of names in the texts about options. They are not kong's variables, because kong
// searches all of these again for each option of each command, which would be most of the work of a short command.
func listsInHelp() *strings.Replacer {
	return strings.NewReplacer(
		"{catalogues}", strings.Join(catalogueNames(), ", "),
		"{dialects}", strings.Join(dialectNames(), ", "),
		"{shipped}", strings.Join(declared.ShippedNames(), ", "),
		"{limits}", strings.Join(limits.Names(false), ", "),
		"{scenarios}", strings.Join(sim.Names(), ", "),
	)
}

// describe returns the text of an error, with its hint on a line of its own.
func describe(err error) string {
	text := err.Error()
	if answered, ok := errors.AsType[*client.Error](err); ok && answered.Hint != "" {
		return strings.Replace(text, "; hint: "+answered.Hint, "", 1) + "\n" + answered.Hint
	}
	if known, ok := errors.AsType[*bellwire.Error](err); ok && known.Hint != "" {
		return text + "\n" + known.Hint
	}
	return text
}

func exitCode(err error) int {
	var usage *cli.UsageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// stopSignals returns a context that ends with the first SIGINT, SIGTERM or SIGHUP. A second signal ends the process at
// once, without a drain.
func stopSignals(log io.Writer) (context.Context, context.CancelFunc) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // unless nohup ignores it
		signal.Notify(signals, syscall.SIGHUP)
	}
	ctx, cancel := stopContext(signals, func() {
		lastWords(log, "bellwire: stopped by a second signal, without a drain")
		os.Exit(exitFailed)
	})
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}

// lastWordsTimeout is how long the process waits for its last message to be read.
const lastWordsTimeout = time.Second

// lastWords writes the last message of the process. It does not wait for ever for a reader that does not read.
func lastWords(w io.Writer, message string) {
	written := make(chan struct{})
	go func() {
		defer close(written)
		fmt.Fprintln(w, message)
	}()
	select {
	case <-written:
	case <-time.After(lastWordsTimeout):
	}
}

// oneRequest is the time after the first signal in which others count as copies of it. When a terminal closes, both the
// shell and the kernel send SIGHUP, and timeout(1) sends SIGTERM to the process and to its group. A person who presses
// Ctrl-C twice takes longer.
const oneRequest = 100 * time.Millisecond

// stopContext returns a context that ends with the first signal. It calls atOnce for a signal that arrives more than
// oneRequest later.
func stopContext(signals <-chan os.Signal, atOnce func()) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		first := time.Now()
		for range signals {
			if time.Since(first) > oneRequest {
				atOnce()
				return
			}
		}
	}()
	return ctx, cancel
}
