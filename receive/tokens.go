package receive

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
)

// tokens are the values that a header may have. Hashes of equal length are compared, so that the time that it takes
// reveals nothing about a value.
type tokens [][sha256.Size]byte

// newTokens returns the tokens of the given values, which errors call by name.
func newTokens(name string, values []string) (tokens, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("at least one %s is required", name)
	}
	t := make(tokens, len(values))
	for i, value := range values {
		if value == "" {
			return nil, fmt.Errorf("%s must not be empty", name)
		}
		t[i] = sha256.Sum256([]byte(value))
	}
	return t, nil
}

// contain reports whether value is one of the tokens, in constant time.
func (t tokens) contain(value string) bool {
	hash, found := sha256.Sum256([]byte(value)), 0
	for i := range t {
		found |= subtle.ConstantTimeCompare(hash[:], t[i][:])
	}
	return found == 1
}
