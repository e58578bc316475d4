package test

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// The demonstration keeps running, accepts events that a person publishes, and leaves no files behind.
func TestDemoStaysUpUntilInterrupted(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	temporary := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "demo")
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	next := func(part string) string {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), part) {
				return lines.Text()
			}
		}
		t.Fatalf("the demonstration ended without %q", part)
		return ""
	}
	url := strings.Fields(next("Bellwire serves http://"))[2]
	next("all verified")
	next("This link signs you in")
	_, code, _ := strings.Cut(next("/console#code="), "#code=")
	_, key, _ := strings.Cut(next("export KEY="), "=")
	next("/docs")
	platform := &server{t: t, url: url, key: key}
	if _, err := platform.publish("account.opened", []byte(`"by hand"`)); err == nil {
		t.Error("data that does not fit the type's schema was taken")
	}
	event, err := platform.publish("account.opened", []byte(`{"by": "hand"}`))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the event that was published by hand is delivered", func() bool {
		var found struct{ Data []struct{ Status string } }
		platform.call("GET", "/tenants/acme/deliveries?status=succeeded&event="+event, "", &found)
		return len(found.Data) > 0
	})
	hasStories(t, platform)
	signedIn, err := http.Post(url+"/api/v1/console-sessions/exchange", "application/json", strings.NewReader(`{"code": "`+strings.TrimSpace(code)+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = signedIn.Body.Close()
	if signedIn.StatusCode != http.StatusCreated && signedIn.StatusCode != http.StatusOK {
		t.Errorf("the link to the console was answered %s", signedIn.Status)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with: %v\n%s", err, stderr.String())
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
}

// hasStories checks what a visitor of the demonstration can find out and recover: an order that did not arrive, and an endpoint that was
// down since yesterday.
func hasStories(t *testing.T, platform *server) {
	t.Helper()
	var orders struct{ Data []struct{ ID, Tenant string } }
	platform.call("GET", "/events?key=order-42", "", &orders)
	if len(orders.Data) != 1 || orders.Data[0].Tenant != "globex" {
		t.Fatalf("order 42: %+v", orders.Data)
	}
	var deliveries struct {
		Data []struct {
			ID, Status   string
			AttemptCount int `json:"attempt_count"`
			LastStatus   int `json:"last_status"`
		}
	}
	platform.call("GET", "/tenants/globex/deliveries?event="+orders.Data[0].ID, "", &deliveries)
	if d := deliveries.Data; len(d) != 1 || d[0].Status != "exhausted" || d[0].AttemptCount != 5 || d[0].LastStatus != 422 {
		t.Errorf("the deliveries of order 42: %+v", d)
	}
	var endpoints struct {
		Data []struct{ ID, Description, Status string }
	}
	platform.call("GET", "/tenants/globex/endpoints?status=disabled", "", &endpoints)
	if len(endpoints.Data) != 1 || endpoints.Data[0].Description != "Billing" {
		t.Fatalf("disabled: %+v", endpoints.Data)
	}
	billing := endpoints.Data[0].ID
	var updated struct{ Replay struct{ ID string } }
	platform.call("PATCH", "/tenants/globex/endpoints/"+billing, `{"status": "enabled", "replay": "missed"}`, &updated)
	eventually(t, "what the endpoint has missed since yesterday arrives", func() bool {
		var again struct{ Data []struct{ Status string } }
		platform.call("GET", "/tenants/globex/deliveries?status=succeeded&endpoint="+billing+"&job="+updated.Replay.ID, "", &again)
		return len(again.Data) > 3
	})
}
