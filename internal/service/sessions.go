package service

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Tokens and codes of sessions have the form of keys: a prefix, the 32 hex digits of the session's id, "_" and the unpadded base64url
// of 32 random bytes. Nothing is ever looked up by a secret.
const (
	ConsoleTokenPrefix = "bwcs_"
	PortalTokenPrefix  = "bwps_"
	codePrefix         = "bwx_"
)

func newSessionSecret(prefix string, id bellwire.SessionID) string {
	var random [secretRandom]byte
	rand.Read(random[:]) // never fails
	return prefix + hex.EncodeToString(id[:]) + "_" + base64.RawURLEncoding.EncodeToString(random[:])
}

// sessionOf returns the session that a token or code names.
func sessionOf(prefix, secret string) (id bellwire.SessionID, ok bool) {
	rest, ok := strings.CutPrefix(secret, prefix)
	end := hex.EncodedLen(len(id))
	if !ok || len(rest) != end+1+base64.RawURLEncoding.EncodedLen(secretRandom) || rest[end] != '_' {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(rest[:end]))
	return id, err == nil
}

// ErrSessionEnded is the cause of the error for a session that has ended, or never was.
var ErrSessionEnded = errors.New("the session has ended")

func errSessionEnded() error {
	err := bellwire.Wrap(bellwire.CodeUnauthenticated, ErrSessionEnded, "the session has ended, or its token is not valid")
	err.Hint = "Sign in to the console again, or open the portal again from the page that contains it."
	return err
}

// AuthenticateConsole returns the caller with the given token of a console session.
func (s *Service) AuthenticateConsole(ctx context.Context, token string) (Caller, error) {
	return s.authenticateSession(ctx, bellwire.SessionConsole, ConsoleTokenPrefix, token)
}

// AuthenticatePortal returns the caller with the given token of a portal session.
func (s *Service) AuthenticatePortal(ctx context.Context, token string) (Caller, error) {
	return s.authenticateSession(ctx, bellwire.SessionPortal, PortalTokenPrefix, token)
}

// authenticateSession reads the session each time, so that no node accepts one that another has ended. What never changes of a session
// that was read before is checked first: the token, and whose rate the request counts toward. So neither false tokens nor refused
// requests cost a read.
func (s *Service) authenticateSession(ctx context.Context, kind bellwire.SessionKind, prefix, token string) (Caller, error) {
	id, ok := sessionOf(prefix, token)
	if !ok {
		return Caller{}, errSessionEnded()
	}
	hash := sha256.Sum256([]byte(token))
	session := s.knownSessions.exchanged(id)
	known := session != nil
	if known {
		if err := s.admitToken(ctx, session, kind, hash); err != nil {
			return Caller{}, err
		}
	}
	session, err := s.session(ctx, id)
	if err != nil {
		return Caller{}, endedSession(err)
	}
	if !known {
		if err := s.admitToken(ctx, session, kind, hash); err != nil {
			return Caller{}, err
		}
	}
	if !s.sessionLives(session, now()) {
		return Caller{}, errSessionEnded()
	}
	s.sessionUses.note(id)
	return callerOfSession(session), nil
}

// admitToken checks that a token is that of a session, and counts a request of its tenant.
func (s *Service) admitToken(ctx context.Context, session *bellwire.Session, kind bellwire.SessionKind, hash [sha256.Size]byte) error {
	if session.Kind != kind || !session.Exchanged() || subtle.ConstantTimeCompare(hash[:], session.Token[:]) == 0 || session.Expired(now()) {
		return errSessionEnded()
	}
	return s.allowRequest(ctx, callerOfSession(session))
}

func callerOfSession(session *bellwire.Session) Caller {
	c := Caller{Key: session.Key, Session: session.ID, Role: session.Role, Tenant: session.Tenant, Capabilities: session.Capabilities}
	if session.Kind == bellwire.SessionPortal {
		c.Role = bellwire.RolePortal
	}
	return c
}

