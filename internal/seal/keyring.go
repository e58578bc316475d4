// Package seal keeps secrets unreadable at rest: it encrypts them with a keyset that lives in a file
// beside the database, not in it.
package seal

import (
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/bellwire/bellwire"
)

// Keyring seals and opens with the keys of one keyset. The primary key seals; all of its enabled keys
// open, so that what was sealed before a rotation stays readable. It is safe for concurrent use.
type Keyring struct {
	aead tink.AEAD
	path string
}

func newKeyring(handle *keyset.Handle, path string) (*Keyring, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err,
			"The keyset file %s holds no usable AEAD keys. Put back the file that this node ran with before.", path)
	}
	return &Keyring{aead: primitive, path: path}, nil
}

// Path returns the keyset's file.
func (k *Keyring) Path() string { return k.path }

// Seal encrypts plaintext and binds it to associated, which says what it belongs to and is needed again
// to open it.
func (k *Keyring) Seal(plaintext, associated []byte) ([]byte, error) {
	sealed, err := k.aead.Encrypt(plaintext, associated)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "A secret could not be sealed.")
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same associated data. Its error has CodeUnavailable: this node cannot open it, and
// one with another keyset may.
func (k *Keyring) Open(sealed, associated []byte) ([]byte, error) {
	plaintext, err := k.aead.Decrypt(sealed, associated)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "A stored secret cannot be opened on this server now.")
	}
	return plaintext, nil
}

// What the associated data starts with, so that a blob of one kind is never taken for one of another.
const (
	credentialsOf = "endpoint credentials:"
	keySecretOf   = "key secret:"
	witness       = "bellwire witness"
)

// Witness seals a constant. The first one to be stored in a database shows for ever which keyset its
// secrets are sealed with.
func (k *Keyring) Witness() ([]byte, error) {
	return k.Seal([]byte(witness), []byte(witness))
}

// CheckWitness refuses a database whose witness the keyset does not open. Its error has CodeConflict and
// is meant to be the node's last word.
func (k *Keyring) CheckWitness(sealed []byte) error {
	opened, err := k.Open(sealed, []byte(witness))
	if err == nil && string(opened) == witness {
		return nil
	}
	return bellwire.Wrap(bellwire.CodeConflict, err,
		"The secrets in this database were sealed with another keyset than the one in %s. Nothing was changed. "+
			"Start with the keyset file that belongs to this database (--keyset-file, BELLWIRE_KEYSET_FILE), "+
			"or with the database that belongs to this file.", k.path)
}

// SealKeySecret seals the secret of an API key that can sign requests.
func (k *Keyring) SealKeySecret(id bellwire.KeyID, secret string) ([]byte, error) {
	return k.Seal([]byte(secret), fmt.Append(nil, keySecretOf, id))
}

// OpenKeySecret opens what SealKeySecret made for the same key.
func (k *Keyring) OpenKeySecret(id bellwire.KeyID, sealed []byte) (string, error) {
	secret, err := k.Open(sealed, fmt.Append(nil, keySecretOf, id))
	return string(secret), err
}
