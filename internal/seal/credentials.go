package seal

import (
	"github.com/go-json-experiment/json"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// SealCredentials seals an endpoint's credentials for the store. They can be opened only for the same endpoint, so that they cannot
// be swapped in the database. Its error has CodeInvalid if a text is not UTF-8, which JSON cannot represent.
func (k *Keyring) SealCredentials(endpoint string, c *bellwire.Credentials) ([]byte, error) {
	plaintext, err := json.Marshal(c, json.FormatNilSliceAsNull(true))
	if err != nil {
		// The cause is left out of the error, because it may quote a secret.
		return nil, bellwire.Errorf(bellwire.CodeInvalid, "the credentials of endpoint %q are not UTF-8 text", endpoint)
	}
	return k.Seal(plaintext, []byte(credentialsOf+endpoint))
}

// SealAuth seals the authentication of the settings of a tenant's dialect. It can be opened only for the same tenant and dialect.
func (k *Keyring) SealAuth(tenant, dialect string, a *bellwire.Auth) ([]byte, error) {
	plaintext, err := json.Marshal(a)
	if err != nil {
		return nil, bellwire.Errorf(bellwire.CodeInvalid, "the auth of dialect %q is not UTF-8 text", dialect)
	}
	return k.Seal(plaintext, authOf(tenant, dialect))
}

// OpenAuth opens what SealAuth sealed for the same tenant and dialect.
func (k *Keyring) OpenAuth(tenant, dialect string, sealed []byte) (*bellwire.Auth, error) {
	plaintext, err := k.Open(sealed, authOf(tenant, dialect))
	if err != nil {
		return nil, err
	}
	a := new(bellwire.Auth)
	if err := json.Unmarshal(plaintext, a); err != nil {
		return nil, bellwire.Errorf(bellwire.CodeInternal, "the auth of dialect %q was sealed in an unknown form", dialect)
	}
	return a, nil
}

// authOf is unambiguous, because ids of tenants have no slash.
func authOf(tenant, dialect string) []byte { return []byte(dialectAuthOf + tenant + "/" + dialect) }

// OpenCredentials opens what SealCredentials sealed for the same endpoint.
func (k *Keyring) OpenCredentials(endpoint string, sealed []byte) (*bellwire.Credentials, error) {
	plaintext, err := k.Open(sealed, []byte(credentialsOf+endpoint))
	if err != nil {
		return nil, err
	}
	c := new(bellwire.Credentials)
	if err := json.Unmarshal(plaintext, c); err != nil {
		return nil, bellwire.Errorf(bellwire.CodeInternal, "the credentials of endpoint %q were sealed in an unknown form", endpoint)
	}
	return c, nil
}
