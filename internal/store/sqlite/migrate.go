package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"

	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/store/rules"
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

// migrationFiles returns the names of the migrations, in their order.
func migrationFiles() []string {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted by their numbers
	if err != nil {
		panic(err) // the pattern is wrong
	}
	return files
}

// migrate brings the schema up to date, each step in a transaction of its own. A database with data is copied before it is changed.
func (w *writer) migrate(ctx context.Context) error {
	files := migrationFiles()
	schema, err := w.recorded(w.store.path)
	if err != nil {
		return err
	}
	pending, err := schema.Pending(w.store.path, len(files))
	if err != nil || pending == 0 {
		return err
	}
	if schema.Migrations == 0 && !w.store.file.made { // all that was in it is gone with its log
		if err := w.store.options.New(w.store.path); err != nil {
			return err
		}
	}
	if schema.Migrations > 0 {
		w.store.options.Migrating(schema.Migrations, len(files))
		if err := w.copyBefore(ctx, schema.Migrations, len(files)); err != nil {
			return err
		}
	}
	for n := schema.Migrations; n < len(files); n++ {
		if err := w.apply(files[n], n+1); err != nil {
			return fmt.Errorf("%s: %w", files[n], err)
		}
	}
	return nil
}

// apply runs one migration, the nth.
func (w *writer) apply(file string, n int) error {
	script, err := migrationScript(file, n)
	if err != nil {
		return err
	}
	return sqlitex.ExecuteScript(w.conn, script, nil)
}

// migrationScript returns the statements of the nth migration, which also record that it has run.
func migrationScript(file string, n int) (string, error) {
	script, err := migrations.ReadFile(file)
	if err != nil {
		return "", err
	}
	after := rules.After(n)
	return fmt.Sprintf("%s\nINSERT INTO meta (name, value) VALUES ('migrations', %d) ON CONFLICT (name) DO UPDATE SET value = excluded.value;\n"+
		"PRAGMA application_id = %d;\nPRAGMA user_version = %d;", script, after.Migrations, applicationID, after.Oldest), nil
}
