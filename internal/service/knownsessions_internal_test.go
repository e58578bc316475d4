package service

import (
	"encoding/binary"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// However many sessions there are, one that was read lately is remembered.
func TestSessionsReadLatelyAreRemembered(t *testing.T) {
	t.Parallel()
	var k knownSessions
	exchanged := &bellwire.Session{Token: [32]byte{1}}
	numbered := func(n int) (id bellwire.SessionID) {
		binary.BigEndian.PutUint64(id[8:], uint64(n))
		return id
	}
	for n := range 3 * maxKnownSessions {
		id, lately := numbered(2*n), numbered(2*n+1)
		k.note(id, exchanged, nil)
		k.note(lately, exchanged, nil)
		if k.exchanged(id) == nil || k.exchanged(lately) == nil {
			t.Fatalf("of %d and %d sessions, one was forgotten at once", len(k.byID), len(k.older))
		}
		if len(k.byID) > maxKnownSessions || len(k.older) > maxKnownSessions {
			t.Fatalf("%d and %d sessions are remembered", len(k.byID), len(k.older))
		}
	}
}
