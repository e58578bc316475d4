// Package output prints what a command found: as text and tables for people, or as JSON for programs.
package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// Printer writes the results of a command. Its methods remember the first error, which Err returns.
type Printer struct {
	out   io.Writer
	json  bool
	color bool
	width int // of the terminal; 0: lines may have any length
	err   error
}

// New returns a Printer that writes JSON if asJSON is set, and text otherwise. It uses colors and the width of the screen
// only if out is a terminal.
func New(out io.Writer, asJSON bool) *Printer {
	p := &Printer{out: out, json: asJSON}
	if width, ok := terminal(out); ok && !asJSON {
		p.width, p.color = width, wantsColor(os.Getenv)
	}
	return p
}

// NewSized returns a Printer for text of a fixed width.
func NewSized(out io.Writer, width int, color bool) *Printer {
	return &Printer{out: out, width: width, color: color}
}

// IsTerminal reports whether stream is a terminal.
func IsTerminal(stream any) bool {
	_, ok := terminal(stream)
	return ok
}

// terminal returns the width of a terminal, and reports whether stream is one.
func terminal(stream any) (int, bool) {
	file, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0, true // unknown: lines are not cut
	}
	return width, true
}

// wantsColor reports whether the environment permits colors (https://no-color.org).
func wantsColor(getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// JSON reports whether the Printer writes JSON.
func (p *Printer) JSON() bool { return p.json }

// Err returns the first error of writing.
func (p *Printer) Err() error { return p.err }

// Object writes v as one line of JSON.
func (p *Printer) Object(v any) {
	if p.err != nil {
		return
	}
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	p.err = encoder.Encode(v)
}

// Compact writes a JSON text in one line, without changing its values.
func (p *Printer) Compact(text []byte) {
	if p.err != nil {
		return
	}
	var line bytes.Buffer
	if p.err = json.Compact(&line, text); p.err == nil {
		p.write(line.String() + "\n")
	}
}

// Linef writes a line of text.
func (p *Printer) Linef(format string, args ...any) {
	p.write(fmt.Sprintf(format, args...) + "\n")
}

func (p *Printer) write(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.out, text)
	}
}

// Color is the meaning of a text that a terminal shows in a color.
type Color int

// The colors.
const (
	Plain Color = iota
	Good
	Warning
	Bad
	Faint
	Title
)

// codes are the parameters of the escape sequence for each color.
var codes = [...]string{Plain: "", Good: "32", Warning: "33", Bad: "31", Faint: "2", Title: "1"}

// Paint returns text in a color, if the Printer uses colors.
func (p *Printer) Paint(c Color, text string) string {
	if !p.color || c == Plain || text == "" {
		return text
	}
	return "\x1b[" + codes[c] + "m" + text + "\x1b[0m"
}

// Clean returns text in one line, with characters that could control a terminal written as escapes.
func Clean(text string) string {
	if strings.IndexFunc(text, unprintable) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unprintable(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
