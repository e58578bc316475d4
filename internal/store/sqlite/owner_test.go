//go:build unix

package sqlite

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Restored by root, a database belongs to the owner of its folder; another user keeps it.
func TestRestoredBelongsToTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	copied, path := filepath.Join(dir, "copy"), filepath.Join(dir, "bellwire.db")
	writeFile(t, copied, empty())
	want := os.Geteuid()
	if want == 0 {
		want = 65534
		check(t, os.Chown(dir, want, want))
	}
	_, err := Restore(t.Context(), Restoration{From: copied, To: path, Check: accept})
	check(t, err)
	for _, name := range []string{path, path + "-lock"} {
		info, err := os.Stat(name)
		check(t, err)
		if uid := int(info.Sys().(*syscall.Stat_t).Uid); uid != want || info.Mode().Perm() != 0o600 {
			t.Errorf("%s belongs to %d with mode %04o, want %d and 0600", name, uid, info.Mode().Perm(), want)
		}
	}
}
