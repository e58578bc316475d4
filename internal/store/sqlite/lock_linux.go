package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// lockFile locks an open file against other processes, and reports whether it got the lock. Linux keeps these
// locks apart from the POSIX locks on parts of the file that SQLite uses.
func lockFile(f *os.File) (held bool, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	lock := func(fd uintptr) {
		for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
			err = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB)
		}
	}
	if failed := raw.Control(lock); failed != nil {
		return false, failed
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// names returns how many names a file has.
func names(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink)
	}
	return 1
}
