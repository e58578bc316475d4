package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// Key is a key on the wire, without its secret.
type Key struct {
	ID         bellwire.KeyID `json:"id" example:"key_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	Name       string         `json:"name" example:"billing service"`
	Role       bellwire.Role  `json:"role" enum:"admin,publisher,tenant,tenant-read"`
	HMAC       bool           `json:"hmac" doc:"Whether the key can sign requests."`
	Scopes     []string       `json:"scopes" example:"pcx:webhooks:*" doc:"The only operations of a vendor's API that the key permits. A key with scopes can be used nowhere else. Empty: all of its role."`
	CreatedAt  time.Time      `json:"created_at"`
	ExpiresAt  *time.Time     `json:"expires_at" nullable:"true" doc:"From when on it is refused; null for never."`
	LastUsedAt *time.Time     `json:"last_used_at" nullable:"true" doc:"When it was last used, to about a minute; null if that is not known."`
}

func wireKey(k *service.Key) Key {
	return Key{
		ID: k.ID, Name: k.Name, Role: k.Role, HMAC: k.HMAC, Scopes: append([]string{}, k.Scopes.List()...), CreatedAt: k.CreatedAt.UTC(),
		ExpiresAt: timeOrNull(k.ExpiresAt), LastUsedAt: timeOrNull(k.LastUsedAt),
	}
}

type createdKey struct {
	Key
	Secret string `json:"secret" doc:"The secret that authenticates requests. It is shown only once. Empty if the key was made with secret_sha256."`
}

// OwnKey has the fields of a new key that its caller may choose. It is exported because huma describes no other embedded
// structs.
type OwnKey struct {
	ID           string    `json:"id,omitzero" example:"key_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The id that the key had on another server or in another system: key_ or api_ and 32 hex digits, or a UUID; by default a new one. Responses show it as key_ and the digits."`
	Secret       string    `json:"secret,omitzero" doc:"The secret that the key had on another server or in another system, 8 to 512 printable ASCII characters; by default a new one. One of Bellwire's contains its id."`
	SecretSHA256 string    `json:"secret_sha256,omitzero" example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" doc:"The SHA-256 of such a secret, in hex, instead of the secret. One of Bellwire's needs its id, too."`
	ExpiresAt    time.Time `json:"expires_at,omitzero" example:"2027-01-31T00:00:00Z" doc:"From when on the key is refused; by default never."`
}

func (k *OwnKey) key(name string, role bellwire.Role, hmac bool) (in service.NewKey, err error) {
	in = service.NewKey{Name: name, Role: role, HMAC: hmac, Secret: k.Secret, ExpiresAt: bellwire.StoredTime(k.ExpiresAt)}
	var badID, badHash error
	if k.ID != "" {
		in.ID, badID = parseKeyID(k.ID)
	}
	if k.SecretSHA256 != "" {
		in.SecretSHA256, badHash = parseHash(k.SecretSHA256)
	}
	return in, bellwire.Join(badID, badHash)
}

type newTenantKey struct {
	Name   string        `json:"name,omitzero" maxLength:"256" example:"customer portal"`
	Role   bellwire.Role `json:"role" enum:"tenant,tenant-read"`
	HMAC   bool          `json:"hmac,omitzero" doc:"Whether to store the secret, encrypted, so that the key can sign requests."`
	Scopes []string      `json:"scopes,omitzero" example:"pcx:webhooks:*" doc:"The only operations of a vendor's API that the key permits, such as pcx:webhooks:read of the dialect bluefin; by default all of its role. A key with scopes can be used nowhere else."`
	OwnKey
}

type newOperatorKey struct {
	Name string        `json:"name,omitzero" maxLength:"256" example:"billing service"`
	Role bellwire.Role `json:"role" enum:"admin,publisher"`
	OwnKey
}

const tagKeys = "Keys"

