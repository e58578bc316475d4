package rules_test

import (
	"slices"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
	"github.com/bellwire/bellwire/internal/testenv"
)

// shortFields of an endpoint are bounded so closely that pages of a list need not count them.
var shortFields = []string{
	"ID", "Tenant", "Dialect", "OnError", "Retry", "RateLimit", "MaxInFlight", "Timeout", "AutoDisableAfter", "Ordering", "Signing", "Status",
	"Catalogue", "CreatedAt", "UpdatedAt", "Revision", "Deleted",
}

// TestSizeOfEndpoint fails while a list of endpoints does not count a field that can be long.
func TestSizeOfEndpoint(t *testing.T) {
	t.Parallel()
	before := rules.SizeOfEndpoint(&bellwire.Endpoint{})
	for field, changed := range testenv.Changed(t, bellwire.Endpoint{}) {
		if rules.SizeOfEndpoint(changed) == before && !slices.Contains(shortFields, field) {
			t.Errorf("the field %s does not count", field)
		}
	}
}
