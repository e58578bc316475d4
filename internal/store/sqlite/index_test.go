package sqlite

import (
	"os"
	"path/filepath"
	"testing"
)

const lostLog = "a part of the database's log is missing or damaged"

// TestLostLogIsReported opens the files of a killed process after its log was removed or changed.
func TestLostLogIsReported(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	for range 20 {
		err := s.write(t.Context(), func(w *writer) error {
			return w.exec("INSERT INTO meta (name, value) VALUES (hex(randomblob(8)), randomblob(3000))")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	flip := func(path string, at int64) {
		content := readFile(t, path)
		content[at] ^= 1
		writeFile(t, path, content)
	}
	for name, c := range map[string]struct {
		disturb func(path string)
		said    int
	}{
		"nothing":              {func(string) {}, 0},
		"an uncommitted frame": {func(path string) { writeFile(t, path, append(readFile(t, path), make([]byte, 4120)...)) }, 0},
		"missing":              {func(path string) { check(t, os.Remove(path)) }, 1},
		"empty":                {func(path string) { check(t, os.Truncate(path, 0)) }, 1},
		"cut off":              {func(path string) { check(t, os.Truncate(path, size(t, path)/2)) }, 1},
		"a flipped bit":        {func(path string) { flip(path, size(t, path)/2) }, 1},
		"a flipped last bit":   {func(path string) { flip(path, size(t, path)-1) }, 1},
		"a flipped header":     {func(path string) { flip(path, 9) }, 1},
		// Without the index, the loss cannot be detected.
		"the index is missing, too": {func(path string) {
			check(t, os.Truncate(path, size(t, path)/2))
			check(t, os.Remove(path[:len(path)-len("-wal")]+"-shm"))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "copy.db")
			copyFiles(t, s, path)
			writeFile(t, path+"-shm", readFile(t, s.path+"-shm"))
			c.disturb(path + "-wal")
			opened, logged := openLogged(t, path, Options{})
			if n := logged.count(lostLog); n != c.said {
				t.Errorf("the log says %d times that something is lost, want %d", n, c.said)
			}
			check(t, opened.Close())
			_, logged = openLogged(t, path, Options{})
			if n := logged.count(lostLog); n != 0 {
				t.Error("it is said again after a clean end")
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCountLost compares with manually counted numbers.
func TestCountLost(t *testing.T) {
	t.Parallel()
	salt, other := [8]byte{1}, [8]byte{2}
	at := func(length, copied uint32) index { return index{length: length, copied: copied, salt: salt} }
	for name, c := range map[string]struct {
		remains remains
		usable  uint32
		lost    uint32
	}{
		"all there":                    {remains{at(100, 40), true, salt, true}, 100, 0},
		"some more":                    {remains{at(100, 40), true, salt, true}, 120, 0},
		"a part of the log":            {remains{at(100, 40), true, salt, true}, 70, 30},
		"less than is in the database": {remains{at(100, 40), true, salt, true}, 10, 60},
		"all is in the database":       {remains{at(100, 100), true, salt, true}, 0, 0},
		"another log":                  {remains{at(100, 40), true, other, true}, 7, 0},
		"no log":                       {remains{at(100, 40), true, [8]byte{}, false}, 0, 60},
		"no log, which was empty":      {remains{at(0, 0), true, [8]byte{}, false}, 0, 0},
		"no index":                     {remains{index{}, false, salt, true}, 50, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.remains.lost(c.usable); got != c.lost {
				t.Errorf("%s: %d pages are lost, want %d", name, got, c.lost)
			}
		})
	}
}
