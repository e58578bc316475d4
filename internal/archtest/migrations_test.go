package archtest

import (
	"fmt"
	"os"
	"path/filepath"
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
