package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMigrationsHaveTheSameNumbers compares the migrations of the two stores.
func TestMigrationsHaveTheSameNumbers(t *testing.T) {
	t.Parallel()
	sqlite, postgres := migrationsOf(t, "sqlite"), migrationsOf(t, "postgres")
	if len(sqlite) == 0 || !slices.Equal(sqlite, postgres) {
		t.Errorf("sqlite has the migrations %q, postgres %q", sqlite, postgres)
	}
}

// migrationsOf returns the numbers of a store's migrations.
func migrationsOf(t *testing.T, store string) (numbers []string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join("../store", store, "migrations"))
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		number, _, _ := strings.Cut(file.Name(), "_")
		if want := fmt.Sprintf("%04d", i+1); number != want {
			t.Errorf("%s: %s has the number %s, want %s", store, file.Name(), number, want)
		}
		numbers = append(numbers, number)
	}
	return numbers
}

// firstCompatible is the number of the first migration on whose schema the release before it must run.
const firstCompatible = "0046"

// removes finds statements that take something away from the release before, which runs beside the new one.
var removes = regexp.MustCompile(`(?i)\b(DROP\s+(TABLE|COLUMN|VIEW|FUNCTION|SEQUENCE)|RENAME|ALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE|SET\s+NOT\s+NULL)\b`)

// TestMigrationsAdd finds migrations that take something away, unless a comment says why the release before can run on the result.
func TestMigrationsAdd(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"sqlite", "postgres"} {
		for _, number := range migrationsOf(t, store) {
			files, err := filepath.Glob(filepath.Join("../store", store, "migrations", number+"_*.sql"))
			if err != nil || len(files) != 1 {
				t.Fatal(number, files, err)
			}
			text := contents(t, files[0])
			if found := removes.FindString(text); number >= firstCompatible && found != "" && !strings.Contains(text, "-- The release before can run on this: ") {
				t.Errorf("%s has %q; nodes of the release before run beside the new ones, so remove nothing that they use, "+
					"and say why they do not in a comment that begins with \"-- The release before can run on this: \"", files[0], found)
			}
		}
	}
}
