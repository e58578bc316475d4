package service

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Match is a condition for a change of an endpoint, an event type or a tenant: that it exists, and has one of these versions.
// AnyVersion stands for all of them.
type Match []string

// AnyVersion is a version in a Match.
const AnyVersion = "*"

type matchKey struct{}

// WithMatch returns a context in which changes have a condition. A change whose condition does not hold has CodePrecondition.
func WithMatch(ctx context.Context, m Match) context.Context {
	return context.WithValue(ctx, matchKey{}, m)
}

// checkMatch refuses a change of something with the given version if the condition of the context does not hold.
func checkMatch(ctx context.Context, kind, version string) error {
	m, conditional := ctx.Value(matchKey{}).(Match)
	if !conditional || slices.Contains(m, version) || slices.Contains(m, AnyVersion) {
		return nil
	}
	return errChanged(kind)
}

// checkMayCreate refuses to create something if the context has a condition, because nothing that does not exist has a version.
func checkMayCreate(ctx context.Context, kind string) error {
	if _, conditional := ctx.Value(matchKey{}).(Match); conditional {
		return &bellwire.Error{Code: bellwire.CodePrecondition, Message: "the " + kind + " does not exist, and If-Match requires that it does"}
	}
	return nil
}

func errChanged(kind string) error {
	return &bellwire.Error{
		Code:    bellwire.CodePrecondition,
		Message: "the " + kind + " has changed since the version that If-Match names",
		Hint:    "Read it again, and repeat the change with the ETag of that answer.",
	}
}

// EndpointVersion returns the version of an endpoint.
func EndpointVersion(ep *bellwire.Endpoint) string { return strconv.FormatInt(ep.Revision, 36) }

// TenantVersion returns the version of a tenant, without what it has.
func TenantVersion(t *bellwire.Tenant) string {
	return versionOf(fieldsOfTenant(t), t.UpdatedAt.UnixMicro())
}

// EventTypeVersion returns the version of an event type.
func EventTypeVersion(t *bellwire.EventType) string {
	return versionOf(t.Group, t.Description, t.Schema, t.Example, t.Archived, t.UpdatedAt.UnixMicro())
}

// versionOf returns a digest of values.
func versionOf(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		return "" // never happens: the values are text, numbers and JSON that was checked
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