// session reads a session. A session's id is no secret, so ids are looked up a few at a time until a token was exchanged.
func (s *Service) session(ctx context.Context, id bellwire.SessionID) (session *bellwire.Session, err error) {
	if s.knownSessions.exchanged(id) != nil {
		session, err = s.store.Session(ctx, id)
	} else {
		err = s.sessions.FindUnproven(ctx, func() error {
			session, err = s.store.Session(ctx, id)
			return err
		})
	}
	s.knownSessions.note(id, session, err)
	return session, err
}

// endedSession replaces a "not found" error, which would reveal which sessions exist. It returns other errors unchanged.
func endedSession(err error) error {
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return errSessionEnded()
	}
	return err
}

// sessionLives reports whether a session has not ended.
func (s *Service) sessionLives(session *bellwire.Session, at time.Time) bool {
	if session.Key.IsZero() && (s.adminHash == nil || subtle.ConstantTimeCompare(session.KeyCheck, s.keyCheck(session.ID)) == 0) {
		return false
	}
	return at.Before(s.sessionEnd(session))
}

// sessionEnd returns when a session ends unless it is used until then.
func (s *Service) sessionEnd(session *bellwire.Session) time.Time {
	if session.Kind != bellwire.SessionConsole || !session.Exchanged() {
		return session.ExpiresAt
	}
	used := s.sessionUses.of(session.ID, bellwire.Later(session.CreatedAt, session.LastUsedAt))
	return bellwire.Earlier(session.ExpiresAt, used.Add(limits.ConsoleSessionIdle))
}

// keyCheck returns what tells the configured admin key from others. It is too short to find the key by it.
func (s *Service) keyCheck(id bellwire.SessionID) []byte {
	sum := sha256.Sum256(append(s.adminHash[:], id[:]...))
	return sum[:4]
}

// newSession returns a session of the caller's key, which ends with that key at the latest.
func (s *Service) newSession(ctx context.Context, c Caller, kind bellwire.SessionKind, lasts time.Duration) (*bellwire.Session, error) {
	at := now()
	session := &bellwire.Session{
		ID: bellwire.NewID[bellwire.SessionIDKind](at), Kind: kind, Key: c.Key, CreatedAt: at, ExpiresAt: at.Add(lasts),
	}
	if c.Key.IsZero() {
		session.KeyCheck = s.keyCheck(session.ID)
		return session, nil
	}
	key, err := s.directory.Key(ctx, c.Key)
	if err != nil {
		return nil, unknownKey(err)
	}
	session.ExpiresAt = bellwire.Earlier(session.ExpiresAt, key.ExpiresAt)
	return session, nil
}

// giveCode gives a session a code, which can be exchanged for the time given.
func giveCode(session *bellwire.Session, lasts time.Duration) (code string) {
	code = newSessionSecret(codePrefix, session.ID)
	session.Code = sha256.Sum256([]byte(code))
	session.CodeExpiresAt = bellwire.Earlier(session.ExpiresAt, session.CreatedAt.Add(lasts))
	return code
}

// Client describes the browser that gets a session.
type Client struct{ UserAgent string }

// userAgent returns the browser's name as it can be stored.
func (c Client) userAgent() string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, c.UserAgent)
	return clean[:min(len(clean), limits.SessionUserAgentBytes)]
}

// requireSignIn refuses callers that cannot sign in to the console. A session cannot make others, which would outlive it.
func requireSignIn(c Caller, p Permission) error {
	if err := authorize(c, p); err != nil {
		return err
	}
	if !c.Session.IsZero() {
		return bellwire.Errorf(bellwire.CodeForbidden, "a console session cannot create another one; use a key")
	}
	return nil
}

