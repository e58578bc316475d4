package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestDialectSettings(t *testing.T) {
	t.Parallel()
	var given []dialectSetting
	for _, text := range []string{
		`azakaw.retry={"interval": "5m", "count": 5}`, "azakaw.timeout=20s", "azakaw.api_key_header = X-Key", "lemon.user_agent=lemon/1.0 (x=y)",
		"lemon.ignore_read_only=true", "lemon.headers.X-A=1", "lemon.headers.X-B=",
	} {
		var s dialectSetting
		if err := s.UnmarshalText([]byte(text)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		given = append(given, s)
	}
	got, err := settingsByDialect(given)
	if err != nil {
		t.Fatal(err)
	}
	want := bellwire.SettingsByDialect{
		"azakaw": {Retry: &bellwire.RetryPolicy{Interval: bellwire.Duration(5 * time.Minute), Count: 5}, Timeout: bellwire.Duration(20 * time.Second), APIKeyHeader: "X-Key"},
		"lemon":  {UserAgent: "lemon/1.0 (x=y)", IgnoreReadOnly: new(true), Headers: map[string]string{"X-A": "1", "X-B": ""}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := given[3].String(); text != "lemon.user_agent=lemon/1.0 (x=y)" {
		t.Errorf("it is shown as %s", text)
	}
}

func TestRefusedDialectSettings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"lemon":                         "must be DIALECT.NAME=VALUE",
		"lemon=x":                       "must be DIALECT.NAME=VALUE",
		"lemon.time_out=1s":             `did you mean "timeout"?`,
		"lemon.headers.=1":              "is not a setting of dialects",
		"lemon.retry=often":             "lemon.retry must be a retry policy",
		"lemon.timeout=20":              "lemon.timeout must be a time with its unit",
		"lemon.ignore_read_only=maybe":  "lemon.ignore_read_only must be true or false",
		"lemon.timeout=2m":              "lemon.timeout must be between 1s and 1m",
		"lemon.headers.Authorization=x": "lemon.headers.Authorization must not be set",
		"lemon.api_key_header=a b":      "lemon.api_key_header must not name a header",
	} {
		t.Run(text, func(t *testing.T) {
			var s dialectSetting
			err := s.UnmarshalText([]byte(text))
			if err == nil {
				_, err = settingsByDialect([]dialectSetting{s})
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
	twice := []dialectSetting{{"lemon", "timeout", "1s"}, {"lemon", "timeout", "2s"}}
	if _, err := settingsByDialect(twice); err == nil || !strings.Contains(err.Error(), "lemon.timeout must be given once") {
		t.Error(err)
	}
}

// A tenant's settings are given as those for all tenants are. A dialect without a setting loses its own.
func TestTenantDialects(t *testing.T) {
	t.Parallel()
	option := tenantDialects{DialectSettings: []string{"lemon.timeout=20s", `lemon.retry={"schedule":["1m"]}`, "azakaw="}}
	got, err := option.settings(streams{})
	want := map[string]*client.DialectSettings{
		"lemon":  {Timeout: client.Duration(20 * time.Second), Retry: &client.RetryPolicy{Schedule: []time.Duration{time.Minute}}},
		"azakaw": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if got, err := new(tenantDialects).settings(streams{}); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	option.DialectAuth = []string{"lemon=-", "atelio=none"}
	got, err = option.settings(streams{in: strings.NewReader(`{"type": "bearer", "token": "x"}`)})
	want["lemon"].Auth, want["atelio"] = &client.Auth{Type: "bearer", Token: "x"}, &client.DialectSettings{Auth: &client.Auth{Type: "none"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("with an auth: %v %s", err, diff)
	}
	for auth, want := range map[string]string{"lemon": "must be DIALECT=FILE", "azakaw=none": "together with --dialect-setting azakaw=", "lemon=-": "must have an auth as JSON"} {
		option.DialectAuth = []string{auth}
		if _, err := option.settings(streams{in: strings.NewReader("token")}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", auth, err, want)
		}
	}
}
