package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/web"
)

// The page on configuration lists exactly the options that have an environment variable: all of serve, and some of others.
func TestDocumentedOptions(t *testing.T) {
	t.Parallel()
	documented := make(map[string]string)
	page := read(t, "../../docs/configuration.md")
	for _, row := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| `(BELLWIRE_[A-Z_]+)`").FindAllStringSubmatch(page, -1) {
		documented[row[1]] = row[2]
	}
	options := make(map[string]string)
	for _, node := range model(t).Leaves(true) {
		for _, flag := range node.Flags {
			if !flag.Hidden && len(flag.Envs) > 0 {
				options[flag.Name] = flag.Envs[0]
			}
		}
	}
	if diff := cmp.Diff(options, documented); diff != "" {
		t.Errorf("docs/configuration.md and the options differ (-options +page):\n%s", diff)
	}
}

// Every option of the server tells its default on the page.
func TestDocumentedDefaults(t *testing.T) {
	t.Parallel()
	page := read(t, "../../docs/configuration.md")
	for _, node := range model(t).Children {
		if node.Name != "serve" {
			continue
		}
		for _, flag := range node.Flags {
			if flag.HasDefault && !strings.Contains(page, "`"+flag.Envs[0]+"` | `"+flag.Default+"` |") {
				t.Errorf("docs/configuration.md does not say that the default of --%s is %s", flag.Name, flag.Default)
			}
		}
	}
}

// The package's file of secrets can be read by root only. Commands that the pages show with the package's configuration get them all the
// same, because they could otherwise not reach the service's database, and could find another one.
func TestCommandsGetSecretsOfPackage(t *testing.T) {
	t.Parallel()
	const file = "--config /etc/bellwire/bellwire.yaml"
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, page := range pages {
		for line := range strings.Lines(strings.ReplaceAll(read(t, page), "\\\n", " ")) {
			if !strings.Contains(line, file) {
				continue
			}
			if shown++; !strings.Contains(line, "--uid=bellwire --property=EnvironmentFile=-/etc/bellwire/bellwire.env") {
				t.Errorf("%s shows a command without the service's secrets: %s", page, line)
			}
		}
	}
	if shown < 4 {
		t.Errorf("only %d commands are found", shown)
	}
}

// The container of the page on installation is not killed while it drains.
func TestContainerMayDrain(t *testing.T) {
	t.Parallel()
	found := regexp.MustCompile(`docker run .*--stop-timeout (\d+) `).FindStringSubmatch(read(t, "../../docs/install.md"))
	if found == nil {
		t.Fatal("docs/install.md gives the container no time to drain")
	}
	s, err := parse(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	drain := s.DrainTimeout
	if stop, err := time.ParseDuration(found[1] + "s"); err != nil || stop <= drain {
		t.Errorf("docs/install.md gives the container %s, and a drain takes up to %s (%v)", stop, drain, err)
	}
}

// The README names every command that has a page to it, and no other; .ci/run runs its test command.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme := read(t, "../../README.md")
	commands := make(map[string]bool)
	for _, node := range model(t).Children {
		commands[node.Name] = true
	}
	for _, used := range regexp.MustCompile(`(?m)^(?:\./bellwire|go run \./cmd/bellwire) ([a-z]+)`).FindAllStringSubmatch(readme, -1) {
		if !commands[used[1]] {
			t.Errorf("README.md uses bellwire %s, which there is not", used[1])
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([A-Za-z./-]+)\)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat("../../" + link[1]); err != nil {
			t.Errorf("README.md links to %s: %v", link[1], err)
		}
	}
	fenced := regexp.MustCompile("(?s)```sh\n(.*?)\n```").FindAllStringSubmatch(readme, 2)
	if len(fenced) < 2 {
		t.Fatal("README.md does not begin with its two commands")
	}
	if !strings.Contains(read(t, "../../.ci/run"), "\n"+fenced[1][1]+"\n") {
		t.Errorf(".ci/run does not run the README's test command, %q", fenced[1][1])
	}
}

