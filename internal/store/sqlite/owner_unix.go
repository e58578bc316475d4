//go:build unix

package sqlite

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// giveTo gives files to the owner of something else, and returns the owner's name if that is another user than this process has.
func giveTo(owner fs.FileInfo, paths ...string) (name string, err error) {
	stat, ok := owner.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() {
		return "", nil
	}
	name = strconv.Itoa(int(stat.Uid))
	if known, err := user.LookupId(name); err == nil {
		name = known.Username
	}
	for _, path := range paths {
		// The other user may own the folder, and put a link to another file there.
		if err := os.Lchown(path, int(stat.Uid), int(stat.Gid)); err != nil {
			return "", &bellwire.Error{
				Code:    bellwire.CodeUnavailable,
				Message: fmt.Sprintf("the database belongs to the user %s, and this process cannot give it a file: %s", name, err),
				Hint:    "Run this as that user, or as root.",
			}
		}
	}
	return name, nil
}
