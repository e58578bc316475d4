package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/bellwire/bellwire/internal/suggest"
)

// DefaultConfigFile is read if it is there and no other is named.
const DefaultConfigFile = "bellwire.yaml"

// FileOption is the option that names the configuration file. A command that embeds it also reads its other options from
// that file, where neither a flag nor the environment gives them.
type FileOption struct {
	Config string `group:"server" env:"BELLWIRE_CONFIG" placeholder:"FILE" help:"YAML file with any of these options, one key each. Default: bellwire.yaml if there."`
}

// BeforeResolve loads the configuration file. Kong calls it after reading the command line.
func (o *FileOption) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	flags := trace.Command.Flags
	at := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == "config" })
	path, _ := ctx.FlagValue(flags[at]).(string)
	file, err := readConfigFile(path)
	if err != nil || file == nil {
		return err
	}
	// All commands share one file, so other commands must accept the options of the server.
	if err := file.check(slices.Concat(flags, serverFlags(ctx.Model.Node))); err != nil {
		return err
	}
	ctx.AddResolver(file)
	return nil
}

// serverFlags returns the options of the server.
func serverFlags(root *kong.Node) []*kong.Flag {
	for _, command := range root.Children {
		if command.Name == "serve" {
			return command.Flags
		}
	}
	return nil
}

// configFile resolves options from a YAML file.
type configFile struct {
	path   string
	values map[string]yaml.Node
}

var _ kong.Resolver = (*configFile)(nil)

// readConfigFile reads the named file, or the default one if it exists. It returns nil if there is none.
func readConfigFile(path string) (*configFile, error) {
	named := path != ""
	if !named {
		path = DefaultConfigFile
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, Option("config", "%s does not exist", path)
	case err != nil:
		return nil, Option("config", "%s", err)
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, Option("config", "%s is not YAML: %s", path, yamlProblem(err))
	}
	if decoder.Decode(&second) != io.EOF {
		return nil, Option("config", "%s must be one YAML document: remove what follows the line ---", path)
	}
	file := &configFile{path: path}
	if len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null" {
		return file, nil
	}
	if document.Content[0].Kind != yaml.MappingNode {
		return nil, Option("config", "%s is not a YAML mapping of options to values", path)
	}
	if err := checkKeys(document.Content[0]); err != nil {
		return nil, Option("config", "%s: %s", path, err)
	}
	if err := document.Decode(&file.values); err != nil {
		return nil, Option("config", "%s: %s", path, yamlProblem(err))
	}
	return file, nil
}

// yamlProblem returns the text of an error of the YAML library without the library's name.
func yamlProblem(err error) string { return strings.TrimPrefix(err.Error(), "yaml: ") }

// checkKeys refuses keys that cannot be names of options, and keys that are given twice.
func checkKeys(mapping *yaml.Node) error {
	lines := map[string]int{}
	for i := 0; i < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		if key.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: a key must be the name of an option", key.Line)
		}
		if first, given := lines[key.Value]; given {
			return fmt.Errorf("line %d: %s is given twice, first in line %d", key.Line, key.Value, first)
		}
		lines[key.Value] = key.Line
	}
	return nil
}

// check refuses unknown keys, because a misspelt one would silently leave a default in place.
func (f *configFile) check(flags []*kong.Flag) error {
	var known, shown, unknown []string
	for _, flag := range flags {
		if flag.Name == "config" || flag.Name == "help" {
			continue
		}
		if slices.Contains(known, flag.Name) {
			continue
		}
		known = append(known, flag.Name)
		if !flag.Hidden {
			shown = append(shown, flag.Name)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(f.values)) {
		switch similar := nearest(key, shown); {
		case slices.Contains(known, key):
		case similar != "":
			unknown = append(unknown, fmt.Sprintf("%s (did you mean %s?)", key, similar))
		default:
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(shown)
	return Option("config", "%s has unknown keys: %s; known are: %s", f.path, strings.Join(unknown, ", "), strings.Join(shown, ", "))
}

// nearest returns the name that key probably stands for, or "" if none is similar. A key may be spelled like an
// environment variable.
func nearest(key string, names []string) string {
	key = strings.TrimPrefix(strings.ReplaceAll(strings.ToLower(key), "_", "-"), "bellwire-")
	return suggest.Nearest(key, names)
}

// Validate is part of kong.Resolver. The keys are checked in BeforeResolve, which knows the command.
func (f *configFile) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag in the file, unless the environment has one.
func (f *configFile) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, given := os.LookupEnv(name); given {
			return nil, nil
		}
	}
	node, given := f.values[flag.Name]
	if !given || node.ShortTag() == "!!null" {
		return nil, nil
	}
	// Numbers keep their spelling, so that a value means here what it means as a flag. Empty means unset, as everywhere.
	var value string
	if node.Decode(&value) == nil {
		return unlessBlank(value), nil
	}
	var list []string
	if flag.IsSlice() && node.Decode(&list) == nil {
		return unlessBlank(kong.JoinEscaped(slices.DeleteFunc(list, Blank), flag.Tag.Sep)), nil
	}
	var pairs map[string]string
	if flag.Tag.Has("pairs") && node.Decode(&pairs) == nil {
		for _, name := range slices.Sorted(maps.Keys(pairs)) {
			if !Blank(pairs[name]) {
				list = append(list, name+"="+pairs[name])
			}
		}
		return unlessBlank(kong.JoinEscaped(list, flag.Tag.Sep)), nil
	}
	// The value is not repeated: it can be a secret.
	form := "one value"
	switch {
	case flag.Tag.Has("pairs"):
		form = "a mapping of names to values, each name once, or a list of NAME=VALUE"
	case flag.IsSlice():
		form = "one value or a list of values"
	}
	return nil, fmt.Errorf("line %d of %s: must be %s", node.Line, f.path, form)
}

// unlessBlank returns value, or nil if it is blank, which kong takes for no value.
func unlessBlank(value string) any {
	if Blank(value) {
		return nil
	}
	return value
}
