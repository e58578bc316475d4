package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const tagSessions = "Sessions"

// signedIn is a new console session on the wire. Its token is in the cookie.
type signedIn struct {
	ID        bellwire.SessionID `json:"id" example:"ses_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	Role      bellwire.Role      `json:"role" enum:"admin,publisher" doc:"The role of the key that made the session."`
	ExpiresAt time.Time          `json:"expires_at" doc:"When the session ends at the latest."`
}

// signedInOutput is the response with the cookie.
type signedInOutput struct {
	SetCookie string `header:"Set-Cookie"`
	Body      signedIn
}

func (o *signedInOutput) take() any { return o.Body }

// signedOutOutput is the response that deletes the cookie.
type signedOutOutput struct {
	SetCookie string `header:"Set-Cookie"`
}

// Session has the fields of all sessions on the wire.
type Session struct {
	ID         bellwire.SessionID `json:"id" example:"ses_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	Key        *bellwire.KeyID    `json:"key" nullable:"true" doc:"The key that made the session, and with which it ends; null for the configured admin key."`
	Exchanged  bool               `json:"exchanged" doc:"Whether its code was exchanged for a token."`
	CreatedAt  time.Time          `json:"created_at"`
	ExpiresAt  time.Time          `json:"expires_at"`
	LastUsedAt *time.Time         `json:"last_used_at" nullable:"true" doc:"When it was last used, to about a minute; null for never."`
	Address    string             `json:"address" example:"192.0.2.7" doc:"The address of the client that got the token."`
	UserAgent  string             `json:"user_agent" doc:"The browser that got the token."`
}

// ConsoleSession has the fields of a console session on the wire.
type ConsoleSession struct {
	Session
	Role    bellwire.Role `json:"role" enum:"admin,publisher"`
	Current bool          `json:"current" doc:"Whether this request was made in the session."`
}

// ownSession is the console session of a request on the wire.
type ownSession struct {
	ConsoleSession
	KeyName string `json:"key_name" doc:"The name of the key that made the session; empty for the configured admin key."`
}

// portalSession is a portal session on the wire.
type portalSession struct {
	Session
	Capabilities capabilities `json:"capabilities"`
	Origins      []string     `json:"origins"`
	Theme        theme        `json:"theme"`
}

// theme is a bellwire.Theme on the wire.
type theme struct {
	Accent string `json:"accent,omitzero" example:"#4f46e5" doc:"A color of six hex digits; by default the portal's own."`
	Mode   string `json:"mode,omitzero" enum:"light,dark,system" doc:"By default system: as the browser is set."`
}

// capabilities are names of capabilities on the wire.
type capabilities []string

// Schema lists the names.
func (capabilities) Schema(huma.Registry) *huma.Schema {
	var names []any
	for _, name := range bellwire.CapabilityNames {
		names = append(names, name)
	}
	return &huma.Schema{
		Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, Enum: names}, Examples: []any{[]string{"view", "test"}},
		Description: "view: endpoints, events, deliveries and event types, without secrets. view_secret: secrets and whole URLs of endpoints. " +
			"manage: create, change and delete endpoints. replay: retry, replay and cancel deliveries. test: send tests and probes.",
	}
}

func wireSession(s *bellwire.Session) Session {
	wire := Session{
		ID: s.ID, Exchanged: s.Exchanged(), CreatedAt: s.CreatedAt.UTC(), ExpiresAt: s.ExpiresAt.UTC(),
		LastUsedAt: timeOrNull(s.LastUsedAt), Address: s.Address, UserAgent: s.UserAgent,
	}
	if !s.Key.IsZero() {
		wire.Key = &s.Key
	}
	return wire
}

func wirePortalSession(s *bellwire.Session) portalSession {
	return portalSession{
		Session: wireSession(s), Capabilities: s.Capabilities.Names(), Origins: append([]string{}, s.Origins...), Theme: theme(s.Theme),
	}
}

