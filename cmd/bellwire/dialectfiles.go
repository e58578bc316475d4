package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/dialect/declared"
	"github.com/bellwire/bellwire/internal/output"
	"github.com/bellwire/bellwire/receive"
)

// allDialects is what --dialects takes for all dialects of this build, with those of its files.
const allDialects = "all"

// fileDialects returns the dialects that files declare: those of --dialect-dir, and those of this program's files that --dialects
// names.
func (s *settings) fileDialects() ([]*declared.Dialect, error) {
	var list []*declared.Dialect
	if s.DialectDir != "" {
		var err error
		if list, err = declared.Load(s.DialectDir, dialectNames()); err != nil {
			return nil, badFiles("dialect-dir", err)
		}
	}
	for _, name := range s.Dialects {
		if name != allDialects && !slices.Contains(servableDialects(), name) && !hasDialect(list, name) {
			return nil, unknownDialect(name, "dialects", namesOf(list)...)
		}
	}
	list, err := s.withShipped(list)
	if err != nil {
		return nil, err
	}
	return list, s.checkFileDialects(list)
}

// checkFileDialects refuses dialects that would deliver an address that customers cannot call.
func (s *settings) checkFileDialects(list []*declared.Dialect) error {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil || s.PublicURL != "" || !isUnspecified(host) {
		return err
	}
	for _, d := range list {
		if d.NeedsServer() {
			return cli.Option("public-url", "must be given with --listen %s, because the dialect %s delivers this server's URL or host, and clients "+
				"cannot call such an address", s.Listen, d.Name())
		}
	}
	return nil
}

// verifierOf returns the function that opens the verifiers of a dialect: one of this build, or one that a file of this program or of a
// folder declares. An empty folder has none. The URL is that of the receiver, for dialects that sign it.
func verifierOf(name, folder, url string) (func(secrets ...string) (receive.Verifier, error), error) {
	if d := dialectOf(name); d != nil {
		return d.verifier, nil
	}
	d, err := fileDialect(name, folder)
	if err != nil {
		return nil, err
	}
	return func(secrets ...string) (receive.Verifier, error) { return d.ReceivedAt(url).Verifier(secrets...) }, nil
}

// fileDialect returns the dialect that a file of this program or of a folder declares. An empty folder has none.
func fileDialect(name, folder string) (*declared.Dialect, error) {
	list, err := declared.Shipped()
	if err != nil {
		return nil, err
	}
	if folder != "" {
		own, err := declared.Load(folder, dialectNames())
		if err != nil {
			return nil, badFiles("dialect-dir", err)
		}
		list = append(own, list...) // a folder's file comes before this program's of the same name
	}
	i := slices.IndexFunc(list, func(d *declared.Dialect) bool { return d.Name() == name })
	if i < 0 {
		return nil, unknownDialect(name, "dialect", namesOf(list)...)
	}
	return list[i], nil
}

// withShipped adds the dialects of this program's files that are asked for, unless the folder has one of that name.
func (s *settings) withShipped(list []*declared.Dialect) ([]*declared.Dialect, error) {
	wanted := func(name string) bool {
		return slices.Contains(s.Dialects, name) || slices.Contains(s.Dialects, allDialects)
	}
	if !slices.ContainsFunc(declared.ShippedNames(), wanted) {
		return list, nil
	}
	shipped, err := declared.Shipped()
	if err != nil {
		return nil, err
	}
	for _, d := range shipped {
		if wanted(d.Name()) && !hasDialect(list, d.Name()) {
			list = append(list, d)
		}
	}
	return list, nil
}

func hasDialect(list []*declared.Dialect, name string) bool {
	return slices.ContainsFunc(list, func(d *declared.Dialect) bool { return d.Name() == name })
}

func namesOf(list []*declared.Dialect) []string {
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = d.Name()
	}
	return names
}

// servableDialects returns the names of all dialects of this build.
func servableDialects() []string { return slices.Concat(dialectNames(), declared.ShippedNames()) }

func unknownDialect(name, option string, more ...string) error {
	known := servableDialects()
	for _, other := range more {
		if !slices.Contains(known, other) {
			known = append(known, other)
		}
	}
	return cli.Option(option, "dialect %q does not exist; known dialects are %s", name, strings.Join(known, ", "))
}

// badFiles returns the error of files that an option names.
func badFiles(option string, err error) error {
	if faults, ok := errors.AsType[declared.Faults](err); ok {
		return fmt.Errorf("--%s: %s\n%w", option, counted(len(faults), "fault"), faults)
	}
	return fmt.Errorf("--%s: %w", option, err)
}

// compareEvery is how often a node compares its files that declare dialects with those of other nodes.
const compareEvery = 30 * time.Second