// The page on dialects compares all that this build speaks, and leads to what each promises.
func TestDocumentedDialects(t *testing.T) {
	t.Parallel()
	page := read(t, "../../docs/dialects.md")
	var linked []string
	for _, row := range regexp.MustCompile("(?m)^\\| \\[`([a-z]+)`\\]\\(\\.\\./(internal/dialect/[a-z]+/README\\.md)\\)").FindAllStringSubmatch(page, -1) {
		linked = append(linked, row[1])
		if contract := read(t, "../../"+row[2]); !strings.HasPrefix(contract, "# Dialect `"+row[1]+"`") {
			t.Errorf("%s is not the contract of %s", row[2], row[1])
		}
		// A row each in the tables of messages and of verifiers.
		if strings.Count(page, "\n| `"+row[1]+"` |") != 2 {
			t.Errorf("docs/dialects.md does not compare %s", row[1])
		}
	}
	if diff := cmp.Diff(dialectNames(), linked); diff != "" {
		t.Errorf("docs/dialects.md and the dialects differ (-dialects +page):\n%s", diff)
	}
}

func model(t *testing.T) *kong.Node {
	t.Helper()
	parser, err := newParser(streams{})
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Node
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The commands that the pages show exist, with all their flags.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "client/*.md", "receive/*.md", "internal/dialect/*/*.md"} {
		found, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	program := model(t)
	checked := 0
	for _, page := range pages {
		for _, command := range documentedCommands(read(t, page)) {
			checked++
			node, rest := commandOf(program, strings.Fields(command))
			if node == program {
				t.Errorf("%s shows %q, which there is not", page, "bellwire "+command)
				continue
			}
			known := flagsOf(node)
			for _, word := range rest {
				if name, isFlag := strings.CutPrefix(word, "--"); isFlag {
					if name, _, _ = strings.Cut(name, "="); name != "" && !known[name] {
						t.Errorf("%s shows %q, but %s has no flag --%s", page, "bellwire "+command, node.FullPath(), name)
					}
				}
			}
		}
	}
	if checked < 200 {
		t.Errorf("only %d commands were found", checked)
	}
}

// documentedCommands returns the commands of a page without "bellwire" before them: those in its text, and those that begin a line of
// its blocks.
func documentedCommands(page string) (commands []string) {
	page = strings.ReplaceAll(page, "\\\n", " ")
	for _, shown := range []*regexp.Regexp{
		regexp.MustCompile("`bellwire ([a-z][^`]*)`"),
		regexp.MustCompile(`(?m)^(?:sudo |-u bellwire |\./|[A-Z_]+=\S+ )*bellwire ([a-z][^\n#|&;>)]*)`),
	} {
		for _, found := range shown.FindAllStringSubmatch(page, -1) {
			commands = append(commands, found[1])
		}
	}
	return commands
}

// commandOf returns the command that words begin with, and the words behind it.
func commandOf(node *kong.Node, words []string) (*kong.Node, []string) {
	for len(words) > 0 {
		at := slices.IndexFunc(node.Children, func(child *kong.Node) bool { return child.Name == words[0] })
		if at < 0 {
			break
		}
		node, words = node.Children[at], words[1:]
	}
	return node, words
}

// Akkuro's page lists the functional groups whose paths belong to something else.
func TestAkkurosTakenGroups(t *testing.T) {
	t.Parallel()
	taken := slices.Concat(nativePaths, web.Prefixes, operationPaths[1:])
	for _, d := range dialects {
		if d.prefix != "" && !strings.Contains(d.prefix, "/") {
			taken = append(taken, d.prefix)
		}
	}
	slices.Sort(taken)
	row := regexp.MustCompile(`(?m)^\| groups (.*) \| Their paths`).FindStringSubmatch(read(t, "../../internal/dialect/akkuro/README.md"))
	if row == nil {
		t.Fatal("there is no row of groups")
	}
	var listed []string
	for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
		listed = append(listed, name[1])
	}
	if diff := cmp.Diff(taken, listed); diff != "" {
		t.Error(diff)
	}
}
