package declared

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/bellwire/bellwire/internal/suggest"
)

// Fault is something wrong with a file.
type Fault struct {
	File    string
	Line    int // 0: the whole file
	Message string
}

// String returns the fault in one line, which cannot control a terminal.
func (f *Fault) String() string {
	if f.Line == 0 {
		return visible(f.File + ": " + f.Message)
	}
	return visible(f.File + ":" + strconv.Itoa(f.Line) + ": " + f.Message)
}

// visible returns a text whose characters that cannot be printed are escapes.
func visible(text string) string {
	var line strings.Builder
	for _, c := range text {
		if unicode.IsPrint(c) {
			line.WriteRune(c)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(c)
		line.WriteString(quoted[1 : len(quoted)-1])
	}
	return line.String()
}

// Faults is the error of files with faults: one fault a line.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}

// asError returns nil if there are no faults, and otherwise the faults in the order of the files.
func (f Faults) asError() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line) })
	return f
}

// reader reads the nodes of a YAML file and collects its faults.
type reader struct {
	file   string
	faults Faults
}

// fault records a fault at a node.
func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	r.faultAt(n.Line, format, args...)
}

func (r *reader) faultAt(line int, format string, args ...any) {
	r.faults = append(r.faults, Fault{File: r.file, Line: line, Message: fmt.Sprintf(format, args...)})
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// document returns the mapping of a file, nil after a fault.
func (r *reader) document(text []byte) *yaml.Node {
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		line, problem := 0, strings.TrimPrefix(err.Error(), "yaml: ")
		if at := yamlLine.FindStringSubmatch(problem); at != nil {
			line, _ = strconv.Atoi(at[1]) // digits only
			problem = problem[len(at[0]):]
		}
		r.faultAt(line, "not YAML: %.200s", problem)
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		r.faultAt(second.Line, "must be one YAML document: remove what follows the line ---")
		return nil
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		r.faultAt(0, "must be a YAML mapping that begins with dialect: NAME")
		return nil
	}
	return document.Content[0]
}

// mapping returns the values of a mapping by key. Keys that are not known are faults, as are keys that are given twice. path is
// where the mapping is, such as "secret.", and empty for the file.
func (r *reader) mapping(n *yaml.Node, path string, known ...string) map[string]*yaml.Node {
	values := make(map[string]*yaml.Node)
	for key, value := range r.pairs(n, strings.TrimSuffix(path, ".")) {
		if !slices.Contains(known, key.Value) {
			r.fault(key, "%s%.64s is not a known key%s", path, key.Value, suggest.DidYouMean(key.Value, known))
			continue
		}
		values[key.Value] = value
	}
	return values
}

// pairs iterates over the keys and values of a mapping in the order of the file.
func (r *reader) pairs(n *yaml.Node, what string) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			r.fault(n, "%s must be a mapping", what)
			return
		}
		lines := make(map[string]int)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			first, twice := lines[key.Value]
			switch {
			case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge":
				r.fault(key, "%s must have keys that are names", cmp.Or(what, "the file"))
				continue
			case twice:
				r.fault(key, "%.64s is given twice, first in line %d", key.Value, first)
				continue
			}
			lines[key.Value] = key.Line
			if !yield(key, value) {
				return
			}
		}
	}
}

// list returns the elements of a sequence, or the node alone if it is a scalar.
func (r *reader) list(n *yaml.Node, what string, most int) []*yaml.Node {
	switch {
	case n.Kind == yaml.ScalarNode:
		return []*yaml.Node{n}
	case n.Kind != yaml.SequenceNode:
		r.fault(n, "%s must be a list", what)
		return nil
	case len(n.Content) > most:
		r.fault(n, "%s must have at most %d entries", what, most)
		return nil
	}
	return n.Content
}

// text returns the text of a scalar, and false after a fault or without a node.
func (r *reader) text(n *yaml.Node, what string, most int) (string, bool) {
	switch {
	case n == nil:
		return "", false
	case n.Kind == yaml.AliasNode:
		r.fault(n, "%s must not be an alias; write the value again", what)
	case n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null":
		r.fault(n, "%s must be a text", what)
	case len(n.Value) > most:
		r.fault(n, "%s must have at most %d bytes", what, most)
	default:
		return n.Value, true
	}
	return "", false
}

// choice returns one of some texts, and false after a fault or without a node.
func (r *reader) choice(n *yaml.Node, what string, choices ...string) (string, bool) {
	text, ok := r.text(n, what, maxName)
	if ok && !slices.Contains(choices, text) {
		r.fault(n, "%s must be %s%s", what, oneOf(choices), suggest.DidYouMean(text, choices))
		return "", false
	}
	return text, ok
}

func oneOf(choices []string) string {
	if len(choices) == 1 {
		return choices[0]
	}
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// number returns a whole number within bounds, or the given one after a fault or without a node.
func (r *reader) number(n *yaml.Node, what string, least, most, otherwise int) int {
	text, ok := r.text(n, what, maxName)
	if !ok {
		return otherwise
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < least || number > most {
		r.fault(n, "%s must be a whole number between %d and %d", what, least, most)
		return otherwise
	}
	return number
}

// template returns a compiled template, and false after a fault or without a node.
func (r *reader) template(n *yaml.Node, what string, p place, most int) (template, bool) {
	text, ok := r.text(n, what, most)
	if !ok {
		return nil, false
	}
	compiled, faults := compile(text, p)
	for _, fault := range faults {
		r.fault(n, "%s %s", what, fault)
	}
	return compiled, len(faults) == 0
}
