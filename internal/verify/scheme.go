package verify

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwire/bellwire/receive"
	"github.com/bellwire/bellwire/receive/sign"
)

// scheme is the signature scheme of a dialect.
type scheme struct {
	// example is a well-formed secret, with which headers are checked.
	example string
	// read reads the headers, which package receive has found to be well-formed.
	read func(http.Header) *head
	// keys returns the keys that a secret can be taken for. The one that is right comes first, if the secret is well-formed.
	keys func(secret string) []choice[key]
	// contents returns what can be around the body in the signed text. The right one comes first.
	contents func(q *Question, h *head) []choice[content]
	// anyBody says that a body can have another form than the JSON that Bellwire writes.
	anyBody bool
}

// signing is a scheme, and what the headers of a delivery say in it.
type signing struct {
	*scheme
	head *head
}

var schemes = map[string]*scheme{
	"standard": {example: sign.FormatSecret(make([]byte, sign.MinSecret)), read: readStandard, keys: standardKeys, contents: standardContents},
	"atelio":   {example: sign.SecretPrefix + "example", read: readAtelio, keys: atelioKeys, contents: timedContents},
	"lemon":    {example: strings.Repeat("0", 2*sign.LemonSecretBytes), read: readLemon, keys: lemonKeys, contents: timedContents},
}

// head is what headers say.
type head struct {
	id      string
	sentAt  time.Time
	hash    func() hash.Hash // of HMACs
	digests [][]byte         // HMACs
	v1a     [][]byte         // ed25519 signatures
	python  bool             // the text that is signed is the body in the form of Python
}

func readStandard(h http.Header) *head {
	read := &head{id: h.Get("Webhook-Id"), sentAt: seconds(h.Get("Webhook-Timestamp")), hash: sha256.New}
	for item := range strings.SplitSeq(h.Get("Webhook-Signature"), " ") {
		version, text, _ := strings.Cut(item, ",")
		raw, err := base64.StdEncoding.DecodeString(text)
		switch {
		case err != nil:
		case version == sign.V1:
			read.digests = append(read.digests, raw)
		case version == sign.V1a:
			read.v1a = append(read.v1a, raw)
		}
	}
	return read
}

// readAtelio reads the signature that receivers check: v2, or v1 if there is no v2.
func readAtelio(h http.Header) *head {
	read, v1 := &head{hash: sha256.New}, []byte(nil)
	for name, text := range parts(h.Get("Bond-Signature")) {
		raw, _ := hex.DecodeString(text) // others match nothing
		switch name {
		case "t":
			read.sentAt = seconds(text)
		case "v1":
			v1 = raw
		case "v2":
			read.digests = [][]byte{raw}
		}
	}
	if read.digests == nil {
		read.digests, read.python = [][]byte{v1}, true
	}
	return read
}

func readLemon(h http.Header) *head {
	read := &head{hash: sha256.New}
	for name, text := range parts(h.Get("LMG-Signature")) {
		switch name {
		case "t":
			read.sentAt = seconds(text)
		case "v1":
			if raw, err := hex.DecodeString(text); err == nil {
				read.digests = append(read.digests, raw)
			}
		}
	}
	return read
}

// parts iterates over the parts of a header such as "t=…,v1=…".
func parts(header string) func(yield func(name, text string) bool) {
	return func(yield func(name, text string) bool) {
		for part := range strings.SplitSeq(header, ",") {
			if name, text, _ := strings.Cut(strings.TrimSpace(part), "="); !yield(name, text) {
				return
			}
		}
	}
}

func seconds(text string) time.Time {
	unix, _ := strconv.ParseInt(text, 10, 64) // package receive has parsed it
	return time.Unix(unix, 0).UTC()
}

// checkHeader returns a finding if a header is missing or malformed.
func (s *scheme) checkHeader(q *Question) *Finding {
	err := q.accepts(s.example)
	if !errors.Is(err, receive.ErrHeader) {
		return nil
	}
	finding := missingHeader(q, err)
	unix, notUnix := strconv.ParseInt(q.Header.Get("Webhook-Timestamp"), 10, 64)
	signature := q.Header.Get("Webhook-Signature")
	switch {
	case q.Dialect != "standard":
	case notUnix == nil && unix > 1e11:
		finding.Fix = "The header has milliseconds; pass it on as it arrived, in seconds."
	case signature != "" && !strings.Contains(signature, ","):
		finding.Fix = "Give the whole header, with the version before the comma, such as v1,K5oZ…"
	}
	return &finding
}

