package service

import (
	"sync"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
)

// maxForeignKeys is the most ids that foreignKeys remembers.
const maxForeignKeys = 10_000

// foreignKeys remembers the ids of keys that are found by the hash of their secret.
type foreignKeys struct {
	lookups *directory.Lookups[[32]byte]

	mu  sync.Mutex
	ids map[[32]byte]bellwire.KeyID
}

func newForeignKeys() *foreignKeys {
	return &foreignKeys{lookups: directory.NewLookups[[32]byte]("key"), ids: make(map[[32]byte]bellwire.KeyID)}
}

func (f *foreignKeys) find(hash [32]byte) (id bellwire.KeyID, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id, ok = f.ids[hash]
	return id, ok
}

func (f *foreignKeys) add(hash [32]byte, id bellwire.KeyID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ids) >= maxForeignKeys {
		clear(f.ids)
	}
	f.ids[hash] = id
}

func (f *foreignKeys) forget(hash [32]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.ids, hash)
}
