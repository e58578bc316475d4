package standard

import (
	"crypto/ed25519"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

// signer has the keys of one secret that the endpoint signs with.
type signer struct {
	shared    *sign.MAC          // nil: no v1
	private   ed25519.PrivateKey // nil: no v1a
	expiresAt time.Time          // zero: never
}

func (s *signer) expired(at time.Time) bool {
	return !s.expiresAt.IsZero() && !s.expiresAt.After(at)
}

// newSigners decodes an endpoint's secrets, newest first. The newest one must never expire and must have all keys that the
// signing scheme needs. Older ones, which may be from before the scheme was changed, sign with the keys they have.
func newSigners(signing bellwire.Signing, secrets []bellwire.Secret) ([]signer, error) {
	if err := checkSigning(signing); err != nil {
		return nil, err
	}
	if len(secrets) == 0 || !secrets[0].ExpiresAt.IsZero() {
		return nil, bellwire.Invalid("secret", "is missing or expires; rotate the secret of the endpoint")
	}
	if asymmetric(signing) && secrets[0].PrivateKey == "" {
		return nil, bellwire.Invalid("signing", "needs an ed25519 key, which the endpoint does not have; rotate the secret of the endpoint")
	}
	signers := make([]signer, len(secrets))
	for i := range secrets {
		s, err := newSigner(signing, &secrets[i])
		if err != nil {
			return nil, err
		}
		signers[i] = s
	}
	return signers, nil
}

func newSigner(signing bellwire.Signing, secret *bellwire.Secret) (s signer, err error) {
	s.expiresAt = secret.ExpiresAt
	if symmetric(signing) {
		shared, err := parseSecret(secret)
		if err != nil {
			return s, &bellwire.Error{Code: bellwire.CodeInvalid, Field: "secret", Message: "cannot sign; rotate the secret of the endpoint", Err: err}
		}
		s.shared = sign.NewMAC(shared)
	}
	if asymmetric(signing) && secret.PrivateKey != "" {
		if s.private, err = sign.ParsePrivateKey(secret.PrivateKey); err != nil {
			return s, &bellwire.Error{Code: bellwire.CodeInvalid, Field: "secret", Message: "has an ed25519 key that cannot sign; rotate the secret of the endpoint", Err: err}
		}
	}
	return s, nil
}

// parseSecret returns the bytes of a shared secret. An imported one can be shorter or longer than Standard Webhooks allows, and lack the
// padding of its base64.
func parseSecret(secret *bellwire.Secret) ([]byte, error) {
	if !secret.Imported {
		return sign.ParseSecret(secret.Value)
	}
	return sign.ParseAnySecret(secret.Value)
}
