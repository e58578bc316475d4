package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// pgbouncer returns the command that runs PgBouncer: the installed one, or one from Debian's packages, which it downloads
// into the server's directory. That needs no privileges and does not change the system.
func (s *Server) pgbouncer() (command []string, err error) {
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return []string{path}, nil
	}
	const usual = "/usr/sbin/pgbouncer"
	if _, err := os.Stat(usual); err == nil {
		return []string{usual}, nil
	}
	root, err := s.fetch()
	if err != nil {
		return nil, fmt.Errorf("PgBouncer is neither installed, in PATH or /usr/sbin, nor available from Debian's packages: %w", err)
	}
	libraries, err := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu*"))
	if err != nil || len(libraries) == 0 {
		return nil, fmt.Errorf("the packages of PgBouncer in %s have no libraries", root)
	}
	return []string{"env", "LD_LIBRARY_PATH=" + libraries[0], filepath.Join(root, "usr/sbin/pgbouncer")}, nil
}

const fetchTimeout = 2 * time.Minute

// fetchPgBouncer downloads PgBouncer with its less common libraries, and returns the directory that contains them.
func fetchPgBouncer(dir string) (string, error) {
	root := filepath.Join(dir, "pgbouncer")
	for _, d := range []string{"lists/partial", "cache/archives/partial", "packages"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	const script = `set -e
apt="apt-get -qq -o Dir::State::lists=$PWD/../lists -o Dir::Cache=$PWD/../cache -o APT::Sandbox::User="
$apt update
$apt download pgbouncer libc-ares2 libevent-2.1-7
for package in *.deb; do dpkg-deb -x "$package" ..; done`
	fetch := exec.CommandContext(ctx, "sh", "-c", script)
	fetch.Dir = filepath.Join(root, "packages")
	if said, err := fetch.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, said)
	}
	return root, nil
}
