package standard

import (
	"crypto/ed25519"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

// signer is one secret, decoded, with those of its keys that the endpoint signs with.
type signer struct {
	shared    *sign.MAC          // nil: no v1
	private   ed25519.PrivateKey // nil: no v1a
	expiresAt time.Time          // zero: never
}

func (s *signer) expired(at time.Time) bool {
	return !s.expiresAt.IsZero() && !s.expiresAt.After(at)
}

// newSigners decodes an endpoint's secrets, which are newest first. The newest one must be able to sign
// for ever with all that the endpoint's signing asks for; an older one, from before the signing was
// changed, signs with what it has.
func newSigners(signing bellwire.Signing, secrets []bellwire.Secret) ([]signer, error) {
	if err := checkSigning(signing); err != nil {
		return nil, err
	}
	if len(secrets) == 0 || !secrets[0].ExpiresAt.IsZero() {
		return nil, bellwire.Invalid("secret", "The endpoint has no secret that lasts. Rotate its secret.")
	}
	if asymmetric(signing) && secrets[0].PrivateKey == "" {
		return nil, bellwire.Invalid("signing", "The endpoint has no ed25519 key to sign with. Rotate its secret.")
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
		shared, err := sign.ParseSecret(secret.Value)
		if err != nil {
			return s, &bellwire.Error{Code: bellwire.CodeInvalid, Field: "secret", Message: "The endpoint's secret cannot sign. Rotate it.", Err: err}
		}
		s.shared = sign.NewMAC(shared)
	}
	if asymmetric(signing) && secret.PrivateKey != "" {
		if s.private, err = sign.ParsePrivateKey(secret.PrivateKey); err != nil {
			return s, &bellwire.Error{Code: bellwire.CodeInvalid, Field: "secret", Message: "The endpoint's ed25519 key cannot sign. Rotate its secret.", Err: err}
		}
	}
	return s, nil
}
