package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// pages returns the paths of all pages that people read.
func pages(t *testing.T) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "client/*.md", "receive/*.md", "internal/dialect/*/*.md"} {
		found, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	return paths
}

var (
	codeBlock = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	heading   = regexp.MustCompile(`(?m)^#+ (.+)$`)
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// Links between pages lead to files and headings that exist.
func TestLinks(t *testing.T) {
	t.Parallel()
	anchors := make(map[string]map[string]bool)
	checked := 0
	for _, page := range pages(t) {
		for _, found := range link.FindAllStringSubmatch(codeBlock.ReplaceAllString(contents(t, page), ""), -1) {
			path, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(path, "://") || strings.HasPrefix(path, "mailto:") {
				continue
			}
			checked++
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", page, found[1], err)
				continue
			}
			if anchor == "" || filepath.Ext(target) != ".md" {
				continue
			}
			if anchors[target] == nil {
				anchors[target] = anchorsOf(contents(t, target))
			}
			if !anchors[target][anchor] {
				t.Errorf("%s links to %s, which has no such heading", page, found[1])
			}
		}
	}
	if checked < 200 {
		t.Errorf("only %d links were found", checked)
	}
}

// anchorsOf returns the anchors of a page's headings, as GitHub makes them.
func anchorsOf(page string) map[string]bool {
	anchors := make(map[string]bool)
	for _, found := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(page, ""), -1) {
		text := regexp.MustCompile(`\[([^]]+)\]\([^)]+\)`).ReplaceAllString(found[1], "$1")
		anchors[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, text)] = true
	}
	return anchors
}

// docs/README.md leads each reader to their pages, and leaves none out.
func TestIndexOfPages(t *testing.T) {
	t.Parallel()
	index := contents(t, "../../docs/README.md")
	for _, page := range pages(t) {
		name := filepath.Base(page)
		if filepath.Base(filepath.Dir(page)) == "docs" && name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/README.md does not lead to %s", name)
		}
	}
}

// The names of functions and fields in tables of docs/architecture.md exist in the code that they lead to.
func TestArchitectureNamesWhatExists(t *testing.T) {
	t.Parallel()
	page := contents(t, "../../docs/architecture.md")
	_, section, _ := strings.Cut(page, "## The state of a lane")
	table, _, _ := strings.Cut(section, "`reevaluate`")
	lane := contents(t, "../../internal/engine/lanes/lane.go")
	_, lane, _ = strings.Cut(lane, "\ntype lane struct {\n")
	lane, _, _ = strings.Cut(lane, "\n}\n")
	checked := 0
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-zA-Z`, ]+`) \\|").FindAllStringSubmatch(table, -1) {
		for _, name := range regexp.MustCompile("`([a-zA-Z]+)`").FindAllStringSubmatch(row[1], -1) {
			checked++
			if !regexp.MustCompile(`(?m)^\t` + name[1] + `\s`).MatchString(lane) {
				t.Errorf("docs/architecture.md describes the field %s of a lane, which there is not", name[1])
			}
		}
	}
	if checked < 25 {
		t.Errorf("only %d fields of a lane were found", checked)
	}
	_, section, _ = strings.Cut(page, "## A retry's delay")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| .+ \\| `(?:[A-Za-z]+\\.)?([A-Za-z]+)`.* in `(internal/[a-z/]+\\.go)`").FindAllStringSubmatch(section, -1) {
		if !regexp.MustCompile(`(?m)^func (?:\([^)]+\) )?` + row[1] + `\(`).MatchString(contents(t, "../../"+row[2])) {
			t.Errorf("docs/architecture.md says that %s is in %s", row[1], row[2])
		}
	}
}
