package declared

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

// algorithm makes signatures.
type algorithm struct {
	name string
	hash func() hash.Hash // of an HMAC; nil: ed25519
}

// algorithms are the algorithms that files can name.
var algorithms = []algorithm{{"sha1", sha1.New}, {"sha256", sha256.New}, {"sha512", sha512.New}, {"ed25519", nil}}

// scheme is how one header with signatures is made.
type scheme struct {
	header    string
	algorithm algorithm
	encode    func(dst, signature []byte) []byte
	alphabet  string   // of encoded signatures
	content   template // what is signed
	format    template // the value of the header
	each      template // one of several signatures in it; nil: the newest secret signs alone
	separator string   // between them
}

// signatureEncodings are the encodings of signatures that files can name.
var signatureEncodings = map[string]func(dst, signature []byte) []byte{
	"hex": hex.AppendEncode, "base64": base64.StdEncoding.AppendEncode, "base64url": base64.RawURLEncoding.AppendEncode,
}

// alphabets are the characters that signatures have in each encoding.
var alphabets = map[string]string{"hex": "0123456789abcdef", "base64": base64Digits + "+/=", "base64url": base64Digits + "-_"}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// key is what one secret of an endpoint signs with.
type key struct {
	expiresAt time.Time          // zero: never
	private   ed25519.PrivateKey // of an ed25519 key pair
	macs      []*mac             // one for each header, nil with a key pair
}

func (k *key) expired(at time.Time) bool { return !k.expiresAt.IsZero() && !k.expiresAt.After(at) }

// mac computes an HMAC with one key. It is safe for concurrent use.
type mac struct {
	new func() hash.Hash
	key []byte

	mu   sync.Mutex
	hash hash.Hash // with the key; Reset spares it half of the work on a small body
}

// acquire returns a hash, and a function that must be called when it is not used any more. While another message uses the
// common one, it makes a hash of its own: a large body must not hold up others.
func (m *mac) acquire() (h hash.Hash, common bool) {
	if !m.mu.TryLock() {
		return hmac.New(m.new, m.key), false
	}
	if m.hash == nil {
		m.hash = hmac.New(m.new, m.key)
	}
	m.hash.Reset()
	return m.hash, true
}

// newKeys returns the keys of an endpoint's secrets, newest first.
func (d *Dialect) newKeys(secrets []bellwire.Secret) ([]key, error) {
	if !d.form.exists() {
		return nil, nil
	}
	if len(secrets) == 0 || !secrets[0].ExpiresAt.IsZero() {
		return nil, bellwire.Invalid("secret", "is missing or expires; rotate the secret of the endpoint")
	}
	keys := make([]key, len(secrets))
	for i := range secrets {
		k, err := d.newKey(&secrets[i])
		if err != nil {
			return nil, err
		}
		keys[i] = k
	}
	return keys, nil
}

func (d *Dialect) newKey(s *bellwire.Secret) (k key, err error) {
	k.expiresAt = s.ExpiresAt
	if d.form.pair() {
		k.private, err = sign.ParsePrivateKey(s.PrivateKey)
		if err != nil || d.form.public(k.private) != s.Value {
			return k, &bellwire.Error{Code: bellwire.CodeInvalid, Field: "secret", Message: "has no private key that belongs to it; rotate the secret of the endpoint", Err: err}
		}
		return k, nil
	}
	raw, ok := d.form.key(s.Value)
	if !ok {
		return k, bellwire.Invalid("secret", "cannot sign in the dialect %s; rotate the secret of the endpoint", d.name)
	}
	k.macs = make([]*mac, len(d.signatures))
	for i := range d.signatures {
		k.macs[i] = &mac{new: d.signatures[i].algorithm.hash, key: raw}
	}
	return k, nil
}

// sign returns the value of a header with signatures. n is the scheme's place among those of the dialect.
func (r *renderer) sign(s *scheme, n int, m *bellwire.Message, body []byte) string {
	var room [256]byte
	dst := room[:0]
	for i := range s.format {
		switch segment := &s.format[i]; segment.value {
		case valueNone:
			dst = append(dst, segment.literal...)
		case valueSignature:
			dst = r.appendSignature(dst, s, n, &r.keys[0], m, body)
		case valueSignatures:
			dst = r.appendSignatures(dst, s, n, m, body)
		default:
			dst, _ = r.append(dst, segment, m) // the parser has refused values that can fail
		}
	}
	return string(dst)
}

// appendSignatures appends a signature of each secret that has not expired, newest first.
func (r *renderer) appendSignatures(dst []byte, s *scheme, n int, m *bellwire.Message, body []byte) []byte {
	first := true
	for i := range r.keys {
		k := &r.keys[i]
		if k.expired(m.SentAt) {
			continue
		}
		if !first {
			dst = append(dst, s.separator...)
		}
		first = false
		for j := range s.each {
			switch segment := &s.each[j]; segment.value {
			case valueNone:
				dst = append(dst, segment.literal...)
			case valueSignature:
				dst = r.appendSignature(dst, s, n, k, m, body)
			default:
				dst, _ = r.append(dst, segment, m)
			}
		}
	}
	return dst
}

// appendSignature appends the signature of one secret in its encoding.
func (r *renderer) appendSignature(dst []byte, s *scheme, n int, k *key, m *bellwire.Message, body []byte) []byte {
	if k.private != nil {
		return s.encode(dst, ed25519.Sign(k.private, r.appendContent(make([]byte, 0, len(body)+128), s, m, body)))
	}
	mac := k.macs[n]
	h, common := mac.acquire()
	scratch := make([]byte, 0, 128)
	for i := range s.content {
		switch segment := &s.content[i]; segment.value {
		case valueNone:
			scratch = append(scratch, segment.literal...)
		case valueBody:
			h.Write(scratch)
			h.Write(body)
			scratch = scratch[:0]
		default:
			scratch = r.appendText(scratch, s.content[i:i+1], m)
		}
	}
	h.Write(scratch)
	sum := h.Sum(scratch[:0])
	if common {
		mac.mu.Unlock()
	}
	return s.encode(dst, sum)
}

func (r *renderer) appendContent(dst []byte, s *scheme, m *bellwire.Message, body []byte) []byte {
	for i := range s.content {
		if s.content[i].value == valueBody {
			dst = append(dst, body...)
			continue
		}
		dst = r.appendText(dst, s.content[i:i+1], m)
	}
	return dst
}
