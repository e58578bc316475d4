package dialecttest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var routeInReadme = regexp.MustCompile("(?m)^\\| `([A-Z]+ /[^`]*)` \\|")

// The README of each dialect lists the routes of its front end, and no others.
func TestReadmesListTheRoutes(t *testing.T) {
	t.Parallel()
	fronts, err := filepath.Glob("../dialect/*/front.go")
	if err != nil || len(fronts) < 5 {
		t.Fatal(fronts, err)
	}
	for _, front := range fronts {
		want := matches(t, dialectRoute, front)
		got := matches(t, routeInReadme, filepath.Join(filepath.Dir(front), "README.md"))
		if !slices.Equal(got, want) {
			t.Errorf("%s has the routes\n%s\nand its README\n%s", front, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}

// matches returns the first group of all matches in a file, sorted.
func matches(t *testing.T, pattern *regexp.Regexp, file string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range pattern.FindAllSubmatch(text, -1) {
		found = append(found, string(match[1]))
	}
	slices.Sort(found)
	return found
}

// A table renders only if it follows a blank line and its rows have as many cells as its header.
func TestReadmesTablesRender(t *testing.T) {
	t.Parallel()
	readmes, err := filepath.Glob("../dialect/*/README.md")
	if err != nil || len(readmes) < 6 {
		t.Fatal(readmes, err)
	}
	for _, readme := range readmes {
		text, err := os.ReadFile(readme)
		if err != nil {
			t.Fatal(err)
		}
		cells, before := 0, ""
		for i, line := range strings.Split(string(text), "\n") {
			switch n := strings.Count(line, "|"); {
			case !strings.HasPrefix(line, "|"):
				cells = 0
			case cells == 0 && before != "":
				t.Errorf("%s:%d: a table must follow a blank line", readme, i+1)
				cells = n
			case cells == 0:
				cells = n
			case n != cells:
				t.Errorf("%s:%d: the row has %d cells, and its header %d", readme, i+1, n-1, cells-1)
			}
			before = line
		}
	}
}
