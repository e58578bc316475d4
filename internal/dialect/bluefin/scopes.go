package bluefin

import "github.com/bellwire/bellwire/internal/service"

// The scopes of the vendor's API keys.
const (
	scopeAll     = "pcx:webhooks:*"
	scopeCreate  = "pcx:webhooks:create"
	scopeRead    = "pcx:webhooks:read"
	scopeUpdate  = "pcx:webhooks:update"
	scopeDelete  = "pcx:webhooks:delete"
	scopeTrigger = "pcx:webhooks:trigger" // keys can have it, but its route is not served
	scopeUpdates = "pcx:account_updater:results:read"
)

var _ service.Scoped = Dialect{}

// Scopes returns the scopes that keys can have.
func (Dialect) Scopes() []string {
	return []string{scopeAll, scopeCreate, scopeRead, scopeUpdate, scopeDelete, scopeTrigger, scopeUpdates}
}

// operation is what a call needs: a permission, and one of the scopes if the key has any.
type operation struct {
	need   service.Permission
	scopes []string
}

var (
	createWebhook = operation{service.Change, []string{scopeAll, scopeCreate}}
	readWebhooks  = operation{service.Read, []string{scopeAll, scopeRead}}
	updateWebhook = operation{service.Change, []string{scopeAll, scopeUpdate}}
	deleteWebhook = operation{service.Change, []string{scopeAll, scopeDelete}}
	readUpdates   = operation{service.Read, []string{scopeUpdates}}
)
