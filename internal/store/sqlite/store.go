// Package sqlite keeps everything in one SQLite file, for one process.
package sqlite

import (
	"context"

	"github.com/bellwire/bellwire"
)

// Options are what Open can be told. The zero value is right for production.
type Options struct {
	// NoSync leaves out the fsync of each commit: a power loss may lose what was answered. For tests only.
	NoSync bool
	// Readers is how many reads run at the same time; 0: 4.
	Readers int
}

// Store is a bellwire.Store on an SQLite file.
type Store struct {
	bellwire.Store // being built: the verbs follow
}

var _ bellwire.Store = (*Store)(nil)

// Open opens the database at path, and makes it if it is not there.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	return nil, bellwire.Errorf(bellwire.CodeUnavailable, "The SQLite store is not built yet.")
}
