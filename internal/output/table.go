package output

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/rivo/uniseg"
)

// Cell is a text in a table.
type Cell struct {
	Text  string
	Color Color
}

// Column is a column of a table with a row for each T.
type Column[T any] struct {
	Title string
	Cell  func(T) Cell
}

// Text returns a column of plain text.
func Text[T any](title string, text func(T) string) Column[T] {
	return Column[T]{title, func(row T) Cell { return Cell{Text: text(row)} }}
}

// gap is the number of spaces between columns.
const gap = 2

// Table writes rows under the titles of its columns, in one or several parts. Columns are as wide as their content so far;
// where that is too wide for the screen, the last one is cut.
type Table[T any] struct {
	printer *Printer
	columns []Column[T]
	widths  []int
	rows    [][]Cell
	titled  bool
}

// NewTable returns an empty table.
func NewTable[T any](p *Printer, columns []Column[T]) *Table[T] {
	return &Table[T]{printer: p, columns: columns, widths: make([]int, len(columns))}
}

// Add adds a row.
func (t *Table[T]) Add(row T) {
	cells := make([]Cell, len(t.columns))
	for i, column := range t.columns {
		cells[i] = column.Cell(row)
		cells[i].Text = Clean(cells[i].Text)
	}
	t.rows = append(t.rows, cells)
}

// Flush writes the rows that were added since the last call. The first call writes the titles too.
func (t *Table[T]) Flush() error {
	for i, column := range t.columns {
		t.widths[i] = max(t.widths[i], width(column.Title))
		for _, row := range t.rows {
			t.widths[i] = max(t.widths[i], width(row[i].Text))
		}
	}
	if !t.titled {
		titles := make([]Cell, len(t.columns))
		for i, column := range t.columns {
			titles[i] = Cell{column.Title, Title}
		}
		t.line(titles)
		t.titled = true
	}
	for _, row := range t.rows {
		t.line(row)
	}
	t.rows = t.rows[:0]
	return t.printer.err
}

func (t *Table[T]) line(cells []Cell) {
	var b strings.Builder
	used, last := 0, len(cells)-1
	for last > 0 && cells[last].Text == "" {
		last-- // no spaces at the end of a line
	}
	for i, cell := range cells[:last+1] {
		text := cell.Text
		if i == len(t.columns)-1 && t.printer.width > 0 {
			text = cut(text, t.printer.width-used)
		}
		b.WriteString(t.printer.Paint(cell.Color, text))
		if i < last {
			b.WriteString(strings.Repeat(" ", t.widths[i]-width(text)+gap))
			used += t.widths[i] + gap
		}
	}
	t.printer.write(b.String() + "\n")
}

// minCut is the width to which the last column is cut at least, so that it still says something on a narrow screen.
const minCut = 12

// cut returns text cut to a width.
func cut(text string, to int) string {
	to = max(to, minCut)
	if width(text) <= to {
		return text
	}
	var b strings.Builder
	used := 0
	for graphemes := uniseg.NewGraphemes(text); graphemes.Next(); {
		if used += graphemes.Width(); used > to-1 {
			break
		}
		b.WriteString(graphemes.Str())
	}
	return b.String() + "…"
}

// width returns the number of columns of a terminal that text takes.
func width(text string) int { return uniseg.StringWidth(text) }

// Field is a named text.
type Field struct {
	Name string
	Cell
}

// Fields writes names and texts below each other. It leaves out fields without text.
func (p *Printer) Fields(fields ...Field) {
	widest := 0
	for _, f := range fields {
		if f.Text != "" {
			widest = max(widest, width(f.Name))
		}
	}
	for _, f := range fields {
		if f.Text == "" {
			continue
		}
		padding := strings.Repeat(" ", widest-width(f.Name)+gap)
		p.Linef("%s%s%s", p.Paint(Faint, f.Name+":"), padding, p.Paint(f.Color, Clean(f.Text)))
	}
}

// Heading writes a heading after an empty line.
func (p *Printer) Heading(text string) {
	p.Linef("\n%s", p.Paint(Title, text))
}

// Document writes a JSON value under a heading, indented. It leaves out a value that is absent or null.
func (p *Printer) Document(heading string, value []byte) {
	if len(value) == 0 || string(value) == "null" {
		return
	}
	p.Heading(heading)
	var indented bytes.Buffer
	if err := json.Indent(&indented, value, "", "  "); err != nil {
		p.Linef("%s", Clean(string(value)))
		return
	}
	for line := range strings.Lines(indented.String()) {
		p.Linef("%s", Clean(strings.TrimSuffix(line, "\n")))
	}
}