// link is a new session on the wire that its code gives access to.
type link struct {
	ID        bellwire.SessionID `json:"id" example:"ses_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	URL       string             `json:"url" example:"https://webhooks.example.com/portal?s=ses_…#code=bwx_…" doc:"Where the person opens it, once. The code is in the fragment, which browsers send to no server."`
	ExpiresAt time.Time          `json:"expires_at" doc:"When the session ends. The URL can be opened for a minute (console) or ten (portal)."`
}

func (a *api) link(path string, s *bellwire.Session, code string) link {
	return link{ID: s.ID, URL: a.publicURL + path + "#code=" + code, ExpiresAt: s.ExpiresAt.UTC()}
}

// exchange is what a code is exchanged with.
type exchange struct {
	Code string `json:"code" maxLength:"128" doc:"The code in the fragment of a link."`
}

func browser(ctx context.Context) service.Client {
	return service.Client{UserAgent: callOf(ctx).userAgent}
}

func (a *api) sessions() {
	a.consoleSessions()
	a.portalSessions()
}

func (a *api) consoleSessions() {
	signedInAs := func(s *bellwire.Session, token string, err error) (*signedInOutput, error) {
		if err != nil {
			return nil, err
		}
		return &signedInOutput{
			SetCookie: a.cookie.set(token, s.ExpiresAt.Sub(s.LastUsedAt)),
			Body:      signedIn{ID: s.ID, Role: s.Role, ExpiresAt: s.ExpiresAt.UTC()},
		}, nil
	}
	single(a, service.SignIn, huma.Operation{
		OperationID: "sign-in", Method: http.MethodPost, Path: "/console-sessions", Tags: []string{tagSessions},
		Summary: "Sign in to the console", DefaultStatus: http.StatusCreated,
		Description: "For admin and publisher keys. The response sets a cookie that authenticates requests of the console with the key's role, " +
			"until it has not been used for 2 hours, at most 12 hours, or until the key is deleted.",
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*signedInOutput, error) {
		return signedInAs(a.svc.SignIn(ctx, c, browser(ctx)))
	})

	type exchanged struct{ Input body[exchange] }
	open(a, huma.Operation{
		OperationID: "exchange-console-code", Method: http.MethodPost, Path: "/console-sessions/exchange", Tags: []string{tagSessions},
		Summary: "Sign in to the console with a link's code", DefaultStatus: http.StatusCreated,
		Description: "Without a key. A code can be exchanged once, within a minute.",
	}, func(ctx context.Context, _ service.Caller, in *exchanged) (*signedInOutput, error) {
		return signedInAs(a.svc.ExchangeConsoleCode(ctx, in.Input.value.Code, browser(ctx)))
	})

	single(a, service.Manage, huma.Operation{
		OperationID: "create-console-link", Method: http.MethodPost, Path: "/console-sessions/links", Tags: []string{tagSessions},
		Summary: "Create a link that signs in to the console", DefaultStatus: http.StatusCreated,
		Description: "For admin keys, and not for console sessions. Whoever opens the link first is signed in as the key.",
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*output[link], error) {
		s, code, err := a.svc.CreateConsoleLink(ctx, c)
		if err != nil {
			return nil, err
		}
		return &output[link]{Body: a.link("/console", s, code)}, nil
	})

	wire := func(c service.Caller) func(*bellwire.Session) ConsoleSession {
		return func(s *bellwire.Session) ConsoleSession {
			return ConsoleSession{Session: wireSession(s), Role: s.Role, Current: s.ID == c.Session}
		}
	}
	type listed struct{ Paging }
	route(a, service.Manage, huma.Operation{
		OperationID: "list-console-sessions", Method: http.MethodGet, Path: "/console-sessions", Tags: []string{tagSessions},
		Summary: "List the console's sessions", Description: "For admin keys. Sessions that have ended are left out.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[ConsoleSession]], error) {
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.Session], error) {
			return a.svc.ConsoleSessions(ctx, c, page)
		}, wire(c))
	})

	const current = "/console-sessions/current"
	route(a, service.SignIn, huma.Operation{
		OperationID: "get-console-session", Method: http.MethodGet, Path: current, Tags: []string{tagSessions},
		Summary: "Get the session of the request", Description: "Responds with 404 to requests with a key.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*output[ownSession], error) {
		s, err := a.svc.CurrentSession(ctx, c)
		return answer(s, err, func(s *service.OwnSession) ownSession {
			return ownSession{ConsoleSession: wire(c)(s.Session), KeyName: s.KeyName}
		})
	})
	route(a, service.SignIn, huma.Operation{
		OperationID: "sign-out", Method: http.MethodDelete, Path: current, Tags: []string{tagSessions},
		Summary: "Sign out of the console", Description: "Ends the session of the request, and deletes its cookie.", Errors: []int{http.StatusNotFound},
		DefaultStatus: http.StatusNoContent,
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*signedOutOutput, error) {
		if _, err := a.svc.CurrentSession(ctx, c); err != nil {
			return nil, err
		}
		return &signedOutOutput{SetCookie: a.cookie.clear()}, a.svc.EndSession(ctx, c, "", c.Session)
	})

	type deleted struct {
		ID string `path:"id" doc:"The session's id."`
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "end-console-session", Method: http.MethodDelete, Path: "/console-sessions/{id}", Tags: []string{tagSessions},
		Summary: "End a session of the console", Description: "For admin keys. Further requests in the session are refused, by all nodes.",
	}, func(ctx context.Context, c service.Caller, in *deleted) (*struct{}, error) {
		return nil, a.endSession(ctx, c, "", in.ID)
	})
}

func (a *api) endSession(ctx context.Context, c service.Caller, tenant, id string) error {
	parsed, err := bellwire.ParseID[bellwire.SessionIDKind](id)
	if err != nil {
		return bellwire.NotFound("session", id)
	}
	return a.svc.EndSession(ctx, c, tenant, parsed)
}

// newPortalSession describes a portal session to be created.
type newPortalSession struct {
	Capabilities *capabilities            `json:"capabilities,omitzero" doc:"What the person may do; by default everything. view is always included."`
	ExpiresIn    value[bellwire.Duration] `json:"expires_in,omitzero" example:"1h" doc:"How long the session lasts: 1m to 24h, by default 1h. It ends with the key that created it."`
	Origins      []string                 `json:"origins,omitzero" example:"[\"https://app.example.com\"]" doc:"The origins of the pages that may show the portal in a frame, at most 10; by default none."`
	Theme        theme                    `json:"theme,omitzero"`
}

func (n *newPortalSession) input() service.NewPortalSession {
	in := service.NewPortalSession{ExpiresIn: (*time.Duration)(n.ExpiresIn.given), Origins: n.Origins, Theme: bellwire.Theme(n.Theme)}
	if n.Capabilities != nil {
		in.Capabilities = append([]string{}, *n.Capabilities...)
	}
	return in
}

// exchangedSession is a portal session with its token on the wire.
type exchangedSession struct {
	Token        string             `json:"token" doc:"Authenticates requests in the tenant, as Authorization: Bearer. It is shown only once."`
	ID           bellwire.SessionID `json:"id"`
	Tenant       string             `json:"tenant" example:"acme"`
	Capabilities capabilities       `json:"capabilities"`
	Theme        theme              `json:"theme"`
	ExpiresAt    time.Time          `json:"expires_at"`
}

func (a *api) portalSessions() {
	type created struct {
		InTenant
		Input optionalBody[newPortalSession]
	}
	const all = "/tenants/{tenant}/portal-sessions"
	single(a, service.Invite, huma.Operation{
		OperationID: "create-portal-session", Method: http.MethodPost, Path: all, Tags: []string{tagSessions},
		Summary: "Create a portal session", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusUnprocessableEntity},
		Description: "For admin keys and the tenant's own. Give the `url` to the person for whom it is made: it can be opened once, within ten minutes.",
	}, func(ctx context.Context, c service.Caller, in *created) (*output[link], error) {
		s, code, err := a.svc.CreatePortalSession(ctx, c, in.Tenant, in.Input.value.input())
		if err != nil {
			return nil, err
		}
		return &output[link]{Body: a.link("/portal?s="+s.ID.String(), s, code)}, nil
	})

	type listed struct {
		InTenant
		Paging
	}
	route(a, service.Invite, huma.Operation{
		OperationID: "list-portal-sessions", Method: http.MethodGet, Path: all, Tags: []string{tagSessions},
		Summary: "List a tenant's portal sessions", Description: "Sessions that have ended are left out.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[portalSession]], error) {
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.Session], error) {
			return a.svc.PortalSessions(ctx, c, in.Tenant, page)
		}, wirePortalSession)
	})

	type deleted struct {
		InTenant
		ID string `path:"id" doc:"The session's id."`
	}
	route(a, service.Invite, huma.Operation{
		OperationID: "end-portal-session", Method: http.MethodDelete, Path: all + "/{id}", Tags: []string{tagSessions},
		Summary: "End a portal session", Description: "Further requests in the session are refused, by all nodes.",
	}, func(ctx context.Context, c service.Caller, in *deleted) (*struct{}, error) {
		return nil, a.endSession(ctx, c, in.Tenant, in.ID)
	})

	type exchanged struct{ Input body[exchange] }
	open(a, huma.Operation{
		OperationID: "exchange-portal-code", Method: http.MethodPost, Path: "/portal-sessions/exchange", Tags: []string{tagSessions},
		Summary: "Exchange the code of a portal session for its token", Description: "Without a key. A code can be exchanged once, within ten minutes.",
	}, func(ctx context.Context, _ service.Caller, in *exchanged) (*output[exchangedSession], error) {
		s, token, err := a.svc.ExchangePortalCode(ctx, in.Input.value.Code, browser(ctx))
		if err != nil {
			return nil, err
		}
		return &output[exchangedSession]{Body: exchangedSession{
			Token: token, ID: s.ID, Tenant: s.Tenant, Capabilities: s.Capabilities.Names(), Theme: theme(s.Theme), ExpiresAt: s.ExpiresAt.UTC(),
		}}, nil
	})
}
