package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// publicModules are the folders that other programs import.
var publicModules = []string{"client", "receive"}

// program is one of another repository that receives and publishes.
var program = map[string]string{
	"go.mod": `module example.com/shop

go 1.24.0

require (
	github.com/bellwire/bellwire/client v0.1.0
	github.com/bellwire/bellwire/receive v0.1.0
)
`,
	"publisher/main.go": `package main

import (
	"context"
	"encoding/json"
	"log"

	"github.com/bellwire/bellwire/client"
)

func main() {
	c, err := client.New("http://127.0.0.1:8080", "key")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.Publish(context.Background(), "acme", client.Publication{Type: "order.paid", Data: json.RawMessage("{}")}); err != nil {
		log.Fatal(err)
	}
}
`,
	"receiver/main.go": `package main

import (
	"context"
	"log"
	"net/http"

	"github.com/bellwire/bellwire/receive"
)

func main() {
	verifier, err := receive.Standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		log.Fatal(err)
	}
	deliver := func(_ context.Context, d *receive.Delivery) error { log.Println(d.Type); return nil }
	log.Fatal(http.ListenAndServe("127.0.0.1:9090", &receive.Handler{Verifier: verifier, Deliver: deliver}))
}
`,
}

// A program elsewhere can import client and receive, and gets nothing else with them: no dependency, and no newer Go.
func TestProgramsElsewhere(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	dir := t.TempDir()
	writeFiles(t, dir, program)
	for _, folder := range publicModules {
		path, err := filepath.Abs("../../" + folder)
		if err != nil {
			t.Fatal(err)
		}
		alone(t, dir, "mod", "edit", "-replace", module+"/"+folder+"="+path)
	}
	before := contents(t, filepath.Join(dir, "go.mod"))
	alone(t, dir, "build", "-o", filepath.Join(dir, "bin")+string(filepath.Separator), "./...")
	if after := contents(t, filepath.Join(dir, "go.mod")); after != before {
		t.Errorf("the build changed go.mod to:\n%s", after)
	}
	if sum, err := os.ReadFile(filepath.Join(dir, "go.sum")); err == nil && len(sum) > 0 || err != nil && !os.IsNotExist(err) {
		t.Errorf("go.sum has %q (%v)", sum, err)
	}
}

// The public modules, with their tests, need nothing of this repository but themselves.
func TestPublicModulesStandAlone(t *testing.T) {
	t.Parallel()
	for _, folder := range publicModules {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			if mod := contents(t, filepath.Join("../..", folder, "go.mod")); strings.Contains(mod, "require") {
				t.Errorf("go.mod requires other modules:\n%s", mod)
			}
			alone(t, filepath.Join("../..", folder), "list", "-deps", "-test", "./...")
		})
	}
}

// alone runs a go command in a folder, without the workspace and the network. It compiles as make build does, and shares what that has
// compiled; under -short it shares that with the tests.
func alone(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	flags := os.Getenv("GOFLAGS") + " -mod=mod"
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS="+flags, "GOPROXY=off", "GOTOOLCHAIN=local")
	if !testing.Short() {
		cmd.Env = append(cmd.Env, "GOFLAGS="+flags+" -trimpath", "CGO_ENABLED=0")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// writeFiles writes files, by their paths below a folder.
func writeFiles(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func contents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