func (a *api) keys() {
	type ofTenant struct {
		InTenant
		Input body[newTenantKey]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "create-tenant-key", Method: http.MethodPost, Path: "/tenants/{tenant}/keys", Tags: []string{tagKeys},
		Summary: "Create a tenant's key", DefaultStatus: http.StatusCreated,
		Description: "For admin keys. Only this response has the secret: Bellwire stores its hash, or with `hmac` the encrypted secret.",
	}, func(ctx context.Context, c service.Caller, in *ofTenant) (*output[createdKey], error) {
		v := in.Input.value
		key, err := v.key(v.Name, v.Role, v.HMAC)
		if err != nil {
			return nil, err
		}
		key.Scopes = v.Scopes
		return a.createKey(ctx, c, in.Tenant, key)
	})

	type listed struct {
		InTenant
		Paging
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "list-tenant-keys", Method: http.MethodGet, Path: "/tenants/{tenant}/keys", Tags: []string{tagKeys},
		Summary: "List a tenant's keys", Description: "For admin keys. Secrets are not shown.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[Key]], error) {
		return a.listKeys(ctx, c, in.Tenant, in.Paging)
	})

	type deleted struct {
		InTenant
		ID string `path:"id" doc:"The key's id."`
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "delete-tenant-key", Method: http.MethodDelete, Path: "/tenants/{tenant}/keys/{id}", Tags: []string{tagKeys},
		Summary: "Delete a tenant's key", Description: "For admin keys. Further requests with the key are refused.",
	}, func(ctx context.Context, c service.Caller, in *deleted) (*struct{}, error) {
		return nil, a.deleteKey(ctx, c, in.Tenant, in.ID)
	})
	a.operatorKeys()
}

func (a *api) operatorKeys() {
	type ofOperator struct {
		Input body[newOperatorKey]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "create-key", Method: http.MethodPost, Path: "/keys", Tags: []string{tagKeys},
		Summary: "Create an operator's key", DefaultStatus: http.StatusCreated,
		Description: "For admin keys. Only this response has the secret.",
	}, func(ctx context.Context, c service.Caller, in *ofOperator) (*output[createdKey], error) {
		v := in.Input.value
		key, err := v.key(v.Name, v.Role, false)
		if err != nil {
			return nil, err
		}
		return a.createKey(ctx, c, "", key)
	})

	type listed struct{ Paging }
	route(a, service.Manage, huma.Operation{
		OperationID: "list-keys", Method: http.MethodGet, Path: "/keys", Tags: []string{tagKeys},
		Summary: "List the operator's keys", Description: "For admin keys. Secrets are not shown.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[Key]], error) {
		return a.listKeys(ctx, c, "", in.Paging)
	})

	type deleted struct {
		ID string `path:"id" doc:"The key's id."`
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "delete-key", Method: http.MethodDelete, Path: "/keys/{id}", Tags: []string{tagKeys},
		Summary: "Delete an operator's key", Description: "For admin keys. Further requests with the key are refused.",
	}, func(ctx context.Context, c service.Caller, in *deleted) (*struct{}, error) {
		return nil, a.deleteKey(ctx, c, "", in.ID)
	})
}

func (a *api) createKey(ctx context.Context, c service.Caller, tenant string, in service.NewKey) (*output[createdKey], error) {
	k, secret, err := a.svc.CreateKey(ctx, c, tenant, in)
	if err != nil {
		return nil, err
	}
	return &output[createdKey]{Body: createdKey{Key: wireKey(k), Secret: secret}}, nil
}

func (a *api) listKeys(ctx context.Context, c service.Caller, tenant string, p Paging) (*output[list[Key]], error) {
	return paged(ctx, a, p, func(page bellwire.Page) (*bellwire.List[*service.Key], error) {
		return a.svc.Keys(ctx, c, tenant, page)
	}, wireKey)
}

func (a *api) deleteKey(ctx context.Context, c service.Caller, tenant, id string) error {
	var parsed bellwire.KeyID
	if parsed.UnmarshalText([]byte(id)) != nil {
		return bellwire.NotFound("key", id)
	}
	return a.svc.DeleteKey(ctx, c, tenant, parsed)
}
