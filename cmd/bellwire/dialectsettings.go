package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/suggest"
)

// dialectSetting is a setting of a dialect with its value, given as DIALECT.NAME=VALUE.
type dialectSetting struct {
	dialect, name, value string
}

// dialectSettingNames are the names of settings. The name of a header follows the last one.
var dialectSettingNames = []string{"retry", "timeout", "api_key_header", "user_agent", "ignore_read_only", "headers."}

// UnmarshalText reads azakaw.api_key_header=X-Key, lemon.timeout=20s or lemon.headers.X-Platform=lemon.
func (s *dialectSetting) UnmarshalText(text []byte) error {
	path, value, found := strings.Cut(string(text), "=")
	dialect, name, dotted := strings.Cut(strings.TrimSpace(path), ".")
	if !found || !dotted {
		return cli.Usagef("%q must be DIALECT.NAME=VALUE, such as lemon.timeout=20s", text)
	}
	header, isHeader := strings.CutPrefix(name, "headers.")
	if isHeader && header == "" || !isHeader && !slices.Contains(dialectSettingNames, name) {
		return cli.Usagef("%q is not a setting of dialects%s; the names are %s", name, suggest.DidYouMean(name, dialectSettingNames),
			strings.TrimSuffix(strings.Join(dialectSettingNames, ", "), ".")+".NAME")
	}
	read := dialectSetting{dialect: dialect, name: name, value: strings.TrimSpace(value)}
	if err := read.apply(new(bellwire.DialectSettings)); err != nil {
		return err
	}
	*s = read
	return nil
}

// String returns the text that UnmarshalText reads.
func (s dialectSetting) String() string { return s.dialect + "." + s.name + "=" + s.value }

// apply sets the field that the setting is about.
func (s *dialectSetting) apply(to *bellwire.DialectSettings) error {
	switch s.name {
	case "retry":
		to.Retry = new(bellwire.RetryPolicy)
		if err := json.Unmarshal([]byte(s.value), to.Retry); err != nil {
			return cli.Usagef("%s.retry must be a retry policy, such as {\"interval\": \"1m\", \"count\": 5}", s.dialect)
		}
	case "timeout":
		d, ok := bellwire.ParseDuration(s.value)
		if !ok {
			return cli.Usagef("%s.timeout must be a time with its unit, such as 20s, not %q", s.dialect, s.value)
		}
		to.Timeout = bellwire.Duration(d)
	case "api_key_header":
		to.APIKeyHeader = s.value
	case "user_agent":
		to.UserAgent = s.value
	case "ignore_read_only":
		yes, err := strconv.ParseBool(s.value)
		if err != nil {
			return cli.Usagef("%s.ignore_read_only must be true or false, not %q", s.dialect, s.value)
		}
		to.IgnoreReadOnly = &yes
	default:
		if to.Headers == nil {
			to.Headers = map[string]string{}
		}
		to.Headers[strings.TrimPrefix(s.name, "headers.")] = s.value
	}
	return nil
}

// settingsByDialect gathers settings, and refuses those that are given twice or that no dialect can have.
func settingsByDialect(given []dialectSetting) (bellwire.SettingsByDialect, error) {
	all := make(bellwire.SettingsByDialect)
	for i, s := range given {
		if slices.ContainsFunc(given[:i], func(other dialectSetting) bool { return other.dialect == s.dialect && other.name == s.name }) {
			return nil, cli.Option("dialect-setting", "%s.%s must be given once", s.dialect, s.name)
		}
		if all[s.dialect] == nil {
			all[s.dialect] = new(bellwire.DialectSettings)
		}
		if err := s.apply(all[s.dialect]); err != nil {
			return nil, err
		}
	}
	for name, settings := range all {
		if err := service.CheckDialectSettings(settings); err != nil {
			text := err.Error()
			if known, ok := errors.AsType[*bellwire.Error](err); ok {
				text = known.Text()
			}
			return nil, cli.Option("dialect-setting", "%s.%s", name, text)
		}
	}
	return all, nil
}

// tenantDialects is the option for a tenant's own settings of dialects.
type tenantDialects struct {
	DialectSettings []string `name:"dialect-setting" sep:"none" placeholder:"DIALECT.NAME=VALUE" help:"Setting of a dialect for this tenant, such as lemon.timeout=20s. Repeat it for more; those given for a dialect replace all others of it. DIALECT= removes them."`
	DialectAuth     []string `name:"dialect-auth" sep:"none" placeholder:"DIALECT=FILE" help:"JSON file with the auth of new endpoints of a dialect that have none of their own, as the API has it, such as {\"type\": \"bearer\", \"token\": \"…\"}; - for standard input. DIALECT=none removes it. Repeat it for more."`
}

// settings returns the settings as the API takes them. A nil entry removes those of a dialect.
func (c *tenantDialects) settings(std streams) (map[string]*client.DialectSettings, error) {
	var given []dialectSetting
	wanted := make(map[string]*client.DialectSettings)
	for _, text := range c.DialectSettings {
		if name, removed := strings.CutSuffix(text, "="); removed && !strings.ContainsAny(name, ".=") {
			wanted[name] = nil
			continue
		}
		var s dialectSetting
		if err := s.UnmarshalText([]byte(text)); err != nil {
			return nil, cli.Option("dialect-setting", "%s", err)
		}
		given = append(given, s)
	}
	all, err := settingsByDialect(given)
	if err != nil {
		return nil, err
	}
	for name, settings := range all {
		text, err := json.Marshal(settings)
		if err != nil {
			return nil, err
		}
		own := new(client.DialectSettings)
		if err := json.Unmarshal(text, own); err != nil {
			return nil, err
		}
		wanted[name] = own
	}
	if err := c.auths(std, wanted); err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	return wanted, nil
}

// auths adds the authentications of files to settings.
func (c *tenantDialects) auths(std streams, wanted map[string]*client.DialectSettings) error {
	for _, text := range c.DialectAuth {
		name, file, found := strings.Cut(text, "=")
		if !found || name == "" || file == "" {
			return cli.Option("dialect-auth", "%q must be DIALECT=FILE, such as azakaw=auth.json", text)
		}
		auth := &client.Auth{Type: "none"}
		if file != "none" {
			content, err := readInput(file, std.in, maxSettings)
			if err != nil {
				return fmt.Errorf("--dialect-auth: %w", err)
			}
			if err := json.Unmarshal(content, auth); err != nil {
				return cli.Option("dialect-auth", "%s must have an auth as JSON, such as {\"type\": \"bearer\", \"token\": \"…\"}", file)
			}
		}
		switch settings, given := wanted[name]; {
		case settings != nil:
			settings.Auth = auth
		case given:
			return cli.Option("dialect-auth", "must not be given together with --dialect-setting %s=", name)
		default:
			wanted[name] = &client.DialectSettings{Auth: auth}
		}
	}
	return nil
}

// shownDialects returns a tenant's own settings of dialects in one line.
func shownDialects(dialects map[string]*client.DialectSettings) string {
	if len(dialects) == 0 {
		return ""
	}
	text, err := json.Marshal(dialects)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
