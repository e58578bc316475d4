package rules

import (
	"fmt"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// OldestSchema is the number of migrations that a build must contain at least to run on the schema that this build makes. Releases
// are rolled out one node at a time, so it is never more than the previous release contains: a migration first adds what the next
// release needs, and removes what the previous one needs a release later. A test runs the previous release on the schema.
const OldestSchema = 45

// Schema is what a database records about its schema.
type Schema struct {
	Migrations int // that it has run
	Oldest     int // how many of them a build must contain at least to use it
}

// Pending returns how many migrations of a build that contains known of them are to be run. Its error has CodeUnavailable if the
// build is too old for the schema.
func (s Schema) Pending(location string, known int) (int, error) {
	if s.Oldest > known {
		return 0, &bellwire.Error{
			Code: bellwire.CodeUnavailable,
			Message: fmt.Sprintf("the database %s was changed by a newer Bellwire: it needs a build with at least %d migrations, and this one has %d",
				location, s.Oldest, known),
			Hint: "Install the newer version again, or restore a backup from before the upgrade (docs/upgrade.md).",
		}
	}
	return max(known-s.Migrations, 0), nil
}

// Raised returns how many migrations a build must contain at least once a build that contains known of them has used the database, and
// whether that is more than now: then builds that can use it now may not be able to any more. A database without a schema has none.
func (s Schema) Raised(known int) (oldest int, raised bool) {
	oldest = After(known).Oldest
	return oldest, s.Migrations > 0 && oldest > s.Oldest
}

// After returns what a database records once it has run n migrations.
func After(n int) Schema { return Schema{Migrations: n, Oldest: min(n, OldestSchema)} }

// RestoreGap is added to epochs and revisions when a backup is restored. What was stored after the backup, and is lost, has used more of
// them than the backup records; none of those may come again.
const RestoreGap = 1 << 32
