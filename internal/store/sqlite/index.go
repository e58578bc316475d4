package sqlite

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
)

// index is what the log's index, which is the file -shm, says of the log (sqlite.org/walformat.html, "WAL-Index File
// Format"). A process that is killed leaves it behind. SQLite makes it anew then, and so does not see that the log has
// become shorter.
//
// The index is changed after the log is on disk, so it never says too much.
type index struct {
	length uint32 // how many frames, which are pages, are committed
	copied uint32 // how many of them are in the database as well
	salt   [8]byte
}

// readIndex reads the index. It must not be called while this process has the database open: that it closes the file
// would drop SQLite's locks on it.
func readIndex(path string) (x index, ok bool) {
	var raw [100]byte
	// Its header is there twice, and differs while it is being changed.
	if !readStart(path, raw[:]) || raw[12] != 1 || !bytes.Equal(raw[:48], raw[48:96]) {
		return x, false
	}
	x.length, x.copied = binary.NativeEndian.Uint32(raw[16:]), binary.NativeEndian.Uint32(raw[96:])
	copy(x.salt[:], raw[32:])
	return x, true
}

// readSalt returns the log's salt, which differs from that of the log that was in the same file before. Without one the
// log is missing or empty.
func readSalt(path string) (salt [8]byte, ok bool) {
	var raw [32]byte
	ok = readStart(path, raw[:])
	copy(salt[:], raw[16:])
	return salt, ok
}

// readStart reads the first bytes of a file, and reports whether there are that many.
func readStart(path string, into []byte) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() // nothing is written
	_, err = io.ReadFull(f, into)
	return err == nil
}

// remains is what a process that was killed has left of its log.
type remains struct {
	index  index // as that process left it
	left   bool  // it did
	salt   [8]byte
	logged bool // there is a log
}

// findRemains looks at the files before SQLite opens them.
func findRemains(path string) (r remains) {
	r.index, r.left = readIndex(path + "-shm")
	r.salt, r.logged = readSalt(path + "-wal")
	return r
}

// lost returns how many pages were committed that are neither in the database nor in what SQLite could use of the log.
func (r remains) lost(usable uint32) uint32 {
	there := r.index.copied
	switch {
	case !r.left, r.logged && r.salt != r.index.salt: // a log that began after the index was written to disk
		return 0
	case r.logged:
		there = max(there, usable)
	}
	return max(r.index.length, there) - there
}
