package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// version and commit are set by the linker for releases: -ldflags "-X main.version=1.2.3 -X main.commit=…". Other builds, such as
// those of "go install" and of a checkout, have them from the go command.
var version, commit string

// build identifies a build.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	SQLite  string `json:"sqlite"`
}

// thisBuild returns the build of the running program.
func thisBuild() build {
	b := build{Version: version, Commit: commit, Go: runtime.Version(), SQLite: sqlite.Version}
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		b.Version = strings.TrimPrefix(strings.TrimPrefix(info.Main.Version, "(devel)"), "v")
		b.Commit = commitOf(info)
	}
	b.Version = cmp.Or(b.Version, "development")
	b.Commit = cmp.Or(b.Commit, "unknown")
	return b
}

// commitOf returns the commit that was built, or "" if the go command did not see it.
func commitOf(info *debug.BuildInfo) string {
	var commit, modified string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-modified"
		}
	}
	return commit + modified
}

// String returns the build in one line.
func (b build) String() string {
	return fmt.Sprintf("bellwire %s (commit %s, %s, SQLite %s)", b.Version, b.Commit, b.Go, b.SQLite)
}

type versionCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints the build.
func (c *versionCommand) Run(std streams) error {
	b := thisBuild()
	if c.JSON {
		return json.NewEncoder(std.out).Encode(b)
	}
	_, err := fmt.Fprintln(std.out, b)
	return err
}
