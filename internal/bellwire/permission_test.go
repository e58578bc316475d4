package bellwire

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPermissionAnswers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		origins, rates []string
		rate           int
		refusal        string
	}{
		"no rate":           {[]string{"*"}, nil, 0, ""},
		"any rate":          {[]string{"Hooks.example.com"}, []string{"*"}, 0, ""},
		"a rate":            {[]string{"example.com", "*"}, []string{"120"}, 120, ""},
		"the lowest":        {[]string{"*"}, []string{"*", "300", "120"}, 120, ""},
		"a large rate":      {[]string{"*"}, []string{"18446744073709551615"}, maxAllowedRate, ""},
		"another origin":    {[]string{"example.com"}, []string{"120"}, 0, "no header WebHook-Allowed-Origin with hooks.example.com or *"},
		"a list of origins": {[]string{"a.example, hooks.example.com"}, nil, 0, "no header WebHook-Allowed-Origin"},
		"nothing":           {nil, nil, 0, "no header WebHook-Allowed-Origin"},
		"zero":              {[]string{"*"}, []string{"0"}, 0, "neither * nor a number"},
		"negative":          {[]string{"*"}, []string{"-1"}, 0, "neither * nor a number"},
		"a fraction":        {[]string{"*"}, []string{"1.5"}, 0, "neither * nor a number"},
		"too large":         {[]string{"*"}, []string{"18446744073709551616"}, 0, "neither * nor a number"},
		"a unit":            {[]string{"*"}, []string{"100/min"}, 0, "neither * nor a number"},
		"empty":             {[]string{"*"}, []string{""}, 0, "neither * nor a number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := NewPermission("hooks.example.com")
			if !p.MustAsk(now) {
				t.Error("it need not ask before the first answer")
			}
			refusal := p.Answer(http.Header{"Webhook-Allowed-Origin": c.origins, "Webhook-Allowed-Rate": c.rates}, now)
			if (refusal == "") != (c.refusal == "") || !strings.Contains(refusal, c.refusal) {
				t.Errorf("refusal = %q, want %q", refusal, c.refusal)
			}
			g := p.Grant()
			if refusal != "" {
				if g != nil || !p.MustAsk(now) {
					t.Errorf("it is refused and has %+v", g)
				}
				return
			}
			if *g != (Grant{now, c.rate}) {
				t.Errorf("got %+v", g)
			}
		})
	}
}

// One asks again when a permission is a day old. An answer that refuses ends the permission for all.
func TestPermissionIsRenewedByOne(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := NewPermission("a.example")
	yes := http.Header{"Webhook-Allowed-Origin": {"*"}}
	p.Answer(yes, now)
	if p.MustAsk(now.Add(PermissionLasts - 1)) {
		t.Error("it must ask within a day")
	}
	later := now.Add(PermissionLasts)
	if !p.MustAsk(later) || p.MustAsk(later) || p.Grant() == nil {
		t.Error("not one alone asks a day later, while others go on")
	}
	p.Asked() // without an answer
	if !p.MustAsk(later) {
		t.Error("nobody asks again after a request that failed")
	}
	p.Answer(yes, later)
	p.Asked()
	if p.MustAsk(later) || !p.Grant().At.Equal(later) {
		t.Error("the permission was not renewed")
	}
	p.Answer(nil, later)
	if p.Grant() != nil || !p.MustAsk(later) || !p.MustAsk(later) {
		t.Error("the permission was not withdrawn")
	}
}
