package doctor

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/seal"
)

// recorded returns what the database has recorded about its keyset. nil: nothing; not known: the database could not be read.
type recorded func(context.Context) (check []byte, known bool)

func (s *Subject) keysetChecks(recorded recorded) []check {
	return []check{
		{"keyset.file", func(ctx context.Context) result { return s.keysetFile(ctx, recorded) }},
		{"keyset.match", func(ctx context.Context) result { return s.keysetMatch(ctx, recorded) }},
		{"keyset.place", s.keysetPlace},
	}
}

func (s *Subject) readKeyset() (*seal.Keyset, error) {
	if s.Keyset.Text != "" {
		return seal.ParseKeyset([]byte(s.Keyset.Text), "the variable BELLWIRE_KEYSET")
	}
	return seal.ReadKeyset(s.Keyset.File)
}

// keysetFile examines whether the keyset can be used, with the mode of its file.
func (s *Subject) keysetFile(ctx context.Context, recorded recorded) result {
	_, err := s.readKeyset()
	if errors.Is(err, fs.ErrNotExist) {
		if check, known := recorded(ctx); known && check == nil {
			return note("The keyset "+s.Keyset.File+" does not exist yet; the first start creates it.", "For several nodes, create it before with \"bellwire keyset create\".")
		}
		return problem("The keyset "+s.Keyset.File+" does not exist.", "Restore the keyset from its backup, or name its file with --keyset-file.")
	}
	if err != nil {
		return problem("The keyset cannot be used: "+reason(err)+".", hintOf(err, "Restore the keyset from its backup (docs/keyset.md)."))
	}
	return ok("The keyset can be used.")
}

// keysetMatch examines whether the secrets in the database are sealed with the keyset.
func (s *Subject) keysetMatch(ctx context.Context, recorded recorded) result {
	keyset, err := s.readKeyset()
	if err != nil {
		return result{} // keyset.file says why
	}
	check, known := recorded(ctx)
	switch {
	case !known:
		return result{} // database.reachable says why
	case check == nil:
		return ok("The database has no secrets yet, and adopts the keyset.")
	}
	keyring, err := keyset.Keyring()
	if err == nil {
		err = keyring.VerifyCheckValue(check)
	}
	if err != nil {
		return problem("The keyset is not that of the database: "+reason(err)+".", hintOf(err, "Restore the keyset of this database from its backup."))
	}
	return ok("The keyset is that of the database.")
}

// keysetPlace looks for a keyset that a backup of the database's folder would contain.
func (s *Subject) keysetPlace(context.Context) result {
	switch {
	case s.Keyset.Text != "":
		return ok("The keyset comes from the environment.")
	case s.Database.SQLite != "" && absolute(filepath.Dir(s.Keyset.File)) == absolute(filepath.Dir(s.Database.SQLite)):
		return note("The keyset is in the folder of the database, so that a copy of the folder reveals all secrets.",
			"Move the keyset to a folder of its own (--keyset-file), and keep its backup apart.")
	}
	return ok("The keyset is apart from the database.")
}

// absolute returns the absolute form of a path, or the path itself if the working directory is gone.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// hintOf returns the hint of an error, or another one.
func hintOf(err error, other string) string {
	if known, ok := errors.AsType[*bellwire.Error](err); ok && known.Hint != "" {
		return known.Hint
	}
	return other
}
