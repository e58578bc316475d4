package main

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

	"github.com/agnivade/levenshtein"
	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// defaultConfigFile is read if it is there and no other is named.
const defaultConfigFile = "bellwire.yaml"

// fileOption is the option that names the configuration file. Commands that embed it take their other options
// from that file too, where neither a flag nor the environment gives them.
type fileOption struct {
	Config string `group:"server" env:"BELLWIRE_CONFIG" placeholder:"FILE" help:"YAML file with any of these options, one key each. Default: bellwire.yaml if there."`
}

// BeforeResolve loads the configuration file. Kong calls it once it has read the command line.
func (o *fileOption) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	flags := trace.Command.Flags
	at := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == "config" })
	path, _ := ctx.FlagValue(flags[at]).(string)
	file, err := readConfigFile(path)
	if err != nil || file == nil {
		return err
	}
	// One file is for every command: keys that are options of the server only are passed over by the others.
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

// configFile gives options the values of a YAML file.
type configFile struct {
	path   string
	values map[string]yaml.Node
}

var _ kong.Resolver = (*configFile)(nil)

// readConfigFile reads the named file, or the default one. It returns nil if there is none to read.
func readConfigFile(path string) (*configFile, error) {
	named := path != ""
	if !named {
		path = defaultConfigFile
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, option("config", "there is no file %s", path)
	case err != nil:
		return nil, option("config", "%v", err)
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, option("config", "%s is not YAML: %v", path, err)
	}
	if decoder.Decode(&second) != io.EOF {
		return nil, option("config", "%s must be one YAML document: remove what follows the line ---", path)
	}
	file := &configFile{path: path}
	if len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null" {
		return file, nil
	}
	if document.Content[0].Kind != yaml.MappingNode {
		return nil, option("config", "%s is not a YAML mapping of options to values", path)
	}
	if err := document.Decode(&file.values); err != nil {
		return nil, option("config", "%s: %v", path, err)
	}
	return file, nil
}

// check refuses keys that are no option, because a misspelt one would silently leave a default in place.
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
	return option("config", "%s has unknown keys: %s; known are: %s", f.path, strings.Join(unknown, ", "), strings.Join(shown, ", "))
}

// nearest returns the name that a key was probably meant to be, and nothing if none is like it. Keys may be written as
// the environment's variables are.
func nearest(key string, names []string) string {
	key = strings.TrimPrefix(strings.ReplaceAll(strings.ToLower(key), "_", "-"), "bellwire-")
	found, least := "", max(1, len(key)/4)+1
	for _, name := range names {
		if d := levenshtein.ComputeDistance(key, name); d < least {
			found, least = name, d
		}
	}
	return found
}

// Validate has nothing left to refuse: check knows the command, which kong does not tell here.
func (f *configFile) Validate(*kong.Application) error { return nil }

// Resolve gives a flag its value from the file, unless the environment gives it one.
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
		return unlessBlank(kong.JoinEscaped(slices.DeleteFunc(list, blank), flag.Tag.Sep)), nil
	}
	var pairs map[string]string
	if flag.Tag.Has("pairs") && node.Decode(&pairs) == nil {
		for _, name := range slices.Sorted(maps.Keys(pairs)) {
			if !blank(pairs[name]) {
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
	return nil, fmt.Errorf("line %d of %s: it must be %s", node.Line, f.path, form)
}

// unlessBlank returns a value for kong, which takes nil for none.
func unlessBlank(value string) any {
	if blank(value) {
		return nil
	}
	return value
}
