package doctor

import (
	"slices"
	"syscall"
)

// networkTypes are the types of network file systems (statfs(2)): NFS, SMB, CIFS, SMB 2, Ceph, AFS and 9p.
var networkTypes = []uint32{0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x00c36400, 0x5346414f, 0x01021997}

// networkFileSystem reports whether a folder is on another machine.
func networkFileSystem(folder string) bool {
	var s syscall.Statfs_t
	return syscall.Statfs(folder, &s) == nil && slices.Contains(networkTypes, uint32(s.Type))
}
