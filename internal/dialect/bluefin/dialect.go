// Package bluefin is the dialect of Bluefin PayConex's webhooks. A webhook has one URL and one event. A notification of the
// Account Updater is a link to the update records, which are served to authenticated callers. README.md is its contract, and
// says which parts are Bluefin's.
package bluefin

import (
	_ "embed"
	"encoding/hex"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Name is the dialect's name in the API and in the database.
const Name = "bluefin"

// Catalogue is a catalogue file (package internal/catalogue) of PayConex's event types.
//
//go:embed catalogue.json
var Catalogue []byte

// The event types of PayConex's webhooks.
const (
	accountUpdates  = "ACCOUNT_UPDATER_BATCH_UPDATES"
	batchSettlement = "PAYCONEX_BATCH_SETTLEMENT"
)

// The prefixes of ids, which 32 hex digits follow.
const (
	webhookPrefix      = "wbh_"
	notificationPrefix = "not_"
	updatePrefix       = "aupres_"
)

// Dialect is PayConex's webhooks. All fields may be left out.
type Dialect struct {
	PublicURL string // where clients reach this server, without a slash at its end: notifications link to it
	Basic     bool   // accept a key's id and secret as Basic credentials too
}

var _ bellwire.Dialect = Dialect{}

// Name returns Name.
func (Dialect) Name() string { return Name }

// Defaults returns Bellwire's own. Bluefin documents neither retries nor a timeout.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{Retry: bellwire.StandardRetryPolicy(), Timeout: bellwire.DefaultTimeout}
}

// NewEndpointID returns "wbh_" and 32 hex digits.
func (Dialect) NewEndpointID(now time.Time) string {
	id := bellwire.NewUUID(now)
	return webhookPrefix + hex.EncodeToString(id[:])
}

// NewSecret returns none: notifications are not signed.
func (Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) { return bellwire.Secret{}, nil }

// PublicKey returns nothing: deliveries are not signed with a key pair.
func (Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses every secret: notifications are not signed.
func (Dialect) CheckSecret(string) error {
	return bellwire.Invalid("secret", "must not be set, because the dialect %s does not sign; use auth", Name)
}

// Normalize refuses endpoints that are not for exactly one event type, and other signing schemes.
func (Dialect) Normalize(ep *bellwire.Endpoint, _ *bellwire.Credentials, _ func(string) string) error {
	if len(ep.Events) != 1 || strings.HasSuffix(ep.Events[0], "*") {
		return bellwire.Invalid("events", "must be one event type, because an endpoint of the dialect %s is for one", Name)
	}
	return bellwire.CheckSingleSigning(Name, ep.Signing)
}

// Headers returns none: notifications do not authenticate the sender.
func (Dialect) Headers(*bellwire.Credentials) []bellwire.Header { return nil }

// Bind returns a renderer for the endpoint.
func (d Dialect) Bind(ep *bellwire.Endpoint, _ *bellwire.Credentials) (bellwire.Renderer, error) {
	return newRenderer(d.PublicURL, ep)
}