// checkSignatures returns the mistakes that explain why no secret verifies the signatures, or none if one does.
func checkSignatures(q *Question, all []signing) []Finding {
	var malformed error
	for _, secret := range q.Secrets {
		err := q.accepts(secret)
		if err == nil {
			return nil
		}
		if errors.Is(err, receive.ErrBody) {
			return []Finding{unreadBody(err)}
		}
		if wrong, ok := errors.AsType[errSecret](err); ok {
			malformed = wrong
		}
	}
	for _, s := range all {
		if _, right := s.search(q, q.Secrets, s.head.matches, 0, 0); !right {
			return s.explain(q, malformed)
		}
	}
	return checkToken(q) // it is no signature that is wrong
}

// explain returns the mistakes that explain why no secret made the signatures of a header.
func (s *signing) explain(q *Question, malformed error) []Finding {
	if found, ok := s.search(q, q.Secrets, s.head.matches, 1, 2); ok {
		return found
	}
	if q.anyAccepted(q.Endpoint) {
		return []Finding{replaced}
	}
	if found, ok := s.search(q, q.Endpoint, s.head.matches, 1, 2); ok {
		return found
	}
	switch {
	case malformed != nil:
		return []Finding{malformedSecret(malformed)}
	case q.Dialect != "standard":
	case len(s.head.digests) == 0 && !slices.ContainsFunc(q.Secrets, isPublicKey):
		return []Finding{{
			Mistake: MistakeSecret,
			Found:   "the request is signed with ed25519 (v1a) only, which a shared secret does not verify",
			Fix:     "Verify with the endpoint's public key (whpk_…), or set the endpoint's signing to hmac or both.",
		}}
	case len(s.head.v1a) == 0 && !slices.ContainsFunc(q.Secrets, isShared):
		return []Finding{{
			Mistake: MistakeSecret,
			Found:   "the request is signed with HMAC (v1) only, which a public key does not verify",
			Fix:     "Verify with the endpoint's secret (whsec_…), or set the endpoint's signing to ed25519 or both.",
		}}
	}
	return []Finding{unexplained(q, s.anyBody)}
}

// checkComputed returns the mistakes that explain a computed signature, or none if it is right.
func (s *signing) checkComputed(q *Question, computed []byte) []Finding {
	same := func(k key, around content, body []byte) bool { return k.makes(s.head.hash, computed, around, body) }
	if found, ok := s.search(q, q.Secrets, same, 0, 2); ok {
		return found
	}
	right := s.contents(q, s.head)[0].value
	return []Finding{{
		Mistake: MistakeContent,
		Found:   "the computed signature is of none of the usual mistakes",
		Fix:     fmt.Sprintf("Compare what goes into the HMAC: it has to be %d bytes, before which nothing is hashed.", len(right.with(q.Body))),
	}}
}

func isPublicKey(secret string) bool { return strings.HasPrefix(secret, sign.PublicKeyPrefix) }

func isShared(secret string) bool { return !isPublicKey(secret) }

// matches reports whether the request has the signature that a key makes of a text.
func (h *head) matches(k key, around content, body []byte) bool {
	if k.public != nil {
		return slices.ContainsFunc(h.v1a, func(signature []byte) bool { return ed25519.Verify(k.public, around.with(body), signature) })
	}
	return slices.ContainsFunc(h.digests, func(digest []byte) bool { return k.makes(h.hash, digest, around, body) })
}

// computed finds the scheme of a signature that some code has computed, and its digest. Its error is a predicate of the signature.
func computed(text string, all []signing) (*signing, []byte, error) {
	var sizes []string
	for i := range all {
		if all[i].head.hash == nil {
			continue
		}
		size := all[i].head.hash().Size()
		if digest := computedDigest(text, size); digest != nil {
			return &all[i], digest, nil
		}
		if word := strconv.Itoa(size); !slices.Contains(sizes, word) {
			sizes = append(sizes, word)
		}
	}
	if len(sizes) == 0 {
		return nil, nil, errors.New("must not be given for signatures of ed25519, which only the private key makes")
	}
	return nil, nil, fmt.Errorf("must be the hex or base64 of %s bytes", strings.Join(sizes, " or "))
}

// computedDigest reads a digest of a size: hex or base64, also with what is before it in a header. It returns nil for other texts.
func computedDigest(text string, size int) []byte {
	text = strings.TrimSpace(text[strings.LastIndexByte(text, ',')+1:])
	for _, from := range []int{0, strings.IndexByte(text, '=') + 1} {
		if raw := fromHex(text[from:]); len(raw) == size {
			return raw
		}
		if raw := anyBase64(text[from:]); len(raw) == size {
			return raw
		}
	}
	return nil
}

// anyBase64 decodes base64 with either alphabet, with or without padding. It returns nil for other texts.
func anyBase64(text string) []byte {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return raw
}
