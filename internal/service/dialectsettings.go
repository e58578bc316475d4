package service

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/suggest"
)

// CheckDialectSettings refuses settings that a dialect cannot have.
func CheckDialectSettings(d *bellwire.DialectSettings) error {
	var faults []error
	if d.Retry != nil {
		faults = append(faults, d.Retry.Check())
	}
	if t := time.Duration(d.Timeout); t != 0 && (t < MinTimeout || t > MaxTimeout) {
		faults = append(faults, bellwire.Invalid("timeout", "must be between %s and %s", bellwire.Duration(MinTimeout), bellwire.Duration(MaxTimeout)))
	}
	if d.APIKeyHeader != "" {
		faults = append(faults, checkHeaderName("api_key_header", d.APIKeyHeader))
	}
	faults = append(faults, checkValue("user_agent", d.UserAgent, bellwire.MaxUserAgent), checkCommonHeaders(d.Headers))
	if d.Auth != nil {
		faults = append(faults, checkAuth(*d.Auth))
	}
	return bellwire.Join(faults...)
}

// credentialHeaders carry credentials, which settings do not keep secret.
var credentialHeaders = []string{"authorization", "cookie"}

// checkCommonHeaders refuses headers that deliveries cannot have, and those for credentials.
func checkCommonHeaders(given map[string]string) error {
	var headers []bellwire.Header
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(credentialHeaders, strings.ToLower(name)) {
			faults = append(faults, bellwire.Invalid("headers."+name, "must not be set, because these headers are shown; use auth of the endpoints"))
		}
		headers = append(headers, bellwire.Header{Name: name, Value: given[name]})
	}
	return bellwire.Join(append(faults, checkHeaders(headers, ""))...)
}

// checkDialectSettings refuses settings of a tenant that its dialects cannot have, and those of unknown dialects.
func (s *Service) checkDialectSettings(given bellwire.SettingsByDialect) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		field := "dialects." + name
		switch settings := given[name]; {
		case settings == nil:
		case s.dialects[name] == nil:
			faults = append(faults, bellwire.Invalid(field, "is not a dialect of this server%s", suggest.DidYouMean(name, slices.Sorted(maps.Keys(s.dialects)))))
		default:
			faults = append(faults, renameFields(CheckDialectSettings(settings), func(name string) string { return field + "." + name }))
		}
	}
	return bellwire.Join(faults...)
}

// changeDialects replaces the tenant's own settings of dialects. Nil removes those of one.
func changeDialects(t *bellwire.Tenant, given bellwire.SettingsByDialect) {
	changed := maps.Clone(t.Dialects)
	if changed == nil {
		changed = make(bellwire.SettingsByDialect, len(given))
	}
	for name, settings := range given {
		if settings == nil {
			delete(changed, name)
			continue
		}
		changed[name] = settings
	}
	t.Dialects = changed
	if len(changed) == 0 {
		t.Dialects = nil
	}
}

// Settings returns the settings of the dialect for a tenant.
func (d *DialectService) Settings(ctx context.Context, tenant string) (bellwire.DialectSettings, error) {
	held, err := d.service.directory.Limits(ctx, tenant)
	if err != nil {
		return bellwire.DialectSettings{}, err
	}
	if settings := held.Settings.Of(d.dialect); settings != nil {
		return *settings, nil
	}
	return bellwire.DialectSettings{}, nil
}

// WithoutReadOnly returns the body of a request without the fields of the given names, if the settings of the tenant say that they
// are ignored.
func (d *DialectService) WithoutReadOnly(ctx context.Context, tenant string, body []byte, names ...string) ([]byte, error) {
	settings, err := d.Settings(ctx, tenant)
	if err != nil || settings.IgnoreReadOnly == nil || !*settings.IgnoreReadOnly {
		return body, err
	}
	return withoutFields(body, names), nil
}

// withoutFields returns a JSON object without the fields of the given names. What is not an object stays as it is.
func withoutFields(object []byte, names []string) []byte {
	dec := jsontext.NewDecoder(bytes.NewReader(object))
	if dec.PeekKind() != '{' {
		return object
	}
	if _, err := dec.ReadToken(); err != nil {
		return object
	}
	kept := []byte{'{'}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadValue()
		if err != nil {
			return object
		}
		var text string
		if err := json.Unmarshal(name, &text); err != nil {
			return object
		}
		name = bytes.Clone(name)
		value, err := dec.ReadValue()
		if err != nil {
			return object
		}
		if slices.Contains(names, text) {
			continue
		}
		if len(kept) > 1 {
			kept = append(kept, ',')
		}
		kept = append(append(append(kept, name...), ':'), value...)
	}
	if _, err := dec.ReadToken(); err != nil {
		return object
	}
	return append(append(kept, '}'), object[dec.InputOffset():]...)
}
