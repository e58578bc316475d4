package seal

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/bellwire/bellwire"
)

// A database has a witness of each key that its secrets are sealed with: a constant, sealed with that key. A keyset that
// does not open all of them is not the database's, or is out of date.

// Witness returns the witness of the primary key.
func (k *Keyring) Witness() ([]byte, error) {
	return k.Seal([]byte(witness), []byte(witness))
}

// CheckWitness refuses a database that has a witness which the keyset does not open. Its error has CodeConflict and is
// meant to be the node's last word.
func (k *Keyring) CheckWitness(stored []byte) error {
	for _, sealed := range witnesses(stored) {
		opened, err := k.Open(sealed, []byte(witness))
		if err != nil || string(opened) != witness {
			return bellwire.Wrap(bellwire.CodeConflict, err,
				"The secrets in this database were sealed with another keyset than the one in %s, or with a key that was added "+
					"to it later. Nothing was changed. Start with the keyset that belongs to this database (--keyset-file, "+
					"BELLWIRE_KEYSET_FILE, BELLWIRE_KEYSET), or with the database that belongs to this keyset.", k.source)
		}
	}
	return nil
}

// addWitness returns the stored witnesses with the primary key's, and reports whether that was missing.
func (k *Keyring) addWitness(stored []byte) (with []byte, missing bool, err error) {
	all := witnesses(stored)
	for _, sealed := range all {
		if k.current(sealed, []byte(witness)) {
			return stored, false, nil
		}
	}
	own, err := k.Witness()
	if err != nil {
		return nil, false, err
	}
	with, err = json.Marshal(append(all, own))
	return with, true, err
}

// witnesses reads what is stored: one witness as it is, or a JSON array of several.
func witnesses(stored []byte) [][]byte {
	var several [][]byte
	if bytes.HasPrefix(stored, []byte("[")) && json.Unmarshal(stored, &several) == nil {
		return several
	}
	return [][]byte{stored}
}

// witnessAttempts is how often the witnesses are looked at again because another node has changed them meanwhile.
const witnessAttempts = 10

// Admit makes sure that the keyset is the one that the database's secrets are sealed with, and that the database has a
// witness of the primary key. A new database takes the keyset as its own.
func (k *Keyring) Admit(ctx context.Context, store bellwire.Secrets) error {
	fresh, err := k.Witness()
	if err != nil {
		return err
	}
	for range witnessAttempts {
		stored, err := store.Witness(ctx, fresh)
		if err != nil {
			return err
		}
		if err := k.CheckWitness(stored); err != nil {
			return err
		}
		with, missing, err := k.addWitness(stored)
		if err != nil || !missing {
			return err
		}
		err = store.ReplaceWitness(ctx, stored, with)
		if bellwire.CodeOf(err) != bellwire.CodeStale {
			return err
		}
	}
	return bellwire.Errorf(bellwire.CodeUnavailable, "Others are changing which keys the database's secrets are sealed with; try again.")
}

// recognize returns the witnesses of a database that the keyset belongs to. Its error has CodeConflict if the database is
// another's, or new: that is not the one that somebody means who changes a keyset.
func (k *Keyring) recognize(ctx context.Context, store bellwire.Secrets) ([]byte, error) {
	stored, err := store.Witness(ctx, nil)
	if err != nil {
		return nil, err
	}
	if stored == nil {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "No server has run on this database yet, so no keyset belongs to it. "+
			"Nothing was changed. Give the right database (--database-url, BELLWIRE_DATABASE_URL).")
	}
	return stored, k.CheckWitness(stored)
}
