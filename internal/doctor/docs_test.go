package doctor

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// The page on the doctor lists exactly the checks.
func TestDocumentedChecks(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, ids []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z]+\\.[a-z-]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		documented = append(documented, row[1])
	}
	for _, d := range []Database{{SQLite: "a"}, {Postgres: "postgres://a/b"}} {
		for _, c := range (&Subject{Database: d}).checks() {
			if !slices.Contains(ids, c.id) {
				ids = append(ids, c.id)
			}
		}
	}
	slices.Sort(documented)
	slices.Sort(ids)
	if !slices.Equal(documented, ids) {
		t.Errorf("docs/doctor.md has %q, and the checks are %q", documented, ids)
	}
}
