package main

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/internal/cli"
)

// Every command has an example, and examples use flags and arguments that exist.
func TestExamples(t *testing.T) {
	t.Parallel()
	parser, err := newParser(streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	flag := regexp.MustCompile(`(?:^|\s)--([a-z-]+)`)
	for _, command := range parser.Model.Leaves(true) {
		path := command.FullPath()
		found := 0
		for line := range strings.Lines(command.Detail) {
			_, example, ok := strings.Cut(line, path)
			if !ok || !strings.HasPrefix(line, "  ") {
				continue
			}
			found++
			example, _, _ = strings.Cut(example, " | ") // to another program
			known := flagsOf(command)
			for _, m := range flag.FindAllStringSubmatch(example, -1) {
				if !known[m[1]] {
					t.Errorf("%s has no flag --%s: %s", path, m[1], line)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s has no example", path)
		}
		if _, page := cli.ManPage(command, "1"); strings.Count(page, ".SH EXAMPLES\n") != 1 || strings.Contains(page, cli.ForExample) {
			t.Errorf("the manual page of %s has no section for its examples:\n%s", path, page)
		}
	}
}

func flagsOf(command *kong.Node) map[string]bool {
	known := map[string]bool{}
	for _, group := range command.AllFlags(true) {
		for _, f := range group {
			known[f.Name] = true
			for _, alias := range f.Aliases {
				known[alias] = true
			}
			if f.Negated {
				known["no-"+f.Name] = true
			}
		}
	}
	return known
}
