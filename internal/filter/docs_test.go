package filter_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
)

var exampleRow = regexp.MustCompile("(?m)^\\| `(.+)` \\| ((?:" + yes + "|" + no + "|" + fails + ").*) \\|$")

// TestDocumentedExamples evaluates the table of docs/filters.md on the data that the page shows.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/filters.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	_, examples, _ := strings.Cut(page, "## Examples")
	_, data, _ := strings.Cut(examples, "```json\n")
	data, _, _ = strings.Cut(data, "```")
	e := &bellwire.Event{Type: "invoice.paid", Data: []byte(data), OccurredAt: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	rows := exampleRow.FindAllStringSubmatch(examples, -1)
	if len(rows) < 15 {
		t.Errorf("%d examples were found", len(rows))
	}
	for _, row := range rows {
		text := strings.ReplaceAll(row[1], `\|`, "|")
		if got := resultOf(mustCompile(t, text), e); got != row[2] {
			t.Errorf("%s: %s, but the page says: %s", text, got, row[2])
		}
	}
	for _, limit := range []int{limits.FilterBytes, limits.FilterNodes, limits.FilterDepth, limits.FilterInstructions, limits.FilterSteps, limits.FilterBytesPerStep} {
		if !strings.Contains(page, bellwire.Number(limit)) {
			t.Errorf("the page does not name the limit %d", limit)
		}
	}
	types := []*bellwire.EventType{{Name: "invoice.paid", Schema: []byte(`{"properties": {"amount": {"type": "integer"}}}`)}}
	if _, err := filter.New("data.amont > 100", types); err == nil || !strings.Contains(page, "\n"+err.Error()+"\n") {
		t.Errorf("the page does not show the error: %v", err)
	}
}
