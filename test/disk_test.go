//go:build linux

package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// onFileSystem has a command run in a mount namespace of its own, with a small file system at dir. The shell script
// prepares that: it finds dir in $1.
func onFileSystem(t *testing.T, dir, size, script string, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	script = `set -e
		dir=$1 size=$2; shift 2
		mount --make-rprivate /
		mount -t tmpfs -o "size=$size" bellwire-test "$dir"
		` + script + `
		exec "$@"`
	wrapped := exec.Command("/bin/sh", append([]string{"-c", script, "sh", dir, size}, cmd.Args...)...)
	wrapped.Dir = cmd.Dir
	wrapped.SysProcAttr = namespaces(t)
	return wrapped
}

// namespaces finds out how this machine lets a process mount something: as root, or as root of a user namespace.
func namespaces(t *testing.T) *syscall.SysProcAttr {
	t.Helper()
	asRoot := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	asUser := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	var failures []error
	for _, attributes := range []*syscall.SysProcAttr{asRoot, asUser} {
		probe := exec.Command("/bin/sh", "-c", `mount --make-rprivate / && mount -t tmpfs bellwire-probe "$1"`, "sh", t.TempDir())
		probe.SysProcAttr = attributes
		out, err := probe.CombinedOutput()
		if err == nil {
			return attributes
		}
		failures = append(failures, fmt.Errorf("%w %s", err, out))
	}
	t.Fatalf("this test mounts a small file system in a mount namespace, which this machine does not allow.\n"+
		"Run it with CAP_SYS_ADMIN, or allow user namespaces (sysctl user.max_user_namespaces, "+
		"kernel.apparmor_restrict_unprivileged_userns).\n%v", errors.Join(failures...))
	return nil
}

// inside is where this process finds the files of dir as the server sees them.
func (s *server) inside(dir string) string {
	return filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "root", dir)
}

// publishResult is the result of publishing until the server refuses.
type publishResult struct {
	mu      sync.Mutex
	acked   []string
	refused map[int]string // by status, one of the answers
}

// publishUntilRefused publishes from several publishers until each of them has been refused a few times. Whether it was refused or
// not, each event is published once.
func (s *server) publishUntilRefused(run string) *publishResult {
	s.t.Helper()
	p := &publishResult{refused: map[int]string{}}
	pad := strings.Repeat("x", 4000)
	deadline := time.Now().Add(patience)
	var all sync.WaitGroup
	for i := range publishers {
		all.Go(func() {
			for n, refusals := 0, 0; refusals < 3 && time.Now().Before(deadline); n++ {
				status, answer, err := s.do("POST", "/tenants/acme/events", fmt.Appendf(nil,
					`{"type": "load", "id": "%s-%d-%d", "data": {"publisher": %d, "n": %d, "pad": %q}}`, run, i, n, i, n, pad))
				if err != nil {
					s.t.Errorf("a publish got no answer: %v", err)
					return
				}
				if status != http.StatusAccepted {
					refusals++
				}
				p.note(s.t, status, answer)
			}
		})
	}
	all.Wait()
	return p
}

func (p *publishResult) note(t *testing.T, status int, answer []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if status != http.StatusAccepted {
		p.refused[status] = string(answer)
		return
	}
	var receipt struct{ ID string }
	if err := json.Unmarshal(answer, &receipt); err != nil {
		t.Errorf("%s: %v", answer, err)
	}
	p.acked = append(p.acked, receipt.ID)
}

// expectRefusals expects that all refusals had this status, and a body that says why.
func (p *publishResult) expectRefusals(t *testing.T, status int, code, why string) {
	t.Helper()
	answer, ok := p.refused[status]
	if len(p.refused) != 1 || !ok || !strings.Contains(answer, `"`+code+`"`) || !strings.Contains(answer, why) {
		t.Fatalf("want refusals with %d, %q and %q only, got %v", status, code, why, p.refused)
	}
}

// fill takes away all room but so much, in a file that it returns.
func fill(t *testing.T, dir string, leave uint64) string {
	t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	room := fs.Bavail * uint64(fs.Bsize)
	if room < leave {
		t.Fatalf("there are %d bytes left, not %d", room, leave)
	}
	if err := os.WriteFile(filler, make([]byte, room-leave), 0o600); err != nil {
		t.Fatal(err)
	}
	return filler
}

// startOnSmallDisk starts a server on a file system with little room, with a receiver that is subscribed to all.
func startOnSmallDisk(t *testing.T) (s *server, r *receiver, dir, filler string) {
	t.Helper()
	dir = t.TempDir()
	s = launch(t, onFileSystem(t, dir, "24m", "", serve(dir, local...)))
	r = startReceiver(t, 0)
	s.subscribe(r.url)
	s.addType("load")
	return s, r, dir, fill(t, s.inside(dir), 4<<20)
}

// answersReads expects that what only reads works.
func (s *server) answersReads() {
	s.t.Helper()
	s.call("GET", "/tenants/acme/events", "", nil)
	s.call("GET", "/tenants/acme/deliveries", "", nil)
	s.call("GET", "/tenants/acme/endpoints", "", nil)
	if status, body := s.get("/healthz"); status != http.StatusOK {
		s.t.Errorf("/healthz answered %d: %s", status, body)
	}
}

// becomesReady waits until the server takes work again, by itself.
func (s *server) becomesReady() {
	s.t.Helper()
	eventually(s.t, "the server is ready again", func() bool {
		status, _ := s.get("/readyz")
		return status == http.StatusOK
	})
}

// settles waits until all that was published is recorded as delivered.
func (s *server) settles() {
	s.t.Helper()
	eventually(s.t, "all deliveries are recorded", func() bool {
		_, metrics := s.get("/metrics")
		return strings.Contains(metrics, "bellwire_backlog_deliveries 0\n")
	})
}

