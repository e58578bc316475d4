package sign

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendPython appends what Python's json.dumps(json.loads(data)) returns for data, which must be valid JSON: ", " and
// ": " as separators, ASCII only, numbers as Python prints them, and of fields of the same name the last value at the
// place of the first. Numbers too large for a float become Infinity, as they do in Python, and the text is not JSON then.
func AppendPython(dst, data []byte) []byte { return appendPython(dst, data, false) }

// AppendPythonJSON is AppendPython, except that numbers stay as they are if Python would make others of them: those with
// more digits than a float has, or out of its range. So the text is JSON and means what data means.
func AppendPythonJSON(dst, data []byte) []byte { return appendPython(dst, data, true) }

func appendPython(dst, data []byte, keep bool) []byte {
	w := pythonWriters.Get().(*pythonWriter)
	defer pythonWriters.Put(w)
	w.src, w.dst, w.keep = data, dst, keep
	w.value()
	text, twice := w.dst, w.twice
	*w = pythonWriter{names: w.names}
	if cap(w.names) > maxKeptNames {
		w.names = nil
	}
	if twice { // dst has both fields; only a tree can merge them
		t := pythonWriter{src: data, keep: keep}
		return t.tree().append(dst)
	}
	return text
}

// pythonWriters pools writers, to reuse their names.
var pythonWriters = sync.Pool{New: func() any { return new(pythonWriter) }}

// maxKeptNames bounds the capacity for names of a pooled writer.
const maxKeptNames = 4096

// pythonWriter converts JSON in one pass.
type pythonWriter struct {
	src   []byte
	at    int // in src
	dst   []byte
	keep  bool   // keep numbers that Python would change
	names []span // names of the open objects, as places in dst
	twice bool   // some object has two fields of the same name
}

type span struct{ from, to int }

// fewNames is the number of names up to which an object's names are compared one by one.
const fewNames = 16

func (w *pythonWriter) value() {
	w.space()
	switch w.src[w.at] {
	case '{':
		w.object()
	case '[':
		w.array()
	default:
		w.scalar()
	}
}

func (w *pythonWriter) object() {
	first := len(w.names)
	var many map[string]struct{} // the names, once there are more than fewNames
	for sep := "{"; w.more('}'); sep = ", " {
		w.dst = append(w.dst, sep...)
		name := span{from: len(w.dst)}
		w.string()
		name.to = len(w.dst)
		many = w.remember(first, name, many)
		w.space()
		w.at++ // the colon
		w.dst = append(w.dst, ": "...)
		w.value()
	}
	w.close(len(w.names) == first, '{', '}')
	w.names = w.names[:first]
}

// remember adds a name to those of the innermost object, which begin at w.names[first], and sets w.twice if the object has it
// already.
func (w *pythonWriter) remember(first int, name span, many map[string]struct{}) map[string]struct{} {
	open, text := w.names[first:], w.dst[name.from:name.to]
	w.names = append(w.names, name)
	if len(open) < fewNames {
		for _, n := range open {
			w.twice = w.twice || bytes.Equal(w.dst[n.from:n.to], text)
		}
		return nil
	}
	if many == nil {
		many = make(map[string]struct{}, 2*fewNames)
		for _, n := range open {
			many[string(w.dst[n.from:n.to])] = struct{}{}
		}
	}
	if _, there := many[string(text)]; there {
		w.twice = true
	}
	many[string(text)] = struct{}{}
	return many
}

func (w *pythonWriter) array() {
	empty := true
	for sep := "["; w.more(']'); sep = ", " {
		w.dst = append(w.dst, sep...)
		w.value()
		empty = false
	}
	w.close(empty, '[', ']')
}

// close appends the end of an object or array. If it is empty, its beginning has not been appended yet.
func (w *pythonWriter) close(empty bool, begin, end byte) {
	if empty {
		w.dst = append(w.dst, begin)
	}
	w.dst = append(w.dst, end)
}

