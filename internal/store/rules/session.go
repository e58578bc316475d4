package rules

import (
	"crypto/subtle"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// ExchangeSession applies an exchange to the session that it names, nil if there is none.
func ExchangeSession(s *bellwire.Session, x *bellwire.Exchange) error {
	none := [32]byte{}
	switch {
	case s == nil || s.Kind != x.Kind || s.Code == none || s.Expired(x.At) ||
		subtle.ConstantTimeCompare(s.Code[:], x.Code[:]) == 0:
		return unknownCode()
	case s.Exchanged():
		return bellwire.Errorf(bellwire.CodeConflict, "the code was exchanged before")
	case !x.At.Before(s.CodeExpiresAt):
		return unknownCode()
	}
	s.Token, s.Address, s.UserAgent, s.LastUsedAt = x.Token, x.Address, x.UserAgent, x.At
	return nil
}

func unknownCode() error {
	return bellwire.Errorf(bellwire.CodeNotFound, "the code is not valid, or has expired")
}

// SizeOfSession is SizeOfEndpoint for a session.
func SizeOfSession(s *bellwire.Session) int {
	size := text(s.UserAgent)
	for _, origin := range s.Origins {
		size += text(origin)
	}
	return size
}