// expectDeliveredOnce expects that exactly the acknowledged events were delivered, each once.
func expectDeliveredOnce(t *testing.T, r *receiver, acked []string) {
	t.Helper()
	got := r.await(t, acked)
	if len(got) != len(acked) {
		t.Errorf("%d events were acknowledged, %d came", len(acked), len(got))
	}
	for id, requests := range got {
		if len(requests) != 1 {
			t.Errorf("%s came %d times", id, len(requests))
		}
	}
}

// While the disk is full, publishes are refused and reads work. Once there is space, everything works again without a
// restart: each acknowledged event is delivered once, although outcomes had to wait for space.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s, r, _, filler := startOnSmallDisk(t)
	before := s.publishUntilRefused("full")
	before.expectRefusals(t, http.StatusInsufficientStorage, "no_space", "no room left")
	s.answersReads()
	if status, body := s.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "no room left") {
		t.Errorf("/readyz answered %d: %s", status, body)
	}
	t.Logf("%d events were acknowledged before the disk was full; %d of them had come then", len(before.acked), len(r.snapshot()))

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.becomesReady()
	id, err := s.publish("load", []byte(`"there is room again"`))
	if err != nil {
		t.Fatal(err)
	}
	s.settles()
	expectDeliveredOnce(t, r, append(before.acked, id))
	s.terminate()
}

// A crash on a full disk loses nothing that was acknowledged. What could not be recorded is sent again.
func TestKilledWhileTheDiskIsFull(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s, r, dir, _ := startOnSmallDisk(t)
	l := s.publishUntilRefused("killed")
	l.expectRefusals(t, http.StatusInsufficientStorage, "no_space", "no room left")
	files, err := os.Open(s.inside(dir)) // keeps the file system when its namespace is gone
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	s.kill()

	roomy := t.TempDir()
	for _, name := range []string{"bellwire.db", "bellwire.db-wal", "bellwire.keyset"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d/%s", files.Fd(), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(roomy, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = startServer(t, roomy, local...)
	s.settles()
	got := r.await(t, l.acked)
	if len(got) != len(l.acked) {
		t.Errorf("%d events were acknowledged, %d came", len(l.acked), len(got))
	}
	s.terminate()
}

// refuses runs a server that must not start, and returns its output.
func refuses(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		cmd.Process.Kill()
		t.Fatalf("it neither fails nor ends: %v", <-ended)
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d: %s", code, &said)
	}
	return said.String()
}

// A start that cannot write says which file it is about and what to do, and does not pretend to serve.
func TestStartsThatCannotWrite(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "mount and prlimit")
	used := t.TempDir()
	startServer(t, used).terminate()
	for name, c := range map[string]struct{ script, says, advice string }{
		"a full disk": {
			`head -c 1m /dev/zero >"$dir/filler" 2>/dev/null || true`, "no room", "make room",
		},
		"a full disk and a database": {
			`cp "` + used + `"/* "$dir"; cat /dev/zero >"$dir/filler" 2>/dev/null || true`, "no room", "make room",
		},
		"a file system that is read-only": {
			`cp "` + used + `"/* "$dir"; mount -o remount,bind,ro "$dir"`, "cannot be opened", "writable",
		},
		"a file that is read-only": {
			`cp "` + used + `"/* "$dir"; mount --bind "$dir/bellwire.db" "$dir/bellwire.db"
			mount -o remount,bind,ro "$dir/bellwire.db"`, "cannot be opened", "writable",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			said := refuses(t, onFileSystem(t, dir, "1m", c.script, serve(dir)))
			for _, part := range []string{c.says, c.advice, filepath.Join(dir, "bellwire.db")} {
				if !strings.Contains(said, part) {
					t.Errorf("it does not say %q: %s", part, said)
				}
			}
		})
	}
}

// limitFiles makes each write beyond so many bytes into any file fail, as all writes do when a file system has gone
// read-only after an error. A file system with files open for writing cannot be made so on demand.
func (s *server) limitFiles(size string) {
	s.t.Helper()
	cmd := exec.Command("prlimit", "--pid", strconv.Itoa(s.cmd.Process.Pid), "--fsize="+size+":")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("this test needs prlimit (util-linux): %v: %s", err, out)
	}
}

// While the database cannot be written, publishes are answered 503 and reads work. Everything continues by itself once it
// can: each acknowledged event is delivered once.
func TestDatabaseThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s := startServer(t, t.TempDir(), local...)
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	s.addType("load")
	first, err := s.publish("load", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	r.await(t, []string{first})

	s.limitFiles("0")
	l := s.publishUntilRefused("stuck")
	l.expectRefusals(t, http.StatusServiceUnavailable, "unavailable", "could not be read or written; check its disk")
	s.answersReads()
	if status, body := s.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "check its disk") {
		t.Errorf("/readyz answered %d: %s", status, body)
	}
	if wait := s.retryAfter(); wait < 1 {
		t.Errorf("Retry-After: %d", wait)
	}

	s.limitFiles("unlimited")
	s.becomesReady()
	last, err := s.publish("load", []byte("2"))
	if err != nil {
		t.Fatal(err)
	}
	s.settles()
	expectDeliveredOnce(t, r, append(l.acked, first, last))
	s.terminate()
}

// retryAfter publishes, and returns the seconds after which to try again.
func (s *server) retryAfter() int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "POST", s.url+"/api/v1/tenants/acme/events",
		strings.NewReader(`{"type": "load", "data": 1}`))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	resp, err := apiClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil {
		s.t.Errorf("%s without a Retry-After: %v", resp.Status, err)
	}
	return seconds
}
