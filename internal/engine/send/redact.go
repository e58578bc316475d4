package send

import (
	"bytes"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// minSecret is the length of the shortest credential that is redacted in a response. Shorter ones occur by chance.
const minSecret = 6

// redactor holds the credentials of a request. People try their endpoints with receivers that echo what they got, so
// credentials are removed from responses before those are stored.
type redactor []string

// redactorOf returns a redactor of the values of headers. A value with a scheme ("Bearer …") is redacted without it too. The longest
// comes first, because it may contain another one.
func redactorOf(credentials []bellwire.Header) redactor {
	var secrets redactor
	for _, c := range credentials {
		_, bare, _ := strings.Cut(c.Value, " ")
		for _, text := range []string{c.Value, bare} {
			if len(text) >= minSecret {
				secrets = append(secrets, text)
			}
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}

// redactCut is redact for the first part of a response. If it ends within a secret, it is cut before that.
func (r redactor) redactCut(response []byte) []byte {
	response = r.redact(response)
	for _, text := range r {
		if n := bellwire.BeginsAtEnd(response, text); n > 0 {
			return response[:len(response)-n]
		}
	}
	return response
}

// redact returns the response without the secrets. It copies what it changes.
func (r redactor) redact(response []byte) []byte {
	for _, text := range r {
		if secret := []byte(text); bytes.Contains(response, secret) {
			response = bytes.ReplaceAll(response, secret, []byte(bellwire.Redacted))
		}
	}
	return response
}

// redactText is redact for text.
func (r redactor) redactText(response string) string {
	for _, text := range r {
		response = strings.ReplaceAll(response, text, bellwire.Redacted)
	}
	return response
}
