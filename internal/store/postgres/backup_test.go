package postgres

import (
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// What is in the schema does not matter to a restore that replaces it: it may be damaged, newer, or somebody else's.
func TestPlaceForARestore(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, "")
	conn := connect(t, url)
	is := func(schema, empty bool) {
		t.Helper()
		place, err := FindPlace(t.Context(), url)
		check(t, err)
		if place.Version == 0 || place.Connected != 0 || place.Schema != schema || place.Schema && place.Empty != empty {
			t.Errorf("the place is %+v, want a schema %t, empty %t", place, schema, empty)
		}
	}
	is(false, false)
	run1(t, conn, "CREATE SCHEMA bellwire")
	is(true, true)
	run1(t, conn, "CREATE TABLE bellwire.meta (name text PRIMARY KEY)")
	is(true, false)
	check(t, MoveAside(t.Context(), url, "aside"))
	is(false, false)
	run1(t, conn, "CREATE SCHEMA bellwire; CREATE FUNCTION bellwire.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
	is(true, false)
	check(t, PutBack(t.Context(), url, "aside"))
	run1(t, conn, "INSERT INTO bellwire.meta VALUES ('back')")
	_, poor := makeRole(t, url, "")
	refused(t, MoveAside(t.Context(), poor, "aside"), bellwire.CodeUnavailable, "cannot be moved aside")
}