// more skips the opening bracket or the comma, and reports whether a field or an item follows. If not, it skips the end.
func (w *pythonWriter) more(end byte) bool {
	w.space()
	w.at++ // '{', '[', ',' or the end
	if w.src[w.at-1] == end {
		return false
	}
	w.space()
	if w.src[w.at] == end { // empty
		w.at++
		return false
	}
	return true
}

func (w *pythonWriter) space() {
	for w.at < len(w.src) && (w.src[w.at] == ' ' || w.src[w.at] == '\t' || w.src[w.at] == '\n' || w.src[w.at] == '\r') {
		w.at++
	}
}

func (w *pythonWriter) scalar() {
	switch w.src[w.at] {
	case '"':
		w.string()
	case 't', 'n':
		w.copy(len("true")) // or null, which is as long
	case 'f':
		w.copy(len("false"))
	default:
		w.number()
	}
}

func (w *pythonWriter) copy(n int) {
	w.dst = append(w.dst, w.src[w.at:w.at+n]...)
	w.at += n
}

// plain are the characters that are not escaped, in JSON and in Python's output.
var plain = func() (t [256]bool) {
	for c := ' '; c <= '~'; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// plainRun returns the number of plain characters at the start of text, which must also have one that is not plain. Most
// strings are all plain, so that it first tests eight characters at a time.
func plainRun(text []byte) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(text)-n >= 8; n += 8 {
		x := binary.LittleEndian.Uint64(text[n:])
		control, del := x-each*' ', x+each // in these and the next two, the high bit of a byte is set if the character is not plain
		quote, backslash := (x^each*'"')-each, (x^each*'\\')-each
		if (x|control|del|quote|backslash)&high != 0 {
			break
		}
	}
	for plain[text[n]] {
		n++
	}
	return n
}

func (w *pythonWriter) string() {
	w.space()
	w.dst = append(w.dst, '"')
	w.at++
	for {
		w.copy(plainRun(w.src[w.at:]))
		switch c := w.src[w.at]; {
		case c == '"':
			w.dst = append(w.dst, '"')
			w.at++
			return
		case c == '\\':
			w.escape()
		default:
			r, size := utf8.DecodeRune(w.src[w.at:])
			w.dst = appendPythonRune(w.dst, r)
			w.at += size
		}
	}
}

// escape converts one escape. A surrogate is kept as it is, whether it is one of a pair or alone, as in Python.
func (w *pythonWriter) escape() {
	switch c := w.src[w.at+1]; c {
	case 'u':
		n, _ := strconv.ParseUint(string(w.src[w.at+2:w.at+6]), 16, 16) // four hex digits, in valid JSON
		w.dst = appendPythonUnit(w.dst, uint16(n))
		w.at += 6
	case '/':
		w.dst = append(w.dst, '/')
		w.at += 2
	default:
		w.copy(2)
	}
}

func appendPythonRune(dst []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return appendPythonUnit(appendPythonUnit(dst, uint16(high)), uint16(low))
	}
	return appendPythonUnit(dst, uint16(r))
}

// appendPythonUnit appends one UTF-16 code unit in the form of json.encoder.ESCAPE_DCT.
func appendPythonUnit(dst []byte, c uint16) []byte {
	switch {
	case c < 0x80 && plain[c]:
		return append(dst, byte(c))
	case c == '"' || c == '\\':
		return append(dst, '\\', byte(c))
	case c == '\b':
		return append(dst, `\b`...)
	case c == '\f':
		return append(dst, `\f`...)
	case c == '\n':
		return append(dst, `\n`...)
	case c == '\r':
		return append(dst, `\r`...)
	case c == '\t':
		return append(dst, `\t`...)
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[c>>12], digits[c>>8&15], digits[c>>4&15], digits[c&15])
}

func (w *pythonWriter) number() {
	end, float := w.at, false
scan:
	for ; end < len(w.src); end++ {
		switch c := w.src[end]; {
		case c == '.' || c == 'e' || c == 'E':
			float = true
		case c != '+' && c != '-' && (c < '0' || c > '9'):
			break scan
		}
	}
	token := w.src[w.at:end]
	w.at = end
	switch {
	case float:
		w.float(token)
	case string(token) == "-0": // an int has no negative zero
		w.dst = append(w.dst, '0')
	default:
		w.dst = append(w.dst, token...)
	}
}

