package peer

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"time"
)

// errStranger is the error for a peer without a key of the keyset.
var errStranger = errors.New("the other side has none of this node's keys")

// secured returns the TLS configuration of both sides. Each has a key that is derived from the keyset, and requires that the other
// has one of those too. The seeds are of all keys of the keyset, that of the primary one first.
func secured(seeds [][32]byte) (*tls.Config, error) {
	if len(seeds) == 0 {
		return nil, errors.New("a key is required")
	}
	known := make([]ed25519.PublicKey, len(seeds))
	for i, seed := range seeds {
		known[i] = ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	}
	certificate, err := selfSigned(ed25519.NewKeyFromSeed(seeds[0][:]))
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{certificate},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // #nosec G402 -- there are no names and no authorities; VerifyConnection compares the keys
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errStranger
			}
			key, _ := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
			for _, k := range known {
				if k.Equal(key) {
					return nil
				}
			}
			return errStranger
		},
	}, nil
}

// selfSigned returns a certificate whose only purpose is to carry the key.
func selfSigned(key ed25519.PrivateKey) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
