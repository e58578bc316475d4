//go:build linux || darwin

package doctor

import "syscall"

// space returns the bytes of a folder's file system that an unprivileged process can still use, and all of them.
func space(folder string) (free, total uint64, known bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(folder, &s) != nil {
		return 0, 0, false
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), true
}

// fileSizeLimit returns the maximum size of a file that this process writes, if it is limited.
func fileSizeLimit() (limit uint64, limited bool) {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l) != nil {
		return 0, false
	}
	const much = 1 << 60 // more is how systems write that there is no limit
	return l.Cur, l.Cur < much
}
