package engine

import (
	"bytes"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// minEcho is the fewest bytes of a credential that are looked for in a response: fewer stand there by chance.
const minEcho = 6

// echoes are the texts that a receiver may repeat of the credentials that it was sent, and that are not stored: people try
// their endpoints out with receivers that answer with what they got. A value with a scheme ("Bearer …") counts without it too.
type echoes []string

func echoesOf(credentials []bellwire.Header) echoes {
	var found echoes
	for _, c := range credentials {
		_, bare, _ := strings.Cut(c.Value, " ")
		for _, text := range []string{c.Value, bare} {
			if len(text) >= minEcho {
				found = append(found, text)
			}
		}
	}
	return found
}

// redact returns the bytes without the echoes. It copies what it changes.
func (e echoes) redact(response []byte) []byte {
	for _, text := range e {
		if secret := []byte(text); bytes.Contains(response, secret) {
			response = bytes.ReplaceAll(response, secret, []byte(bellwire.Redacted))
		}
	}
	return response
}

// redactText is redact for text.
func (e echoes) redactText(response string) string {
	for _, text := range e {
		response = strings.ReplaceAll(response, text, bellwire.Redacted)
	}
	return response
}
