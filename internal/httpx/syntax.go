package httpx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// maxNesting is how many levels of arrays and objects the JSON decoder accepts.
const maxNesting = 10_000

// SyntaxFault is where a text is not JSON, and why.
type SyntaxFault struct {
	Line, Column int // counted from 1; columns are characters
	Problem      string
}

// ExplainSyntax describes an error of the JSON decoder in text for people who wrote the text.
func ExplainSyntax(text []byte, err *jsontext.SyntacticError) SyntaxFault {
	at := min(int(err.ByteOffset), len(text))
	before := text[:at]
	lastLine := before[bytes.LastIndexByte(before, '\n')+1:]
	return SyntaxFault{
		Line: bytes.Count(before, []byte("\n")) + 1, Column: utf8.RuneCount(lastLine) + 1,
		Problem: syntaxProblem(text[at:], err),
	}
}

func syntaxProblem(rest []byte, err *jsontext.SyntacticError) string {
	first, size := utf8.DecodeRune(rest)
	switch {
	case size == 0 || errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected end"
	case first == utf8.RuneError && size == 1:
		return "a byte that is not UTF-8"
	case strings.Count(string(err.JSONPointer), "/") >= maxNesting-1:
		return fmt.Sprintf("more than %s levels of arrays and objects", bellwire.Number(maxNesting))
	case first == '\\':
		return "invalid escape sequence"
	case first < ' ':
		return fmt.Sprintf("unexpected control character U+%04X", first)
	}
	return fmt.Sprintf("unexpected '%c'", first)
}

// Broken turns a syntax error in a JSON body into a *bellwire.Error.
func Broken(body []byte, err *jsontext.SyntacticError) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return unfit(Field(err.JSONPointer), ErrDuplicate, "is given twice")
	}
	if len(body) == 0 {
		return bellwire.Errorf(bellwire.CodeMalformed, "the body is empty; it must be JSON")
	}
	fault := ExplainSyntax(body, err)
	return bellwire.Wrap(bellwire.CodeMalformed, err, "the body is not JSON: %s in line %d, column %d", fault.Problem, fault.Line, fault.Column)
}
