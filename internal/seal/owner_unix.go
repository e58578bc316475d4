//go:build unix

package seal

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func ownedByRoot(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == 0
}

// giveTo gives a file to the owner and the group of a keyset file.
func giveTo(keyset string, info fs.FileInfo, f *os.File) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	err := f.Chown(int(stat.Uid), int(stat.Gid))
	if err == nil {
		return nil
	}
	owner := strconv.Itoa(int(stat.Uid))
	if known, err := user.LookupId(owner); err == nil {
		owner = known.Username
	}
	return hinted(bellwire.Wrap(bellwire.CodeInvalid, err,
		"keyset file %s belongs to the user %s, and this process cannot make a file with the same owner and group; nothing was changed", keyset, owner),
		"Run this as the user "+owner+" or as root. With --print the new keyset goes to standard output instead.")
}
