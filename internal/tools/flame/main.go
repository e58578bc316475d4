// Command flame draws a flame graph. It reads what "go tool pprof -traces -unit ms" prints from standard input and
// writes an SVG without scripts to standard output, so that the picture can stand in a page of text.
package main

import (
	"bufio"
	"cmp"
	"fmt"
	"html"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Sizes in pixels. What would be narrower than narrowest is left out.
const (
	width     = 1600
	row       = 18
	head      = 30
	character = 6.7 // of the font
	narrowest = 3
)

// colours are chosen by whose code it is: the first whose prefix fits.
var colours = []struct{ prefix, colour, name string }{
	{"github.com/bellwire/", "#8fd18b", "Bellwire"},
	{"modernc.org/", "#f2b26b", "SQLite"},
	{"zombiezen.com/", "#f2b26b", ""},
	{"net", "#8db8e8", "HTTP and network"},
	{"internal/poll", "#8db8e8", ""},
	{"runtime", "#cfcfcf", "Go's runtime"},
	{"internal/runtime", "#cfcfcf", ""},
	{"", "#e3d98a", "other"},
}

// frame is a function as it was called from the frames below it.
type frame struct {
	name   string
	time   float64 // milliseconds, with all it called
	called map[string]*frame
}

func (f *frame) call(name string) *frame {
	if f.called[name] == nil {
		f.called[name] = &frame{name: name, called: make(map[string]*frame)}
	}
	return f.called[name]
}

// depth is how many frames stand on each other and are wide enough to be drawn.
func (f *frame) depth(scale float64) int {
	deepest := 0
	for _, c := range f.called {
		if c.time*scale >= narrowest {
			deepest = max(deepest, c.depth(scale))
		}
	}
	return deepest + 1
}

func main() {
	all, err := read(os.Stdin)
	if err == nil {
		err = draw(os.Stdout, all)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "flame:", err)
		os.Exit(1)
	}
}

// read reads traces: after each line of dashes the time and the innermost function, then its callers.
func read(r io.Reader) (*frame, error) {
	all := &frame{name: "all", called: make(map[string]*frame)}
	var stack []string
	time := 0.0
	add := func() {
		f := all
		f.time += time
		for _, name := range slices.Backward(stack) {
			f = f.call(name)
			f.time += time
		}
		stack, time = nil, 0
	}
	lines := bufio.NewScanner(r)
	for began := false; lines.Scan(); {
		line := strings.TrimSuffix(strings.TrimSpace(lines.Text()), " (inline)")
		switch first, rest, _ := strings.Cut(line, " "); {
		case strings.HasPrefix(line, "------"):
			add()
			began = true
		case !began || line == "":
		case len(stack) == 0:
			milliseconds, err := strconv.ParseFloat(strings.TrimSuffix(first, "ms"), 64)
			if err != nil {
				return nil, fmt.Errorf("%q is not a time and a function", line)
			}
			time, stack = milliseconds, append(stack, strings.TrimSpace(rest))
		default:
			stack = append(stack, line)
		}
	}
	add()
	if all.time == 0 {
		return nil, fmt.Errorf("there are no traces")
	}
	return all, lines.Err()
}

func draw(w io.Writer, all *frame) error {
	scale := width / all.time
	height := head + row*all.depth(scale)
	p := &picture{Writer: bufio.NewWriter(w), scale: scale, total: all.time, height: height}
	fmt.Fprintf(p, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="monospace" font-size="11">`+"\n", width, height)
	fmt.Fprintf(p, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	x := 4
	for _, c := range colours {
		if c.name != "" {
			fmt.Fprintf(p, `<rect x="%d" y="8" width="12" height="12" fill="%s"/><text x="%d" y="18">%s</text>`+"\n", x, c.colour, x+16, c.name)
			x += 36 + len(c.name)*7
		}
	}
	p.frame(all, 0, 0)
	fmt.Fprintln(p, "</svg>")
	return p.Flush()
}

type picture struct {
	*bufio.Writer
	scale, total float64
	height       int
}

// frame draws a frame, and on top of it what it called, the widest first.
func (p *picture) frame(f *frame, x float64, level int) {
	wide, y := f.time*p.scale, p.height-row*(level+1)
	name := html.EscapeString(f.name)
	fmt.Fprintf(p, `<g><title>%s, %.1f %%</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" stroke="#fff" stroke-width=".5"/>`,
		name, 100*f.time/p.total, x, y, wide, row-1, colour(f.name))
	if room := int((wide - 4) / character); room >= 3 {
		fmt.Fprintf(p, `<text x="%.1f" y="%d">%s</text>`, x+2, y+row-6, html.EscapeString(shortened(f.name, room)))
	}
	fmt.Fprintln(p, "</g>")
	called := slices.SortedFunc(maps.Values(f.called), func(a, b *frame) int {
		return cmp.Or(cmp.Compare(b.time, a.time), strings.Compare(a.name, b.name))
	})
	for _, c := range called {
		if c.time*p.scale >= narrowest {
			p.frame(c, x, level+1)
		}
		x += c.time * p.scale
	}
}

func colour(name string) string {
	at := slices.IndexFunc(colours, func(c struct{ prefix, colour, name string }) bool { return strings.HasPrefix(name, c.prefix) })
	return colours[at].colour
}

// shortened leaves out the path of a function's package, and what finds no room.
func shortened(name string, room int) string {
	path, _, _ := strings.Cut(name, "(")
	name = name[strings.LastIndexByte(path, '/')+1:]
	if runes := []rune(name); len(runes) > room {
		return string(runes[:room-1]) + "…"
	}
	return name
}
