// Package suggest finds the name that a mistyped one probably stands for.
package suggest

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// maxLength is the longest name, in bytes, that is compared with others: the time that takes grows with the square of it.
const maxLength = 128

// Nearest returns the known name that differs the least from the given one, or nothing if none is similar: if more than a
// third of the characters would have to change.
func Nearest(name string, known []string) string {
	if len(name) > maxLength || !utf8.ValidString(name) {
		return ""
	}
	lower := strings.ToLower(name)
	nearest, least := "", len(lower)/3+1
	for _, candidate := range known {
		if apart(len(lower), len(candidate)) >= least {
			continue
		}
		if distance := levenshtein.ComputeDistance(lower, strings.ToLower(candidate)); distance < least {
			nearest, least = candidate, distance
		}
	}
	return nearest
}

func apart(a, b int) int { return max(a-b, b-a) }

// DidYouMean returns the end of a message about an unknown name: ` (did you mean "data"?)`, or nothing if no known name is
// similar.
func DidYouMean(name string, known []string) string {
	nearest := Nearest(name, known)
	if nearest == "" {
		return ""
	}
	return " (did you mean " + strconv.Quote(nearest) + "?)"
}
