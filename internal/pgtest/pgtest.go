// Package pgtest starts PostgreSQL servers for tests, from installed binaries. Without them tests fail: a skipped test proves
// nothing.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/testenv"
)

// Server is a PostgreSQL server with a private directory on a loopback port. It survives the end of its processes, but no power
// loss.
type Server struct {
	port    int
	dir     string
	bin     string
	who     *syscall.SysProcAttr // the user that it runs as
	command *exec.Cmd
	admin   *pgx.Conn
	mu      sync.Mutex // guards admin and count
	count   int

	settings []string
	fetch    func() (root string, err error) // of PgBouncer, once
}

// startTimeout bounds the start of a server and each statement.
const startTimeout = 60 * time.Second

// Durable are settings that Bellwire requires of a server. In memory, fsync takes no time.
var Durable = []string{"fsync=on"}

// Start starts a server with settings such as "work_mem=1MB". The caller must stop it.
func Start(settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parentDir(), "pgtest")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, settings: settings}
	s.fetch = sync.OnceValues(func() (string, error) { return fetchPgBouncer(dir) })
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// parentDir returns the directory for servers' files: a memory file system with enough room, because a database has hundreds
// of files, or "" for the default.
func parentDir() string {
	const memory, room = "/dev/shm", 4 << 30
	var there syscall.Statfs_t
	if syscall.Statfs(memory, &there) != nil || there.Bavail*uint64(there.Bsize) < room {
		return ""
	}
	return memory
}

func (s *Server) start() (err error) {
	if s.who, err = unprivileged(s.dir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	made, err := initialized()
	if err != nil {
		return err
	}
	if err := made.write(s.data(), s.who); err != nil {
		return err
	}
	if s.port, err = testenv.FreePort(); err != nil {
		return err
	}
	return s.serve(ctx)
}

// serve starts the server's process and waits until it answers.
func (s *Server) serve(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	arguments := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.dir}
	settings := []string{
		"listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "max_connections=400",
		"shared_buffers=64MB", "autovacuum_naptime=30s", "max_wal_size=512MB",
	}
	for _, setting := range append(settings, s.settings...) { // the last one wins
		arguments = append(arguments, "-c", setting)
	}
	s.command = exec.Command(filepath.Join(s.bin, "postgres"), arguments...)
	s.command.Stdout, s.command.Stderr, s.command.Dir, s.command.SysProcAttr = log, log, s.dir, s.who
	if err := s.command.Start(); err != nil {
		s.command = nil
		return err
	}
	for {
		if s.admin, err = pgx.Connect(ctx, s.URL("postgres")); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			said, _ := os.ReadFile(log.Name()) // the log may help
			return fmt.Errorf("the server does not answer: %w\n%s", err, said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// binaries returns the directory of the newest installed PostgreSQL.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "postgres")); err == nil {
				return filepath.Dir(path), nil
			}
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is valid
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed: tests need initdb and postgres in PATH or below /usr/lib/postgresql")
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// unprivileged returns a user to run as, because PostgreSQL refuses to run as root, and gives the directory to that user.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() != 0 {
		return attributes, nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(who.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(who.Gid)
	if err != nil {
		return nil, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, os.Chown(dir, uid, gid)
}

// URL returns the URL of a database.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s%s", s.port, database, query)
}

const query = "?sslmode=disable"

// Exec runs a statement as the superuser.
func (s *Server) Exec(ctx context.Context, sql string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	_, err := s.admin.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

// Database creates a database, as a copy of the template unless that is empty, and returns its URL.
func (s *Server) Database(ctx context.Context, template string) (string, error) {
	s.mu.Lock()
	s.count++
	name := fmt.Sprintf("test%d", s.count)
	s.mu.Unlock()
	if template == "" {
		template = "template1"
	}
	return s.URL(name), s.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+s.strategy())
}

// strategy returns the option that has a database's files copied, which takes half the time of writing a log of them. Servers
// before PostgreSQL 15 do nothing else, and refuse the option.
func (s *Server) strategy() string {
	major, _, _ := strings.Cut(s.admin.PgConn().ParameterStatus("server_version"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < 15 {
		return ""
	}
	return " STRATEGY file_copy"
}

// Needed skips, under -short, a test that needs a PostgreSQL server.
func Needed(t testing.TB) {
	t.Helper()
	testenv.Needs(t, "PostgreSQL")
}

// NewDatabase creates a database for a test, and drops it when the test ends.
func (s *Server) NewDatabase(t testing.TB, template string) string {
	t.Helper()
	Needed(t)
	url, err := s.Database(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Exec(context.Background(), "DROP DATABASE "+path.Base(strings.TrimSuffix(url, query))+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return url
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Crash ends the server at once, as an immediate shutdown does, so that the next start must recover.
func (s *Server) Crash() error {
	if err := s.command.Process.Signal(syscall.SIGQUIT); err != nil {
		return err
	}
	_ = s.command.Wait() // reports that it was killed
	s.command = nil
	return nil
}

// Restart starts the server again, on the same port.
func (s *Server) Restart() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return s.serve(ctx)
}

// Command returns a command that runs in the server's data, as its user, and reaches the server by default.
func (s *Server) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.SysProcAttr = s.data(), s.who
	c.Env = append(os.Environ(), "PATH="+s.bin+":"+os.Getenv("PATH"), "PGHOST=127.0.0.1", "PGPORT="+strconv.Itoa(s.port), "PGUSER=postgres")
	return c
}

// Recover ends the server, puts a copy of a base backup in place of its data, and lets it recover with settings. base is beside the data.
func (s *Server) Recover(base string, settings ...string) error {
	if err := s.Crash(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	replace := s.Command(ctx, "sh", "-c", "rm -r data && cp -R "+base+" data && touch data/recovery.signal")
	replace.Dir = s.dir
	if said, err := replace.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	s.settings = append(s.settings, settings...)
	return s.Restart()
}

// Demote restarts the server as a read-only standby, as after a failover to the wrong server. Promote reverts it.
func (s *Server) Demote() error {
	if err := s.Crash(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.data(), "standby.signal"), nil, 0o644); err != nil {
		return err
	}
	return s.Restart()
}

// Promote makes the server writable again.
func (s *Server) Promote(ctx context.Context) error { return s.Exec(ctx, "SELECT pg_promote()") }

// Stop ends the server and removes its directory.
func (s *Server) Stop() error {
	var errs []error
	if s.admin != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		errs = append(errs, s.admin.Close(ctx))
	}
	if s.command != nil {
		errs = append(errs, s.Crash())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
