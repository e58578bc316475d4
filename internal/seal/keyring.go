// Package seal keeps secrets unreadable at rest: it encrypts them with a keyset that lives outside the database.
package seal

import (
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Keyring seals and opens with the keys of a keyset. The primary key seals. All enabled keys open, so that what was sealed before a
// rotation remains readable. A Keyring is safe for concurrent use.
type Keyring struct {
	aead    tink.AEAD
	primary tink.AEAD // of the primary key alone
	source  string

	seeds [][32]byte // of NodeSeeds

	primaryID uint32
	otherIDs  []uint32 // of all other keys
}

// newKeyring returns a keyring of a keyset. source says where the keyset is from, for messages.
func newKeyring(handle *keyset.Handle, source string) (*Keyring, error) {
	all, err := aead.New(handle)
	if err != nil {
		return nil, unusable(err, source)
	}
	alone, err := onlyPrimary(handle)
	if err != nil {
		return nil, unusable(err, source)
	}
	primary, err := aead.New(alone)
	if err != nil {
		return nil, unusable(err, source)
	}
	k := &Keyring{aead: all, primary: primary, source: source}
	for _, key := range (&Keyset{handle: handle}).Keys() {
		if key.Primary {
			k.primaryID = key.ID
		} else {
			k.otherIDs = append(k.otherIDs, key.ID)
		}
	}
	if k.seeds, err = nodeSeeds(handle); err != nil {
		return nil, unusable(err, source)
	}
	return k, nil
}

func unusable(err error, source string) error {
	return hinted(bellwire.Wrap(bellwire.CodeInvalid, err, "the keyset in %s has no usable AEAD keys", source),
		"Restore the keyset that this node ran with before.")
}

// Seal encrypts plaintext and binds it to associated, which says what it belongs to and is needed to open it.
func (k *Keyring) Seal(plaintext, associated []byte) ([]byte, error) {
	sealed, err := k.aead.Encrypt(plaintext, associated)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "a secret could not be sealed")
	}
	return sealed, nil
}

// Open decrypts what Seal encrypted for the same associated data. Its error has CodeUnavailable, because a node with another keyset
// may be able to open it.
func (k *Keyring) Open(sealed, associated []byte) ([]byte, error) {
	plaintext, err := k.aead.Decrypt(sealed, associated)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "a stored secret cannot be opened on this server right now")
	}
	return plaintext, nil
}

// Prefixes of the associated data, which keep one kind of secret from being used as another.
const (
	credentialsOf = "endpoint credentials:"
	keySecretOf   = "key secret:"
	dialectAuthOf = "authentication of a dialect:"
	cursorOf      = "cursor:"
	answerOf      = "answer:"
	checkText     = "bellwire witness"
)

// SealKeySecret seals the secret of an API key that can sign requests.
func (k *Keyring) SealKeySecret(id bellwire.KeyID, secret string) ([]byte, error) {
	return k.Seal([]byte(secret), fmt.Append(nil, keySecretOf, id))
}

// OpenKeySecret opens what SealKeySecret sealed for the same key.
func (k *Keyring) OpenKeySecret(id bellwire.KeyID, sealed []byte) (string, error) {
	secret, err := k.Open(sealed, fmt.Append(nil, keySecretOf, id))
	return string(secret), err
}

// SealAnswer seals the body of the answer to an idempotent request of a tenant, or of the operator if tenant is empty.
func (k *Keyring) SealAnswer(tenant, key string, body []byte) ([]byte, error) {
	return k.Seal(body, answerTo(tenant, key))
}

// OpenAnswer opens what SealAnswer sealed for the same request.
func (k *Keyring) OpenAnswer(tenant, key string, sealed []byte) ([]byte, error) {
	return k.Open(sealed, answerTo(tenant, key))
}

// answerTo is unambiguous, because ids of tenants have no slash.
func answerTo(tenant, key string) []byte { return []byte(answerOf + tenant + "/" + key) }

// SealCursor seals a cursor of the list with the given name for clients.
func (k *Keyring) SealCursor(list string, c bellwire.Cursor) ([]byte, error) {
	return k.Seal([]byte(c), []byte(cursorOf+list))
}

// OpenCursor opens what SealCursor sealed for the same list.
func (k *Keyring) OpenCursor(list string, sealed []byte) (bellwire.Cursor, error) {
	c, err := k.Open(sealed, []byte(cursorOf+list))
	return bellwire.Cursor(c), err
}