// SignIn creates a console session for an operator's key, and returns it with its token.
func (s *Service) SignIn(ctx context.Context, c Caller, by Client) (*bellwire.Session, string, error) {
	if err := requireSignIn(c, SignIn); err != nil {
		return nil, "", err
	}
	session, err := s.newSession(ctx, c, bellwire.SessionConsole, limits.ConsoleSessionTime)
	if err != nil {
		return nil, "", err
	}
	token := newSessionSecret(ConsoleTokenPrefix, session.ID)
	session.Role, session.Token = c.Role, sha256.Sum256([]byte(token))
	session.LastUsedAt, session.Address, session.UserAgent = session.CreatedAt, bellwire.CallOf(ctx).Origin.Address, by.userAgent()
	return session, token, s.createSession(ctx, c, session, nil)
}

// CreateConsoleLink creates a console session whose token a person gets in exchange for the code that is returned.
func (s *Service) CreateConsoleLink(ctx context.Context, c Caller) (*bellwire.Session, string, error) {
	if err := requireSignIn(c, Manage); err != nil {
		return nil, "", err
	}
	session, err := s.newSession(ctx, c, bellwire.SessionConsole, limits.ConsoleSessionTime)
	if err != nil {
		return nil, "", err
	}
	session.Role = c.Role
	code := giveCode(session, limits.ConsoleCodeTime)
	return session, code, s.createSession(ctx, c, session, nil)
}

// createSession stores a session.
func (s *Service) createSession(ctx context.Context, c Caller, session *bellwire.Session, fields map[string]any) error {
	action, most := bellwire.AuditConsoleCreate, limits.ConsoleSessions
	if session.Kind == bellwire.SessionPortal {
		action, most = bellwire.AuditPortalCreate, limits.PortalSessions
	}
	err := s.store.CreateSession(s.audit(ctx, c, session.Tenant, action, session.ID.String(), nil, fields), session, most)
	if err != nil {
		return err
	}
	s.changed(ctx, c, action, slog.String("tenant", session.Tenant), slog.String("session", session.ID.String()))
	return nil
}

// ExchangeConsoleCode returns a console session with its token, in exchange for its code.
func (s *Service) ExchangeConsoleCode(ctx context.Context, code string, by Client) (*bellwire.Session, string, error) {
	return s.exchange(ctx, bellwire.SessionConsole, ConsoleTokenPrefix, code, by)
}

// ExchangePortalCode returns a portal session with its token, in exchange for its code.
func (s *Service) ExchangePortalCode(ctx context.Context, code string, by Client) (*bellwire.Session, string, error) {
	return s.exchange(ctx, bellwire.SessionPortal, PortalTokenPrefix, code, by)
}

func (s *Service) exchange(ctx context.Context, kind bellwire.SessionKind, prefix, code string, by Client) (*bellwire.Session, string, error) {
	hash := sha256.Sum256([]byte(code))
	session, err := s.sessionWithCode(ctx, kind, code, hash)
	if err != nil {
		return nil, "", err
	}
	token := newSessionSecret(prefix, session.ID)
	c, action := callerOfSession(session), bellwire.AuditConsoleExchange
	if kind == bellwire.SessionPortal {
		action = bellwire.AuditPortalExchange
	}
	ctx = onBehalfOf(ctx, c)
	address := bellwire.CallOf(ctx).Origin.Address
	exchanged, err := s.store.ExchangeSession(s.audit(ctx, c, session.Tenant, action, session.ID.String(), nil, nil), &bellwire.Exchange{
		Session: session.ID, Kind: kind, Code: hash, Token: sha256.Sum256([]byte(token)),
		At: now(), Address: address, UserAgent: by.userAgent(),
	})
	if bellwire.CodeOf(err) == bellwire.CodeConflict { // another request was faster
		return nil, "", s.usedCode(ctx, session)
	}
	if err != nil {
		return nil, "", unknownCode(err)
	}
	return exchanged, token, nil
}