func (w *pythonWriter) float(token []byte) {
	f, _ := strconv.ParseFloat(string(token), 64) // out of range: infinite, as in Python
	start := len(w.dst)
	w.dst = appendPythonFloat(w.dst, f)
	if w.keep && !sameNumber(token, w.dst[start:]) {
		w.dst = append(w.dst[:start], token...)
	}
}

// appendPythonFloat appends a float as Python's repr writes it: the shortest digits that parse to the same float, with an
// exponent below 1e-4 and from 1e16 on.
func appendPythonFloat(dst []byte, f float64) []byte {
	size := math.Abs(f)
	switch {
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case size != 0 && (size < 1e-4 || size >= 1e16):
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	case f == math.Trunc(f):
		return strconv.AppendFloat(dst, f, 'f', 1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// sameNumber reports whether two numbers are equal, without rounding.
func sameNumber(a, b []byte) bool {
	var roomA, roomB [32]byte
	digitsA, pointA, okA := decimal(roomA[:0], a)
	digitsB, pointB, okB := decimal(roomB[:0], b)
	if len(digitsA) == 0 || len(digitsB) == 0 { // zero, and Infinity, which is not ok
		return okB && len(digitsA) == len(digitsB)
	}
	return okA && okB && pointA == pointB && bytes.Equal(digitsA, digitsB)
}

// decimal returns the digits of a number without zeros at either end, and the exponent for which the number is 0.digits times
// 10 to the power of point. ok is false if the exponent does not fit an int, or if the text is not a number.
func decimal(digits, number []byte) (_ []byte, point int, ok bool) {
	mantissa, exponent, ok := number, 0, true
	if e := bytes.IndexAny(number, "eE"); e >= 0 {
		n, err := strconv.Atoi(string(number[e+1:]))
		mantissa, exponent, ok = number[:e], n, err == nil
	}
	fraction := false
	for _, c := range mantissa {
		switch {
		case c == '.':
			fraction = true
		case c == '-':
		case c < '0' || c > '9':
			return nil, 0, false
		case c == '0' && len(digits) == 0:
			if fraction {
				point--
			}
		default:
			digits = append(digits, c)
			if !fraction {
				point++
			}
		}
	}
	return bytes.TrimRight(digits, "0"), point + exponent, ok
}

// pythonNode is a JSON value. It serves only values that have two fields of the same name.
type pythonNode struct {
	text     []byte // scalar, in Python's form
	names    [][]byte
	children []*pythonNode
	brackets string // "{}", "[]", or empty for a scalar
}

// tree parses a value. Fields of the same name become one, with the last value at the place of the first, as in a Python
// dict.
func (w *pythonWriter) tree() *pythonNode {
	w.space()
	switch w.src[w.at] {
	case '{':
		n, places := &pythonNode{brackets: "{}"}, make(map[string]int)
		for w.more('}') {
			w.dst = nil
			w.string()
			name := w.dst
			w.space()
			w.at++ // the colon
			child := w.tree()
			if i, there := places[string(name)]; there {
				n.children[i] = child
				continue
			}
			places[string(name)] = len(n.names)
			n.names, n.children = append(n.names, name), append(n.children, child)
		}
		return n
	case '[':
		n := &pythonNode{brackets: "[]"}
		for w.more(']') {
			n.children = append(n.children, w.tree())
		}
		return n
	}
	w.dst = nil
	w.scalar()
	return &pythonNode{text: w.dst}
}

func (n *pythonNode) append(dst []byte) []byte {
	if n.brackets == "" {
		return append(dst, n.text...)
	}
	dst = append(dst, n.brackets[0])
	for i, child := range n.children {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if n.names != nil {
			dst = append(append(dst, n.names[i]...), ": "...)
		}
		dst = child.append(dst)
	}
	return append(dst, n.brackets[1])
}
