package main

import (
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/service"
)

// given is what the process was started with.
type given struct {
	settings []service.Setting
	unknown  []string // variables of the environment whose names begin like those of options
}

func givenBy(parsed *kong.Context) given {
	return given{settings: inForce(parsed), unknown: cli.UnknownVariables(parsed.Model.Node, os.Environ())}
}

// inForce returns the options of a command line, with their values and where they come from. Secrets have no value.
func inForce(parsed *kong.Context) []service.Setting {
	given := make(map[*kong.Flag]service.SettingSource)
	for _, path := range parsed.Path {
		switch {
		case path.Flag == nil:
		case path.Resolved:
			given[path.Flag] = service.SettingFile
		default:
			given[path.Flag] = service.SettingFlag
		}
	}
	var settings []service.Setting
	for _, flag := range parsed.Selected().Flags {
		if flag.Hidden || len(flag.Envs) == 0 {
			continue
		}
		s := service.Setting{
			Name: flag.Name, Variables: flag.Envs, Help: flag.Help, Secret: flag.Tag.Has("secret"),
			Set: isSet(flag.Target), Source: sourceOf(flag, given[flag]),
		}
		if flag.Group != nil {
			s.Group = strings.TrimSuffix(flag.Group.Title, ":")
		}
		if s.Set && !s.Secret {
			s.Value = shownValue(flag.Target)
		}
		settings = append(settings, s)
	}
	return settings
}

// sourceOf returns where the value of an option comes from, if the command line or the file may have given it.
func sourceOf(flag *kong.Flag, given service.SettingSource) service.SettingSource {
	if given != "" {
		return given
	}
	for _, name := range flag.Envs {
		if !cli.Blank(os.Getenv(name)) {
			return service.SettingEnvironment
		}
	}
	return service.SettingDefault
}

// isSet reports whether an option has a value. Texts and lists have none if they are empty; numbers always have one.
func isSet(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String, reflect.Slice, reflect.Struct:
		return !v.IsZero()
	}
	return true
}

// shownValue returns the value of an option as it can be given, without the secrets of a URL.
func shownValue(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		return bellwire.Duration(value).String()
	case cli.ByteSize:
		return (&limits.Limit{Kind: limits.Bytes}).Show(float64(value))
	case databaseURL:
		if value.postgres == "" {
			return "sqlite://" + value.path
		}
		return value.String()
	case limitValue:
		return value.limit.Name + "=" + value.limit.Show(value.value)
	case dialectSetting:
		return value.String()
	case string:
		return withoutSecrets(value)
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = shownValue(v.Index(i))
	}
	return strings.Join(parts, ", ")
}

// withoutSecrets returns a text; of a URL, without what can be a secret.
func withoutSecrets(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return bellwire.Redacted
	}
	if u.User != nil {
		u.User = url.User(bellwire.Redacted)
	}
	masked, _ := bellwire.MaskURL(u.String())
	return masked
}
