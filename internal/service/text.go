package service

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// checkText refuses a text that is too long or that not every database can store.
func checkText(field, text string, limit int) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return bellwire.Invalid(field, "must be UTF-8 text without the NUL character")
	}
	return bellwire.CheckText(field, text, limit)
}

// checkLine is checkText without control characters, each of which takes six bytes in every response that shows it.
func checkLine(field, text string, limit int) error {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return bellwire.Invalid(field, "must not contain control characters or line breaks")
	}
	return checkText(field, text, limit)
}

// checkLines is checkLine for texts of several lines.
func checkLines(field, text string, limit int) error {
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n\r", r) }) {
		return bellwire.Invalid(field, "must not contain control characters other than tabs and line breaks")
	}
	return checkText(field, text, limit)
}

func checkMetadata(field string, m map[string]string) error {
	for k, v := range m {
		if err := checkLine(field, k, bellwire.MaxMetadataLength); err != nil {
			return err
		}
		if err := checkLines(field, v, bellwire.MaxMetadataLength); err != nil {
			return err
		}
	}
	return inField(field, bellwire.CheckMetadata(m))
}
