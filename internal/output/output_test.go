package output_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/output"
)

var update = flag.Bool("update", false, "write the golden files")

type row struct{ id, status, text string }

var columns = []output.Column[row]{
	output.Text("ID", func(r row) string { return r.id }),
	{Title: "STATUS", Cell: func(r row) output.Cell {
		return output.Cell{Text: r.status, Color: map[string]output.Color{"ok": output.Good, "failed": output.Bad}[r.status]}
	}},
	output.Text("TEXT", func(r row) string { return r.text }),
}

// TestTables compares what people see on screens of several widths, with and without colors.
func TestTables(t *testing.T) {
	t.Parallel()
	for name, print := range map[string]func(out *bytes.Buffer){
		"wide":   func(out *bytes.Buffer) { table(output.NewSized(out, 0, false)) },
		"narrow": func(out *bytes.Buffer) { table(output.NewSized(out, 40, false)) },
		"colors": func(out *bytes.Buffer) { table(output.NewSized(out, 40, true)) },
		"empty": func(out *bytes.Buffer) {
			output.NewTable(output.NewSized(out, 0, false), columns).Flush()
		},
		"fields": func(out *bytes.Buffer) {
			p := output.NewSized(out, 0, false)
			p.Fields(
				output.Field{Name: "id", Cell: output.Cell{Text: "one"}},
				output.Field{Name: "last failure", Cell: output.Cell{Text: "never"}},
				output.Field{Name: "nothing"},
			)
			p.Document("Data", []byte(`{"n":9007199254740993,"x":1.00}`))
			p.Document("Schema", []byte("null"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			print(&out)
			golden := "testdata/" + name + ".txt"
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// table prints rows with wide, missing and hostile texts, in two parts.
func table(p *output.Printer) {
	t := output.NewTable(p, columns)
	t.Add(row{"one", "ok", "a short text"})
	t.Add(row{"two", "failed", "a text that does not fit on a narrow screen"})
	t.Add(row{"日本", "ok", "日本語の長い文章はここで切られます"})
	t.Add(row{"four", "ok", ""})
	t.Flush()
	t.Add(row{"a longer id", "failed", "\x1b[31mred\x1b[0m\nline\u202e"})
	t.Flush()
}

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain": "plain", "日本": "日本", "a\nb": `a\nb`, "\x1b]0;title\a": `\x1b]0;title\a`, "\u202eevil": `\u202eevil`, "bad\xff": "bad\ufffd",
	} {
		t.Run(want, func(t *testing.T) {
			if got := output.Clean(text); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestJSONKeepsValues(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := output.New(&out, true)
	p.Compact([]byte("{ \"n\": 9007199254740993,\n \"f\": 1.00, \"e\": 1E400, \"s\": \"<&>\\u00e9\" }"))
	p.Object(map[string]string{"s": "<&>"})
	want := "{\"n\":9007199254740993,\"f\":1.00,\"e\":1E400,\"s\":\"<&>\\u00e9\"}\n{\"s\":\"<&>\"}\n"
	if out.String() != want || p.Err() != nil {
		t.Errorf("%s %v, want %s", &out, p.Err(), want)
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestErrorsAreKept writes to a full disk: the first error is returned at the end.
func TestErrorsAreKept(t *testing.T) {
	t.Parallel()
	p := output.New(full{}, false)
	p.Linef("text")
	p.Object(1)
	p.Compact([]byte("1"))
	if err := output.NewTable(p, columns).Flush(); !errors.Is(err, errFull) || !errors.Is(p.Err(), errFull) {
		t.Errorf("%v, %v", err, p.Err())
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("Chatham", 12*3600+45*60)
	if got := output.Time(time.Date(2026, 2, 1, 1, 15, 0, 0, zone)); got != "2026-01-31 12:30:00Z" {
		t.Error(got)
	}
	if got := output.Time(time.Time{}) + output.TimePtr(nil); got != "" {
		t.Error(got)
	}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		0: "0s ago", 45 * time.Second: "45s ago", 200 * time.Second: "3m20s ago", 3 * time.Hour: "3h ago", 50*time.Hour + time.Minute: "2d2h ago",
		-90 * time.Second: "in 1m30s", -24 * time.Hour: "in 1d",
	} {
		t.Run(want, func(t *testing.T) {
			if got := output.Ago(now.Add(-ago), now); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
	if got := output.Duration(-time.Minute); !strings.HasPrefix(got, "-") {
		t.Error(got)
	}
}
