package rules

import "github.com/bellwire/bellwire/internal/bellwire"

// TooManyTenantRows refuses a question by tenant for which too many rows are stored.
func TooManyTenantRows() error {
	return &bellwire.Error{
		Code: bellwire.CodeInvalid, Field: "since",
		Message: "must be closer to until: by tenant, at most " + bellwire.Number(bellwire.MaxTenantRows) + " tenants and intervals together can be counted",
		Hint:    "Use a longer interval, or ask for less time.",
	}
}
