package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"slices"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

// nodeSeedOf says what node seeds are for.
const nodeSeedOf = "bellwire connections between nodes"

// NodeSeeds returns seeds for the keys with which the nodes that share the keyset recognize each other: one of each enabled key, that
// of the primary one first. Nothing about the keys can be learned from them.
func (k *Keyring) NodeSeeds() [][32]byte { return slices.Clone(k.seeds) }

func nodeSeeds(handle *keyset.Handle) (seeds [][32]byte, err error) {
	material := insecurecleartextkeyset.KeysetMaterial(handle)
	for _, key := range material.GetKey() {
		if key.GetStatus() != tinkpb.KeyStatusType_ENABLED {
			continue
		}
		derived, err := hkdf.Key(sha256.New, key.GetKeyData().GetValue(), nil, nodeSeedOf, 32)
		if err != nil {
			return nil, err
		}
		seed := [32]byte(derived)
		if key.GetKeyId() == material.GetPrimaryKeyId() {
			seeds = slices.Insert(seeds, 0, seed)
		} else {
			seeds = append(seeds, seed)
		}
	}
	return seeds, nil
}
