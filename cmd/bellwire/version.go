package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// version is set by the linker for releases: -ldflags "-X main.version=1.2.3".
var version = ""

// build identifies a build.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	SQLite  string `json:"sqlite"`
}

// thisBuild returns the build of the running program.
func thisBuild() build {
	b := build{Version: version, Commit: "unknown", Go: runtime.Version(), SQLite: sqlite.Version}
	info, ok := debug.ReadBuildInfo()
	if ok {
		modified := false
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.modified":
				modified = s.Value == "true"
			}
		}
		if modified {
			b.Commit += "-modified"
		}
		if b.Version == "" && info.Main.Version != "" && info.Main.Version != "(devel)" {
			b.Version = info.Main.Version
		}
	}
	if b.Version == "" {
		b.Version = "development"
	}
	return b
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
