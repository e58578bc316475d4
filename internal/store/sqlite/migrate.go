package sqlite

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"

	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as Bellwire's: "BELL".
const applicationID = 0x42454c4c

// configure sets up a connection.
func (c *db) configure(cacheKiB int, o Options) error {
	synchronous := "FULL"
	if o.NoSync {
		synchronous = "OFF"
	}
	for _, pragma := range []string{
		"page_size = 4096",
		"journal_mode = WAL",
		"synchronous = " + synchronous,
		"cache_size = -" + strconv.Itoa(cacheKiB),
		"mmap_size = 0",
		"temp_store = MEMORY",
		"wal_autocheckpoint = 0", // the checkpointer does it
		"journal_size_limit = " + strconv.Itoa(int(o.longLog)*4096),
		"secure_delete = FAST", // overwrite what is deleted where that costs no extra page
		"trusted_schema = OFF",
	} {
		if err := sqlitex.ExecuteTransient(c.conn, "PRAGMA "+pragma, nil); err != nil {
			return fmt.Errorf("PRAGMA %s: %w", pragma, err)
		}
	}
	return nil
}

// migrate brings the schema up to date, each step in a transaction of its own.
func (w *writer) migrate() error {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted by their numbers
	if err != nil {
		return err
	}
	version, _, err := w.query("PRAGMA user_version").scalar()
	if err != nil {
		return err
	}
	application, _, err := w.query("PRAGMA application_id").scalar()
	if err != nil {
		return err
	}
	tables, _, err := w.query("SELECT count(*) FROM sqlite_schema").scalar()
	switch {
	case err != nil:
		return err
	case application != applicationID && (version != 0 || tables != 0):
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the file %s is a database of another program; choose another path", w.store.path)
	case int(version) > len(files):
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the database %s was written by a newer Bellwire, with schema %d, and this one knows schema %d; use the newer version, or restore an older backup",
			w.store.path, version, len(files))
	}
	if version == 0 && !w.store.place.made { // all that was in it is gone with its log
		if err := w.store.options.New(w.store.path); err != nil {
			return err
		}
	}
	for n := int(version); n < len(files); n++ {
		if err := w.apply(files[n], n+1); err != nil {
			return fmt.Errorf("%s: %w", files[n], err)
		}
	}
	return nil
}

// apply runs one migration, which brings the schema to the given version.
func (w *writer) apply(file string, version int) error {
	script, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	return sqlitex.ExecuteScript(w.conn, fmt.Sprintf("%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;",
		script, applicationID, version), nil)
}
