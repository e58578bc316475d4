//go:build unix

package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestQuickStarts runs the quick start of each dialect's page word for word, with other addresses. Each registers an endpoint as the
// vendor's documents do, triggers an event, and the delivery arrives in the vendor's form.
func TestQuickStarts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		vendor, option, tenant, path string
	}{
		{vendor: "akkuro", option: "--sandbox", tenant: "acme", path: "/webhooks"},
		{vendor: "atelio", tenant: "acme", path: "/webhook/route"},
		{vendor: "azakaw", option: "--sandbox", tenant: "acme", path: "/api/webhook/events"},
		{vendor: "lemon", option: "--sandbox", tenant: "acme", path: "/hooks"},
		{vendor: "bluefin", option: "--bluefin-basic", tenant: "120000000007", path: "/bfaccountupdate/webhook"},
	} {
		t.Run(tt.vendor, func(t *testing.T) {
			t.Parallel()
			options := local
			if tt.option != "" {
				options = append([]string{tt.option}, local...)
			}
			s := startServer(t, t.TempDir(), options...)
			s.run("catalogue", "load", tt.vendor)
			a := &account{t: t, server: s, id: tt.tenant}
			s.call("POST", "/tenants", object("id", a.id), nil)
			s.call("POST", "/tenants/"+a.id+"/keys", `{"role": "tenant"}`, &a.key)
			in := openInbox(t, nil)

			sh := startShell(t, "BELLWIRE_SERVER="+s.url, "BELLWIRE_KEY="+adminKey, "KEY_ID="+a.key.ID, "KEY_SECRET="+a.key.Secret)
			if err := os.WriteFile(filepath.Join(sh.dir, "account.json"), mustRead(t, "testdata/lemon-account.json"), 0o600); err != nil {
				t.Fatal(err)
			}
			commands := quickStart(t, tt.vendor)
			commands = strings.ReplaceAll(commands, "http://127.0.0.1:8080", s.url)
			commands = regexp.MustCompile(`https://[^/"]+`).ReplaceAllString(commands, in.url)
			sh.run(commands)

			eventually(t, "the event arrives", func() bool { return len(in.bodies(tt.path)) == 1 })
			v, body := vendorOf(tt.vendor), in.bodies(tt.path)[0]
			if !v.body.MatchString(body) {
				t.Errorf("the body is %s", body)
			}
			for _, name := range v.headers {
				if in.at(tt.path)[body][0].header.Get(name) == "" {
					t.Errorf("the delivery has no header %s", name)
				}
			}
			s.terminate()
		})
	}
}

// quickStart returns the commands of the quick start in a dialect's README.
func quickStart(t *testing.T, vendor string) string {
	t.Helper()
	page := string(mustRead(t, "../internal/dialect/"+vendor+"/README.md"))
	_, section, found := strings.Cut(page, "\n## Quick start\n")
	if !found {
		t.Fatalf("the page of %s has no quick start", vendor)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return strings.Join(blocks(section, "sh"), "\n")
}