// compareFiles logs a warning whenever other nodes begin to have other files that declare dialects. It returns when ctx ends.
func (srv *server) compareFiles(ctx context.Context) {
	ticker := time.NewTicker(compareEvery)
	defer ticker.Stop()
	for before := ""; ; {
		if nodes, err := srv.store.Nodes(ctx); err == nil {
			now := strings.Join(withOtherFiles(nodes, srv.node(), declared.Digest(srv.files)), ", ")
			if now != before && now != "" {
				srv.log.Warn("other nodes have other files that declare dialects: an endpoint's deliveries differ with the node that makes them; "+
					"use the same --dialect-dir and --dialects on all nodes", "nodes", now)
			}
			before = now
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// withOtherFiles returns the names of the nodes whose files differ from those of a node.
func withOtherFiles(nodes []bellwire.Node, own, digest string) []string {
	var names []string
	for i := range nodes {
		if n := &nodes[i]; n.Name != own && n.Alive() && n.DialectFiles != digest {
			names = append(names, n.Name)
		}
	}
	return names
}

type dialectCommand struct {
	Check checkDialectCommand `cmd:"" help:"Check files that declare dialects, and show requests that they make."`
	List  listDialectsCommand `cmd:"" help:"List the dialects of this program, and those of a folder."`
	Show  showDialectCommand  `cmd:"" help:"Print a file of this program that declares a dialect."`
}

// Help is shown below the options.
func (c *dialectCommand) Help() string {
	return `A YAML file can declare a dialect: body, headers, signatures, retries. See docs/dialects-from-a-file.md.

  bellwire dialect list
  bellwire dialect show stripe > dialects/mine.yaml    begin with a file that works
  bellwire dialect check dialects/mine.yaml
  bellwire serve --dialect-dir dialects`
}

type checkDialectCommand struct {
	Files []string `arg:"" name:"file" help:"YAML files that declare dialects."`
	Quiet bool     `help:"Show no requests."`
}

// Run checks files, and shows the requests of sample events.
func (c *checkDialectCommand) Run(_ context.Context, std streams) error {
	list, err := declared.LoadFiles(c.Files, dialectNames())
	if faults, ok := errors.AsType[declared.Faults](err); ok {
		return fmt.Errorf("%s\n%w", counted(len(faults), "fault"), faults)
	}
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, d := range list {
		fmt.Fprintf(&text, "%s: dialect %s is good; %s checked\n", output.Clean(d.File()), d.Name(), counted(d.Vectors(), "test vector"))
		if c.Quiet {
			continue
		}
		if err := showSamples(&text, d); err != nil {
			return err
		}
	}
	_, err = text.WriteTo(std.out)
	return err
}

// showSamples writes the requests of sample events.
func showSamples(w io.Writer, d *declared.Dialect) error {
	samples, err := d.Samples()
	if err != nil {
		return err
	}
	for _, s := range samples {
		fmt.Fprintf(w, "\nAn event with the data %s", s.Data)
		if s.Err != nil {
			fmt.Fprintf(w, " cannot be sent: %s\n", s.Err)
			continue
		}
		fmt.Fprint(w, ":\n\n")
		for _, h := range s.Headers {
			fmt.Fprintf(w, "  %s: %s\n", h.Name, h.Value)
		}
		fmt.Fprintln(w)
		for line := range strings.SplitSeq(string(s.Body), "\n") {
			fmt.Fprintf(w, "  %s\n", output.Clean(line))
		}
	}
	fmt.Fprintln(w)
	return nil
}

type listDialectsCommand struct {
	DialectDir string `name:"dialect-dir" env:"BELLWIRE_DIALECT_DIR" placeholder:"FOLDER" help:"Folder whose dialects are listed too."`
}

// Run lists dialects.
func (c *listDialectsCommand) Run(_ context.Context, std streams) error {
	shipped, err := declared.Shipped()
	if err != nil {
		return err
	}
	var own []*declared.Dialect
	if c.DialectDir != "" {
		if own, err = declared.Load(c.DialectDir, dialectNames()); err != nil {
			return badFiles("dialect-dir", err)
		}
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSERVED\tDESCRIPTION")
	for _, name := range dialectNames() {
		fmt.Fprintf(table, "%s\tby default\tBuilt in; see docs/dialects.md.\n", name)
	}
	for _, d := range shipped {
		if !hasDialect(own, d.Name()) {
			fmt.Fprintf(table, "%s\tif --dialects names it\t%s\n", d.Name(), d.Description())
		}
	}
	for _, d := range own {
		fmt.Fprintf(table, "%s\tfrom %s\t%s\n", d.Name(), output.Clean(d.File()), d.Description())
	}
	return table.Flush()
}

type showDialectCommand struct {
	Name string `arg:"" complete:"shipped" help:"The dialect: {shipped}."`
}

// Run prints the file of a dialect.
func (c *showDialectCommand) Run(_ context.Context, std streams) error {
	shipped, err := declared.Shipped()
	if err != nil {
		return err
	}
	for _, d := range shipped {
		if d.Name() == c.Name {
			_, err := std.out.Write(d.Text())
			return err
		}
	}
	return cli.Usagef("no file for %q; there are %s", c.Name, strings.Join(declared.ShippedNames(), ", "))
}
