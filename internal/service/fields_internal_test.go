package service

import (
	"slices"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/testenv"
)

// TestHistoryHasEachSetting changes each field of an endpoint and of its credentials.
func TestHistoryHasEachSetting(t *testing.T) {
	t.Parallel()
	notSettings := []string{"ID", "Tenant", "Sealed", "CreatedAt", "UpdatedAt", "Revision", "Catalogue", "Deleted"}
	check := func(name string, ep *bellwire.Endpoint, c *bellwire.Credentials) {
		t.Helper()
		_, after, err := fieldsOf(new(bellwire.Endpoint), new(bellwire.Credentials)).changesTo(fieldsOf(ep, c))
		if err != nil {
			t.Fatal(err)
		}
		if shown := len(after) > 0; shown == slices.Contains(notSettings, name) {
			t.Errorf("a change of %s is shown: %v", name, shown)
		}
	}
	for field, ep := range testenv.Changed(t, bellwire.Endpoint{}) {
		check(field, ep, new(bellwire.Credentials))
	}
	for field, c := range testenv.Changed(t, bellwire.Credentials{}) {
		check(field, new(bellwire.Endpoint), c)
	}
	for field, auth := range testenv.Changed(t, bellwire.Auth{}) {
		check("Auth."+field, new(bellwire.Endpoint), &bellwire.Credentials{Auth: *auth})
	}
}

// uncounted are the fields of an endpoint that do not count toward the limit configuration_bytes: they are short, or Bellwire's own.
var uncounted = []string{
	"ID", "Tenant", "Dialect", "OnError", "RateLimit", "MaxInFlight", "Timeout", "AutoDisableAfter", "Ordering", "Signing", "Status", "StatusReason",
	"Catalogue", "CreatedAt", "UpdatedAt", "Revision", "Deleted",
}

// TestConfigurationCountsEachField fails while a tenant can make its configuration larger by a field that does not count.
func TestConfigurationCountsEachField(t *testing.T) {
	t.Parallel()
	before := configurationBytes(new(bellwire.Endpoint))
	for field, changed := range testenv.Changed(t, bellwire.Endpoint{}) {
		if configurationBytes(changed) == before && !slices.Contains(uncounted, field) {
			t.Errorf("the field %s does not count", field)
		}
	}
}
