//go:build unix

package seal_test

import (
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/seal"
)

// TestWriteKeysetKeepsAccess changes keysets as the user that the file belongs to, and as root: the server must still be able to read them.
func TestWriteKeysetKeepsAccess(t *testing.T) {
	t.Parallel()
	_, path := open(t)
	change := func() error {
		before, err := seal.ReadKeysetOfServer(path)
		must(t, err)
		after, err := before.Add()
		if err == nil {
			after, err = after.Promote()
		}
		must(t, err)
		return seal.WriteKeyset(path, after)
	}
	has := func(mode fs.FileMode, owner, group uint32) {
		t.Helper()
		info, err := os.Stat(path)
		must(t, err)
		if stat := info.Sys().(*syscall.Stat_t); info.Mode().Perm() != mode || stat.Uid != owner || stat.Gid != group {
			t.Errorf("the file has mode %04o and belongs to %d:%d, want %04o and %d:%d", info.Mode().Perm(), stat.Uid, stat.Gid, mode, owner, group)
		}
	}
	must(t, os.Chmod(path, 0o400))
	must(t, change())
	has(0o400, uint32(os.Getuid()), uint32(os.Getgid()))
	if os.Getuid() != 0 {
		return
	}
	must(t, os.Chown(path, 1234, 4321))
	must(t, change())
	has(0o400, 1234, 4321)
	must(t, os.Chown(path, 0, 4321)) // as it is mounted from a store of secrets
	must(t, os.Chmod(path, 0o440))
	must(t, change())
	has(0o440, 0, 4321)
	if _, _, err := seal.OpenKeyring(path); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("a server that runs as root takes the file: %v", err)
	}
}
