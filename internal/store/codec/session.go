package codec

import (
	"encoding/json"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Session holds the text columns of a session that stand for something else.
type Session struct {
	Capabilities int64
	Origins      string // separated by spaces
	Theme        string // JSON
}

// EncodeSession encodes these columns.
func EncodeSession(s *bellwire.Session) (Session, error) {
	theme, err := JSON(s.Theme)
	return Session{Capabilities: int64(s.Capabilities), Origins: strings.Join(s.Origins, " "), Theme: theme}, err
}

// DecodeSession sets what EncodeSession has encoded.
func DecodeSession(s *bellwire.Session, c Session) error {
	s.Capabilities, s.Origins = bellwire.Capabilities(c.Capabilities), strings.Fields(c.Origins)
	return json.Unmarshal([]byte(c.Theme), &s.Theme)
}
