package deploy

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// runServer starts the server with a configuration file, on a database and an address of its own, and waits until it is ready.
// check gets the paths of the database and of the keyset that the file names.
func runServer(t *testing.T, program, file string, check func(database, keyset string)) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var options struct {
		Database string `yaml:"database-url"`
		Keyset   string `yaml:"keyset-file"`
	}
	if err := yaml.Unmarshal(text, &options); err != nil {
		t.Fatal(err)
	}
	check(strings.TrimPrefix(options.Database, "sqlite://"), options.Keyset)

	dir, address := t.TempDir(), freeAddress(t)
	var log strings.Builder
	server := exec.CommandContext(t.Context(), program, "serve", "--config", file)
	server.Env = append(os.Environ(), "BELLWIRE_LISTEN="+address, "BELLWIRE_DATABASE_URL=sqlite://"+filepath.Join(dir, "bellwire.db"),
		"BELLWIRE_KEYSET_FILE="+filepath.Join(dir, "bellwire.keyset"), "BELLWIRE_ADMIN_KEY=an-admin-key-for-tests")
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	for {
		select {
		case err := <-ended:
			t.Fatalf("the server ended: %v\n%s", err, log.String())
		default:
		}
		if _, _, err := start(t.Context(), nil, program, "ready", "--server", "http://"+address); err == nil {
			break
		}
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// accepted fails unless the server takes a configuration file, or none, and variables. The database that it then looks for is
// not there.
func accepted(t *testing.T, config string, env map[string]string) {
	t.Helper()
	args := []string{"serve"}
	if config != "" {
		file := filepath.Join(t.TempDir(), "bellwire.yaml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", file)
	}
	all := []string{"BELLWIRE_ADMIN_KEY=an-admin-key-for-tests"}
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	all = append(all, "BELLWIRE_LISTEN=127.0.0.1:0", "BELLWIRE_DATABASE_URL=postgres://bellwire@"+freeAddress(t)+"/bellwire?sslmode=disable")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, errors, err := start(ctx, all, binary, args...)
	if err == nil || !strings.Contains(errors, "database-url") {
		t.Errorf("the server refuses its configuration: %v\n%s", err, errors)
	}
}

// freeAddress returns an address of this machine at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
