package deploy

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// image parses the Dockerfile, and fails on what "docker build --check" warns of.
func image(t *testing.T) []instructions.Stage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	warn := linter.New(&linter.Config{Warn: func(rule, _, _, message string, _ []parser.Range) { t.Errorf("%s: %s", rule, message) }})
	stages, _, err := instructions.Parse(parsed.AST, warn)
	if err != nil {
		t.Fatal(err)
	}
	return stages
}

// ignoredByDocker returns the rules of .dockerignore.
func ignoredByDocker(t *testing.T) *patternmatcher.PatternMatcher {
	t.Helper()
	text, err := os.Open(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	patterns, err := ignorefile.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return ignored
}

// A file that COPY names must be in the repository, and must not be left out by .dockerignore.
func TestImageContainsWhatItCopies(t *testing.T) {
	t.Parallel()
	ignored := ignoredByDocker(t)
	for _, stage := range image(t) {
		for _, command := range stage.Commands {
			copied, ok := command.(*instructions.CopyCommand)
			if !ok || copied.From != "" {
				continue
			}
			for _, source := range copied.SourcePaths {
				if source == "." {
					continue
				}
				if _, err := os.Stat(filepath.Join(root, source)); err != nil {
					t.Errorf("COPY %s: %v", source, err)
				}
				if out, err := ignored.MatchesOrParentMatches(source); err != nil || out {
					t.Errorf("COPY %s: .dockerignore leaves it out (%v)", source, err)
				}
			}
		}
	}
}

// What the image runs must be what the program takes, for a user that is not root.
func TestImageStartsTheServer(t *testing.T) {
	t.Parallel()
	stages := image(t)
	final := stages[len(stages)-1]
	var args []string
	var user string
	volumes := map[string]bool{}
	for _, command := range final.Commands {
		switch c := command.(type) {
		case *instructions.EntrypointCommand:
			args = slices.Concat(c.CmdLine, args)
		case *instructions.CmdCommand:
			args = append(args, c.CmdLine...)
		case *instructions.UserCommand:
			user = c.User
		case *instructions.VolumeCommand:
			for _, volume := range c.Volumes {
				volumes[volume] = true
			}
		case *instructions.HealthCheckCommand:
			if got := c.Health.Test; !slices.Equal(got, []string{"CMD", "/usr/bin/bellwire", "ready"}) {
				t.Errorf("the health check runs %q", got)
			}
		}
	}
	if user != "65532:65532" {
		t.Errorf("the image runs as %q", user)
	}
	if got := strings.Join(args, " "); got != "/usr/bin/bellwire serve --config /etc/bellwire/bellwire.yaml" {
		t.Fatalf("the image runs %q", got)
	}
	runServer(t, binary, filepath.Join(root, "deploy", "docker", "bellwire.yaml"), func(database, keyset string) {
		if !volumes[path.Dir(database)] || !volumes[path.Dir(keyset)] {
			t.Errorf("the database %s and the keyset %s must be in volumes: %v", database, keyset, volumes)
		}
	})
}

func TestCompose(t *testing.T) {
	t.Parallel()
	file := filepath.Join(root, "deploy", "compose", "compose.yaml")
	load := func(env ...string) error {
		options, err := cli.NewProjectOptions([]string{file}, cli.WithEnv(env), cli.WithInterpolation(true))
		if err != nil {
			return err
		}
		project, err := options.LoadProject(context.Background())
		if err != nil {
			return err
		}
		service := project.Services["bellwire"]
		if !service.ReadOnly || len(service.CapDrop) == 0 {
			t.Error("the container must be read-only and without capabilities")
		}
		variables := map[string]string{"BELLWIRE_KEYSET_FILE": filepath.Join(t.TempDir(), "bellwire.keyset")}
		for name, value := range service.Environment {
			variables[name] = *value
		}
		accepted(t, "", variables)
		return nil
	}
	if err := load("BELLWIRE_ADMIN_KEY=a-long-admin-key-for-tests", "POSTGRES_PASSWORD=secret"); err != nil {
		t.Error(err)
	}
	if err := load("POSTGRES_PASSWORD=secret"); err == nil {
		t.Error("a file without an admin key must be refused")
	}
}
