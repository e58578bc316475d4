package verify

import (
	"bytes"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Format is how a dialect signs that this package does not have, such as one that a file declares.
type Format struct {
	Secret SecretForm
	// Read reads the headers of a delivery, and its body if that has some of what is signed. Its error matches receive.ErrHeader or
	// receive.ErrBody.
	Read func(http.Header, []byte) (*Headers, error)
}

// Headers are the headers of a delivery in a Format.
type Headers struct {
	Signed []Signed  // none: the dialect does not sign
	SentAt time.Time // of the attempt; zero: the headers do not have it
}

// Signed is a header with signatures.
type Signed struct {
	Header     string
	Hash       func() hash.Hash // of an HMAC; nil: ed25519
	Signatures [][]byte
	Parts      []Part // of the text that is signed, in order
}

// Part is a part of a text that is signed.
type Part struct {
	Name string // of a value, as the file has it; empty: the text is fixed
	Text string
	Body bool // the body of the request
	// Write writes another time in the form of the part. Nil: it is no time.
	Write func(time.Time) string
	// Others are texts that are taken for that of the part.
	Others []Other
}

// Other is a text that is taken for another one.
type Other struct {
	Text string
	Is   string // says what it is
}

// SecretForm is the form of the secrets in a Format.
type SecretForm struct {
	Prefix string
	// Key returns what a secret signs or verifies with, and false if it cannot.
	Key func(secret string) ([]byte, bool)
	// Check returns an error if a secret does not have the form.
	Check  func(secret string) error
	Public bool   // the secret is the public key of an ed25519 pair
	IsKey  string // says what the key is, as a sentence
}

// schemes returns how each header with signatures is made.
func (f *Format) schemes(h *Headers) []signing {
	list := make([]signing, len(h.Signed))
	for i := range h.Signed {
		s := &h.Signed[i]
		read := &head{sentAt: h.SentAt, hash: s.Hash, digests: s.Signatures}
		if s.Hash == nil {
			read.digests, read.v1a = nil, s.Signatures
		}
		list[i] = signing{&scheme{keys: f.Secret.keys, contents: s.contents, anyBody: true}, read}
	}
	return list
}

// keys returns the keys that a secret can be taken for.
func (f *SecretForm) keys(secret string) []choice[key] {
	var list keyList
	add := func(text string, mistake *Finding) {
		raw, ok := f.Key(text)
		if !ok || f.Check(text) != nil {
			return
		}
		k := key{shared: raw}
		if f.Public {
			k = key{public: raw}
		}
		list = append(list, choice[key]{k, mistake})
	}
	text := trimmed(secret)
	add(secret, nil)
	if text != secret {
		add(text, &around)
	}
	bare, prefixed := strings.CutPrefix(text, f.Prefix)
	if !prefixed {
		add(f.Prefix+text, &Finding{MistakeSecret, fmt.Sprintf("the secret is given without its prefix %s", f.Prefix), f.IsKey})
	}
	if f.Public {
		return list
	}
	if lower := strings.ToLower(text); lower != text && f.Check(text) != nil {
		add(lower, &Finding{MistakeSecret, "the hex digits of the secret are not in lower case", f.IsKey})
	}
	right, _ := f.Key(secret)
	wrong := func(raw []byte, found string) {
		if len(raw) > 0 && !bytes.Equal(raw, right) {
			list.wrong(raw, found, f.IsKey)
		}
	}
	wrong([]byte(text), "the key is the text of the secret")
	if bare != text {
		wrong([]byte(bare), "the key is the text of the secret after its prefix")
	}
	wrong(fromHex(bare), "the secret was decoded as hex")
	wrong(anyBase64(bare), "the secret was decoded as base64")
	return list
}

// contents returns what can be around the body in the signed text.
func (s *Signed) contents(q *Question, h *head) []choice[content] {
	list := contentList{want: "the text that is signed is " + describe(s.Parts)}
	list.add(join(s.Parts), "")
	wrong := func(parts []Part, format string, args ...any) { list.add(join(parts), fmt.Sprintf(format, args...)) }
	if body := slices.DeleteFunc(slices.Clone(s.Parts), func(p Part) bool { return !p.Body }); len(body) < len(s.Parts) {
		wrong(body, "only the body was signed")
	}
	wrong(slices.DeleteFunc(slices.Clone(s.Parts), Part.fixed), "the signed text has none of its fixed parts")
	for i, p := range s.Parts {
		if p.Body {
			continue
		}
		wrong(slices.Delete(slices.Clone(s.Parts), i, i+1), "the signed text does not have %s", p)
		if i+1 < len(s.Parts) && !p.fixed() && s.Parts[i+1].fixed() {
			wrong(slices.Delete(slices.Clone(s.Parts), i, i+2), "the signed text does not have %s and %s", p, s.Parts[i+1])
		}
		for j := range s.Parts[:i] {
			if other := s.Parts[j]; !p.fixed() && !other.fixed() && !other.Body {
				swapped := slices.Clone(s.Parts)
				swapped[i], swapped[j] = other, p
				wrong(swapped, "%s and %s are in the wrong order in the signed text", other, p)
			}
		}
		for _, other := range p.Others {
			parts := slices.Clone(s.Parts)
			parts[i].Text = other.Text
			wrong(parts, "%s in the signed text is %s", p, other.Is)
		}
		if p.Write != nil {
			s.wrongTimes(q, h, i, wrong)
		}
	}
	return list.choices
}

// wrongTimes adds the times that can be taken for that of a part.
func (s *Signed) wrongTimes(q *Question, h *head, place int, wrong func(parts []Part, format string, args ...any)) {
	p := s.Parts[place]
	with := func(text string) []Part {
		parts := slices.Clone(s.Parts)
		parts[place].Text = text
		return parts
	}
	if !h.sentAt.IsZero() {
		seconds, millis := fmt.Sprint(h.sentAt.Unix()), fmt.Sprint(h.sentAt.UnixMilli())
		if p.Text == seconds {
			wrong(with(seconds+"000"), "%s in the signed text is in milliseconds", p)
		}
		if p.Text == millis {
			wrong(with(seconds), "%s in the signed text is in seconds", p)
		}
	}
	for _, at := range otherTimes(q, h.sentAt.Unix()) {
		wrong(with(p.Write(at.at)), "%s in the signed text is %s", p, at.of)
	}
}

func (p Part) fixed() bool { return p.Name == "" && !p.Body }

// String returns the part as findings name it.
func (p Part) String() string {
	switch {
	case p.Body:
		return "the body"
	case p.Name != "":
		return p.Name
	}
	return fmt.Sprintf("%q", p.Text)
}

// describe names parts in order.
func describe(parts []Part) string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.String()
	}
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return strings.Join(names, "")
}

// join returns the text of parts, around the body.
func join(parts []Part) content {
	var (
		pieces content
		text   strings.Builder
	)
	for _, p := range parts {
		if p.Body {
			pieces = append(pieces, text.String())
			text.Reset()
			continue
		}
		text.WriteString(p.Text)
	}
	return append(pieces, text.String())
}
