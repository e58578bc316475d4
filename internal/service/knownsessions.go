package service

import (
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on what is remembered of sessions.
const (
	maxKnownSessions = 5000        // read lately; as many again are forgotten next
	sessionHolds     = time.Second // during which a session that was read is recent
)

// knownSessions remembers sessions that were read. Of these, only what never changes may be relied on, unless they are recent.
type knownSessions struct {
	mu    sync.Mutex
	byID  map[bellwire.SessionID]knownSession
	older map[bellwire.SessionID]knownSession
}

// of returns what is remembered of a session. k.mu is held.
func (k *knownSessions) of(id bellwire.SessionID) knownSession {
	if known, found := k.byID[id]; found {
		return known
	}
	return k.older[id]
}

type knownSession struct {
	*bellwire.Session
	read time.Time
}

// exchanged returns a session that has a token, which never changes; nil if none is remembered.
func (k *knownSessions) exchanged(id bellwire.SessionID) *bellwire.Session {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known := k.of(id); known.Session != nil && known.Exchanged() {
		return known.Session
	}
	return nil
}

// recent returns a session that was read a moment ago, or nil.
func (k *knownSessions) recent(id bellwire.SessionID) *bellwire.Session {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known := k.of(id); now().Sub(known.read) < sessionHolds {
		return known.Session
	}
	return nil
}

// note remembers a session that was read, and forgets one that was not found.
func (k *knownSessions) note(id bellwire.SessionID, session *bellwire.Session, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		delete(k.byID, id)
		delete(k.older, id)
		return
	case err != nil:
		return
	case k.byID == nil || len(k.byID) >= maxKnownSessions:
		k.byID, k.older = make(map[bellwire.SessionID]knownSession), k.byID
	}
	k.byID[id] = knownSession{session, now()}
}
