package seal

import (
	"bytes"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Keyset is an immutable keyset. Its methods that change it return another one and write nothing.
type Keyset struct {
	handle *keyset.Handle
	source string
}

// KeyInfo describes a key of a keyset.
type KeyInfo struct {
	ID      uint32
	Primary bool
	Status  string
}

// ParseKeyset parses a Tink keyset in JSON. source says where it is from, such as "the file x". Its error has CodeInvalid.
func ParseKeyset(text []byte, source string) (*Keyset, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		// The cause is left out of the error, because it may quote the keyset.
		return nil, hinted(bellwire.Errorf(bellwire.CodeInvalid, "%s is not a Tink keyset in JSON", source),
			"Restore the keyset that this node ran with before; without it the secrets in the database cannot be read.")
	}
	return &Keyset{handle: handle, source: source}, nil
}

// Keyring returns a keyring with the keys.
func (s *Keyset) Keyring() (*Keyring, error) { return newKeyring(s.handle, s.source) }

// Text returns the keyset in JSON, which is as secret as everything sealed with it.
func (s *Keyset) Text() ([]byte, error) {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(s.handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, bellwire.Errorf(bellwire.CodeInternal, "the keyset cannot be written as JSON")
	}
	return text.Bytes(), nil
}

// Keys describes the keys, oldest first.
func (s *Keyset) Keys() []KeyInfo {
	keys := make([]KeyInfo, s.handle.Len())
	for i := range keys {
		entry, err := s.handle.Entry(i)
		if err != nil {
			continue // i is in range
		}
		keys[i] = KeyInfo{ID: entry.KeyID(), Primary: entry.IsPrimary(), Status: entry.KeyStatus().String()}
	}
	return keys
}

// newest returns the key that was added last.
func (s *Keyset) newest() KeyInfo {
	keys := s.Keys()
	return keys[len(keys)-1]
}

// Add returns the keyset with a new key, which opens but does not seal. It refuses if the newest key is not the primary one.
func (s *Keyset) Add() (*Keyset, error) {
	if newest := s.newest(); !newest.Primary {
		return nil, hinted(bellwire.Errorf(bellwire.CodeConflict, "key %d was added before and is not the primary key yet", newest.ID),
			`Once every node has it, run "bellwire keyset promote".`)
	}
	return s.change(func(m *keyset.Manager) error {
		_, err := m.Add(aead.XChaCha20Poly1305KeyTemplate())
		return err
	})
}

// Promote returns the keyset with its newest key as the primary one.
func (s *Keyset) Promote() (*Keyset, error) {
	newest := s.newest()
	if newest.Primary {
		return nil, hinted(bellwire.Errorf(bellwire.CodeConflict, "the newest key, %d, is the primary key already", newest.ID),
			`Run "bellwire keyset add" for a new one.`)
	}
	return s.change(func(m *keyset.Manager) error { return m.SetPrimary(newest.ID) })
}

// Prune returns the keyset with its primary key alone. It refuses if that is not the newest key, or the only one.
func (s *Keyset) Prune() (*Keyset, error) {
	if keys := s.Keys(); len(keys) == 1 {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "the keyset has one key only, %d, which cannot be removed", keys[0].ID)
	}
	if newest := s.newest(); !newest.Primary {
		return nil, hinted(bellwire.Errorf(bellwire.CodeConflict, "the newest key, %d, is not the primary key", newest.ID),
			`Run "bellwire keyset promote" first.`)
	}
	alone, err := onlyPrimary(s.handle)
	if err != nil {
		return nil, unusable(err, s.source)
	}
	return &Keyset{handle: alone, source: s.source}, nil
}

func (s *Keyset) change(f func(*keyset.Manager) error) (*Keyset, error) {
	m := keyset.NewManagerFromHandle(s.handle)
	if err := f(m); err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "the keyset in %s cannot be changed", s.source)
	}
	changed, err := m.Handle()
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "the keyset in %s cannot be changed", s.source)
	}
	return &Keyset{handle: changed, source: s.source}, nil
}

// onlyPrimary returns a keyset of the primary key alone.
func onlyPrimary(handle *keyset.Handle) (*keyset.Handle, error) {
	m := keyset.NewManagerFromHandle(handle)
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, err
		}
		if entry.IsPrimary() {
			continue
		}
		if err := m.Delete(entry.KeyID()); err != nil {
			return nil, err
		}
	}
	return m.Handle()
}
