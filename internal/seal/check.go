package seal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// A database has a check value for each key that its secrets are sealed with: a constant, sealed with that key. A keyset that cannot
// open all check values belongs to another database, or is out of date. The database also records the ids of keys that were taken out
// of use, so that no node seals with them again.

// record is what a database stores about its keyset.
type record struct {
	Checks  [][]byte `json:"witnesses"`
	Retired []uint32 `json:"retired,omitempty"` // keys that were taken out of use
}

// readRecord parses what is stored: a record in JSON, or a check value alone.
func readRecord(stored []byte) record {
	var r record
	if bytes.HasPrefix(stored, []byte("{")) && json.Unmarshal(stored, &r) == nil {
		return r
	}
	return record{Checks: [][]byte{stored}}
}

// CheckValue returns the check value of the primary key.
func (k *Keyring) CheckValue() ([]byte, error) {
	return k.Seal([]byte(checkText), []byte(checkText))
}

// VerifyCheckValue returns an error if the keyset does not open all check values, or if its primary key was taken out of use. The error has
// CodeConflict, and is meant to end the node.
func (k *Keyring) VerifyCheckValue(stored []byte) error {
	r := readRecord(stored)
	for _, sealed := range r.Checks {
		opened, err := k.Open(sealed, []byte(checkText))
		if err != nil || string(opened) != checkText {
			return hinted(bellwire.Errorf(bellwire.CodeConflict,
				"the secrets in this database were sealed with another keyset than the one in %s, or with a key that was added to it later; nothing was changed",
				k.source),
				"Start with the keyset of this database (--keyset-file or BELLWIRE_KEYSET), or with the database of this keyset.")
		}
	}
	if k.retired(r) {
		return hinted(bellwire.Errorf(bellwire.CodeConflict,
			"the keyset in %s would seal with its key %d, which was taken out of use by \"bellwire keyset prune\"; nothing was changed", k.source, k.primaryID),
			"Start with the keyset that the other nodes have now (--keyset-file or BELLWIRE_KEYSET).")
	}
	return nil
}

// retired reports whether the primary key was taken out of use.
func (k *Keyring) retired(r record) bool { return slices.Contains(r.Retired, k.primaryID) }

// addCheck returns what is stored with the check value of the primary key, and reports whether that was missing.
func (k *Keyring) addCheck(stored []byte) (with []byte, missing bool, err error) {
	r := readRecord(stored)
	if slices.ContainsFunc(r.Checks, func(sealed []byte) bool { return k.current(sealed, []byte(checkText)) }) {
		return stored, false, nil
	}
	own, err := k.CheckValue()
	if err != nil {
		return nil, false, err
	}
	r.Checks = append(r.Checks, own)
	with, err = json.Marshal(r)
	return with, true, err
}

// retire returns what is stored with the check value of the primary key only, and with the keyset's other keys taken out of use.
func (k *Keyring) retire(stored []byte) ([]byte, error) {
	own, err := k.CheckValue()
	if err != nil {
		return nil, err
	}
	retired := append(readRecord(stored).Retired, k.otherIDs...)
	slices.Sort(retired)
	return json.Marshal(record{Checks: [][]byte{own}, Retired: slices.Compact(retired)})
}

// MaySeal returns an error with CodeUnavailable if the primary key was taken out of use while this node ran, because what it seals
// might never be opened again.
func (k *Keyring) MaySeal(ctx context.Context, store bellwire.Secrets) error {
	stored, err := store.KeysetCheck(ctx, nil)
	if err != nil || !k.retired(readRecord(stored)) {
		return err
	}
	return bellwire.Wrap(bellwire.CodeUnavailable,
		fmt.Errorf("the key %d of the keyset in %s was taken out of use by \"bellwire keyset prune\": this node must be started "+
			"again with the keyset that the other nodes have now", k.primaryID, k.source),
		"secrets cannot be stored on this server right now")
}

// checkAttempts is how often Admit tries again because another node has changed the check values.
const checkAttempts = 10

// Admit checks that the secrets of the database are sealed with the keyset, and stores a check value of the primary key. A new database
// adopts the keyset.
func (k *Keyring) Admit(ctx context.Context, store bellwire.Secrets) error {
	fresh, err := k.CheckValue()
	if err != nil {
		return err
	}
	for range checkAttempts {
		stored, err := store.KeysetCheck(ctx, fresh)
		if err != nil {
			return err
		}
		if err := k.VerifyCheckValue(stored); err != nil {
			return err
		}
		with, missing, err := k.addCheck(stored)
		if err != nil || !missing {
			return err
		}
		err = store.ReplaceKeysetCheck(ctx, stored, with)
		if bellwire.CodeOf(err) != bellwire.CodeStale {
			return err
		}
	}
	return bellwire.Errorf(bellwire.CodeUnavailable, "other nodes are changing the keyset's record in the database; try again")
}

// recognize returns the check values of a database that uses the keyset. Its error has CodeConflict if the database uses another
// keyset, or if it is new, which cannot be the one for which a keyset is changed.
func (k *Keyring) recognize(ctx context.Context, store bellwire.Secrets) ([]byte, error) {
	stored, err := store.KeysetCheck(ctx, nil)
	if err != nil {
		return nil, err
	}
	if stored == nil {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "no server has run on this database yet, so that no keyset belongs to it; "+
			"nothing was changed, so name the right database (--database-url)")
	}
	return stored, k.VerifyCheckValue(stored)
}
