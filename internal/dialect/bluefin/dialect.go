// Package bluefin is the dialect of Bluefin PayConex's webhooks: thin notifications of one event to one URL, and the full
// resource behind authentication. README.md states its contract, and what of it is Bluefin's.
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

// Catalogue is PayConex's event types, as package internal/catalogue reads them.
//
//go:embed catalogue.json
var Catalogue []byte

// The event types that PayConex has webhooks for.
const (
	accountUpdates  = "ACCOUNT_UPDATER_BATCH_UPDATES"
	batchSettlement = "PAYCONEX_BATCH_SETTLEMENT"
)

// The prefixes of ids. 32 hex digits follow.
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

// Defaults are Bellwire's own: Bluefin documents neither retries nor a deadline.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{Retry: bellwire.StandardRetryPolicy(), Timeout: bellwire.DefaultTimeout}
}

// NewEndpointID makes an id of "wbh_" and 32 hex digits.
func (Dialect) NewEndpointID(now time.Time) string {
	id := bellwire.NewUUID(now)
	return webhookPrefix + hex.EncodeToString(id[:])
}

// NewSecret makes none: deliveries are not signed.
func (Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) { return bellwire.Secret{}, nil }

// PublicKey returns nothing: deliveries are not signed with a key pair.
func (Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses every secret, because none would be used.
func (Dialect) CheckSecret(string) error {
	return bellwire.Invalid("secret", "The dialect %s signs nothing; use auth.", Name)
}

// Normalize refuses what is not one event: a webhook has a single name for it.
func (Dialect) Normalize(ep *bellwire.Endpoint, _ *bellwire.Credentials, _ func(string) string) error {
	if len(ep.Events) != 1 || strings.HasSuffix(ep.Events[0], "*") {
		return bellwire.Invalid("events", "An endpoint of the dialect %s has exactly one event, by its full name.", Name)
	}
	return bellwire.CheckSingleSigning(Name, ep.Signing)
}

// Headers are none: nothing in a notification tells who sends it.
func (Dialect) Headers(*bellwire.Credentials) []bellwire.Header { return nil }

// Bind writes what is the same in all notifications to the endpoint.
func (d Dialect) Bind(ep *bellwire.Endpoint, _ *bellwire.Credentials) (bellwire.Renderer, error) {
	return newRenderer(d.PublicURL, ep)
}
