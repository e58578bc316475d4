package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// Pooler is a PgBouncer in front of a server. It lends connections for one transaction at a time, and has fewer of them than
// clients, so that code that relies on a session fails.
type Pooler struct {
	port    int
	program []string
	config  string
	who     *syscall.SysProcAttr
	command *exec.Cmd
}

// StartPooler starts a PgBouncer, with settings such as "max_client_conn = 8". The caller must stop it before the server.
func (s *Server) StartPooler(more ...string) (*Pooler, error) {
	program, err := s.pgbouncer()
	if err != nil {
		return nil, err
	}
	port, err := testenv.FreePort()
	if err != nil {
		return nil, err
	}
	p := &Pooler{port: port, program: program, config: filepath.Join(s.dir, fmt.Sprintf("pgbouncer%d.ini", port)), who: s.who}
	settings := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 2000
server_idle_timeout = 5
%s
`, s.port, port, strings.Join(more, "\n"))
	if err := os.WriteFile(p.config, []byte(settings), 0o644); err != nil {
		return nil, err
	}
	return p, p.Restart()
}

// URL returns the URL of a database through the pooler, given its direct URL.
func (p *Pooler) URL(direct string) string {
	u, err := url.Parse(direct)
	if err != nil { // direct must come from this package
		panic(err)
	}
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))
	return u.String()
}

// Kill ends the pooler at once, with all its connections.
func (p *Pooler) Kill() error {
	if err := p.command.Process.Kill(); err != nil {
		return err
	}
	_ = p.command.Wait() // reports that it was killed
	p.command = nil
	return nil
}

// Restart starts the pooler again, on the same port.
func (p *Pooler) Restart() error {
	log, err := os.OpenFile(p.config+".log", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	p.command = exec.Command(p.program[0], append(p.program[1:], p.config)...)
	p.command.Stdout, p.command.Stderr, p.command.SysProcAttr = log, log, p.who
	if err := p.command.Start(); err != nil {
		p.command = nil
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			said, _ := os.ReadFile(log.Name()) // the log may help
			return errors.Join(fmt.Errorf("PgBouncer does not answer: %w\n%s", err, said), p.Stop())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Stop ends the pooler.
func (p *Pooler) Stop() error {
	if p.command == nil {
		return nil
	}
	return p.Kill()
}
