package sqlite

import (
	"strconv"

	library "modernc.org/sqlite/lib"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Version is the version of SQLite that is linked in.
const Version = library.SQLITE_VERSION

// leastVersion is the first SQLite without the WAL-reset bug (sqlite.org/wal.html#walresetbug): from 3.7.0 to 3.51.2 a
// checkpoint that began just as the log began anew lost what had been committed. go.mod asks for a newer library than
// zombiezen.com/go/sqlite does by itself.
const leastVersion = 3_051_003

// checkLibrary refuses a library that loses what it has committed.
func checkLibrary(version int) error {
	if version >= leastVersion {
		return nil
	}
	return bellwire.Errorf(bellwire.CodeUnavailable,
		"this program was built with SQLite %s, which can lose what it has stored; build it with SQLite %s or newer",
		dotted(version), dotted(leastVersion))
}

// linked is the version of the library as SQLite itself says it.
func linked() int { return int(library.Xsqlite3_libversion_number(nil)) }

// dotted writes SQLite's number for a version as people do: 3051003 is 3.51.3.
func dotted(version int) string {
	return strconv.Itoa(version/1_000_000) + "." + strconv.Itoa(version/1000%1000) + "." + strconv.Itoa(version%1000)
}
