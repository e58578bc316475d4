package bellwire

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaskURL returns an endpoint's URL for readers who must not see secrets. It redacts what is a secret in many systems: the values
// of the query, and the segments of the path that look like a token. hidden are the redacted texts.
func MaskURL(text string) (masked string, hidden []string) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return Redacted, []string{text}
	}
	hide := func(secret string) string {
		hidden = append(hidden, secret)
		return Redacted
	}
	rest, query, asked := strings.Cut(rest, "?")
	authority, path, rooted := strings.Cut(rest, "/")
	masked = scheme + "://" + authority
	if rooted {
		masked += "/" + mapEach(path, "/", func(segment string) string {
			if strings.Contains(segment, "=") || looksLikeToken(segment) {
				return hide(segment)
			}
			return segment
		})
	}
	if asked {
		masked += "?" + mapEach(query, "&", func(parameter string) string {
			name, value, given := strings.Cut(parameter, "=")
			if looksLikeToken(name) {
				name = hide(name)
			}
			if value != "" {
				value = hide(value)
			}
			if given {
				return name + "=" + value
			}
			return name
		})
	}
	return masked, hidden
}

func mapEach(text, separator string, f func(string) string) string {
	parts := strings.Split(text, separator)
	for i := range parts {
		parts[i] = f(parts[i])
	}
	return strings.Join(parts, separator)
}

// Bounds on the words that people choose for a path. Lengths are in characters.
const (
	minToken      = 8  // letters and digits; shorter texts are not tokens
	maxWord       = 20 // letters
	maxNumber     = 10 // digits on their own, such as a customer's number
	maxSuffix     = 4  // digits behind a word, such as a year
	maxConsonants = 5  // in a row

	// Random text changes often between upper case, lower case and digits, so its words are short.
	minWord     = 3            // average length in a run of minToken or more
	longToken   = 2 * minToken // from which the average must be minWordLong
	minWordLong = 4
)

var (
	runs       = regexp.MustCompile(`[\pL\p{M}\p{Nd}]+`)
	words      = regexp.MustCompile(`[\p{Lu}\p{Lt}]*[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|[\p{Lu}\p{Lt}]+|\p{Nd}+`) // the parts of camelCase, and numbers: all of a run
	consonants = regexp.MustCompile(`(?i)[b-df-hj-np-tv-xz]+`)
)

// looksLikeToken reports whether a part of a URL is more like a token than like words and small numbers.
func looksLikeToken(part string) bool {
	text, err := url.PathUnescape(part)
	if err != nil {
		return true
	}
	all := runs.FindAllString(text, -1)
	if utf8.RuneCountInString(strings.Join(all, "")) < minToken {
		return false
	}
	turns := 0 // from a digit to a letter
	for _, run := range all {
		found := words.FindAllString(run, -1)
		if isRandom(run, found) {
			return true
		}
		for i, word := range found[1:] {
			if isNumber(found[i]) && !isNumber(word) {
				turns++
			}
		}
	}
	return turns > 1
}

// isRandom reports whether a run of letters and digits, or one of the words found in it, is not one that people choose.
func isRandom(run string, found []string) bool {
	for i, word := range found {
		if utf8.RuneCountInString(word) > longest(word, i == 0) || hasClutter(word) {
			return true
		}
	}
	length := utf8.RuneCountInString(run)
	return length >= minToken && length < minWord*len(found) || length >= longToken && length < minWordLong*len(found)
}

// longest returns the most characters that a word, or a number at the start of a run or behind a word, has.
func longest(word string, first bool) int {
	switch {
	case !isNumber(word):
		return maxWord
	case first:
		return maxNumber
	}
	return maxSuffix
}

// hasClutter reports whether too many consonants follow each other.
func hasClutter(word string) bool {
	return slices.ContainsFunc(consonants.FindAllString(word, -1), func(s string) bool { return len(s) > maxConsonants })
}

func isNumber(word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	return unicode.IsDigit(first)
}

// HideIn redacts secrets of a URL in a text that may repeat them.
func HideIn(text string, hidden []string) string {
	if len(hidden) > 1 { // of two that begin alike, the longer one first
		hidden = slices.Clone(hidden)
		slices.SortFunc(hidden, func(a, b string) int { return len(b) - len(a) })
	}
	for _, secret := range hidden {
		if len(secret) >= minToken { // a shorter text may be there by chance
			text = strings.ReplaceAll(text, secret, Redacted)
		}
	}
	return text
}

// HideInCut is HideIn for a text that was cut, maybe within a secret.
func HideInCut(text string, hidden []string) string {
	text = HideIn(text, hidden)
	for _, secret := range hidden {
		if n := BeginsAtEnd(text, secret); n >= minToken {
			return text[:len(text)-n] + Redacted
		}
	}
	return text
}

// BeginsAtEnd returns how many bytes at the end of a text are the beginning of a secret, which the text does not contain whole.
func BeginsAtEnd[T ~string | ~[]byte](text T, secret string) int {
	for n := min(len(secret)-1, len(text)); n > 0; n-- {
		if string(text[len(text)-n:]) == secret[:n] {
			return n
		}
	}
	return 0
}