// sessionWithCode returns the session that a code can be exchanged for. No limit counts wrong codes: behind a proxy, those of everybody
// come from one address, and right ones must not be refused because of them. A wrong code costs at most one bounded look-up.
func (s *Service) sessionWithCode(ctx context.Context, kind bellwire.SessionKind, code string, hash [sha256.Size]byte) (*bellwire.Session, error) {
	id, ok := sessionOf(codePrefix, code)
	if !ok {
		return nil, errCode()
	}
	session := s.knownSessions.exchanged(id)
	if session == nil {
		var err error
		if session, err = s.session(ctx, id); err != nil {
			return nil, unknownCode(err)
		}
	}
	switch {
	case session.Kind != kind || subtle.ConstantTimeCompare(hash[:], session.Code[:]) == 0 || !s.sessionLives(session, now()):
		return nil, errCode()
	case session.Exchanged():
		return nil, s.usedCode(ctx, session)
	case !now().Before(session.CodeExpiresAt):
		return nil, errCode()
	}
	return session, nil
}

// usedCode returns the error for a code that was used before, and logs it, once a minute for each session.
func (s *Service) usedCode(ctx context.Context, session *bellwire.Session) error {
	if _, ok := s.warned.Allow("code "+session.ID.String(), 1/time.Minute.Seconds(), 1, 1); ok {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "session code exchanged before: the link may have been stolen; end the session if it is in doubt",
			slog.String("session", session.ID.String()), slog.String("tenant", session.Tenant),
			slog.String("address", bellwire.CallOf(ctx).Origin.Address), slog.String("first_address", session.Address))
	}
	return errUsedCode()
}

func unknownCode(err error) error {
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return errCode()
	}
	return err
}

// Errors about codes have CodeUnauthenticated, because the code is all that authenticates the request.
func errCode() error {
	err := bellwire.Errorf(bellwire.CodeUnauthenticated, "the code is not valid, or has expired")
	err.Hint = "Codes can be exchanged once, within a minute for the console and ten minutes for the portal. Ask for a new link."
	return err
}

func errUsedCode() error {
	err := bellwire.Errorf(bellwire.CodeUnauthenticated, "the code was used before")
	err.Hint = "Ask for a new link. If nobody you know used this one, tell the operator."
	return err
}

// ConsoleSessions lists the console's sessions.
func (s *Service) ConsoleSessions(ctx context.Context, c Caller, page bellwire.Page) (*bellwire.List[*bellwire.Session], error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	return s.listSessions(ctx, c, bellwire.SessionFilter{Kind: bellwire.SessionConsole}, page)
}

func (s *Service) listSessions(ctx context.Context, c Caller, f bellwire.SessionFilter, page bellwire.Page) (*bellwire.List[*bellwire.Session], error) {
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	ctx, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	f.Now = now()
	list, err := s.store.Sessions(ctx, f, fitted(ctx, page))
	if err != nil {
		return nil, err
	}
	return mapList(list, s.viewSession), nil
}

// viewSession returns a session as it is shown: with its last use and its end as this node knows them.
func (s *Service) viewSession(session *bellwire.Session) *bellwire.Session {
	shown := *session
	shown.ExpiresAt = s.sessionEnd(session)
	shown.LastUsedAt = s.sessionUses.of(session.ID, session.LastUsedAt)
	return &shown
}

// OwnSession is the session of a caller, with the name of the key that made it. The configured admin key has none.
type OwnSession struct {
	*bellwire.Session
	KeyName string
}

// CurrentSession returns the session of the caller. Its error has CodeNotFound for callers with a key.
func (s *Service) CurrentSession(ctx context.Context, c Caller) (*OwnSession, error) {
	if c.Session.IsZero() {
		return nil, bellwire.Errorf(bellwire.CodeNotFound, "the request was not made in a session")
	}
	session, err := s.store.Session(ctx, c.Session)
	if err != nil {
		return nil, endedSession(err)
	}
	own := &OwnSession{Session: s.viewSession(session)}
	if !session.Key.IsZero() {
		key, err := s.store.Key(ctx, session.Key)
		if err != nil {
			return nil, endedSession(err) // it ends with its key
		}
		own.KeyName = key.Name
	}
	return own, nil
}

// EndSession ends a session of a tenant's portal, or of the console if tenant is empty.
func (s *Service) EndSession(ctx context.Context, c Caller, tenant string, id bellwire.SessionID) error {
	kind, action := bellwire.SessionConsole, bellwire.AuditConsoleDelete
	if tenant != "" {
		kind, action = bellwire.SessionPortal, bellwire.AuditPortalDelete
	}
	if c.Session != id || c.Tenant != tenant { // everybody may end their own
		if err := s.requireSessions(ctx, c, tenant); err != nil {
			return err
		}
	}
	if err := s.store.DeleteSession(s.audit(ctx, c, tenant, action, id.String(), nil, nil), kind, tenant, id); err != nil {
		return err
	}
	s.changed(ctx, c, action, slog.String("tenant", tenant), slog.String("session", id.String()))
	return nil
}

// requireSessions checks that the caller may manage the sessions of a tenant's portal, or of the console if tenant is empty.
func (s *Service) requireSessions(ctx context.Context, c Caller, tenant string) error {
	if tenant == "" {
		return authorize(c, Manage)
	}
	return s.requireTenant(ctx, c, Invite, tenant)
}

// NewPortalSession describes a portal session to be created.
type NewPortalSession struct {
	Capabilities []string       // nil for all
	ExpiresIn    *time.Duration // nil for limits.PortalSessionTime
	Origins      []string
	Theme        bellwire.Theme
}

// CreatePortalSession creates a session of a tenant's portal, and returns it with its code.
func (s *Service) CreatePortalSession(ctx context.Context, c Caller, tenant string, in NewPortalSession) (*bellwire.Session, string, error) {
	if err := authorizeIn(c, Invite, tenant); err != nil {
		return nil, "", err
	}
	if err := s.allowChange(ctx, c); err != nil {
		return nil, "", err
	}
	lasts, badTime := sessionTime(in.ExpiresIn)
	capabilities, badCapabilities := sessionCapabilities(in.Capabilities)
	origins, badOrigins := checkOrigins(in.Origins)
	if err := bellwire.Join(badCapabilities, badTime, badOrigins, checkTheme(in.Theme)); err != nil {
		return nil, "", err
	}
	session, err := s.newSession(ctx, c, bellwire.SessionPortal, lasts)
	if err != nil {
		return nil, "", err
	}
	session.Tenant, session.Capabilities, session.Origins, session.Theme = tenant, capabilities, origins, in.Theme
	session.Theme.Mode = cmp.Or(in.Theme.Mode, "system")
	code := giveCode(session, limits.PortalCodeTime)
	return session, code, s.createSession(ctx, c, session, map[string]any{
		"capabilities": capabilities.Names(), "origins": origins, "expires_at": session.ExpiresAt.Format(time.RFC3339),
	})
}

// PortalSessions lists the sessions of a tenant's portal.
func (s *Service) PortalSessions(ctx context.Context, c Caller, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.Session], error) {
	if err := s.requireSessions(ctx, c, tenant); err != nil {
		return nil, err
	}
	return s.listSessions(ctx, c, bellwire.SessionFilter{Kind: bellwire.SessionPortal, Tenant: tenant}, page)
}

// FrameOrigins returns the origins of the pages that may frame a portal session. Anybody may ask: a session's id is no secret. There
// are none of a session that has ended, a second later at most.
func (s *Service) FrameOrigins(ctx context.Context, id string) ([]string, error) {
	parsed, err := bellwire.ParseID[bellwire.SessionIDKind](id)
	if err != nil {
		return nil, nil
	}
	session := s.knownSessions.recent(parsed)
	if session == nil {
		session, err = s.session(ctx, parsed)
	}
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case session.Kind != bellwire.SessionPortal || !s.sessionLives(session, now()):
		return nil, nil
	}
	return session.Origins, nil
}
