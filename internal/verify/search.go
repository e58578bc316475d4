package verify

import (
	"bytes"
	"crypto/hmac"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"time"
)

// choice is a value that may have been used. A nil mistake means that it is the right one.
type choice[T any] struct {
	value   T
	mistake *Finding
}

// maxSecrets is the maximum number of secrets whose wrong forms are tried.
const maxSecrets = 16

// maxPaired is the maximum size of a body with which two mistakes at a time are tried.
const maxPaired = 1 << 20

// search looks for the fewest mistakes, between the given numbers, with which matches returns true.
func (s *signing) search(q *Question, secrets []string, matches func(key, content, []byte) bool, least, most int) ([]Finding, bool) {
	var keys []choice[key]
	for _, secret := range secrets[:min(len(secrets), maxSecrets)] {
		keys = append(keys, s.keys(secret)...)
	}
	contents := s.contents(q, s.head)
	if len(q.Body) > maxPaired {
		most = min(most, 1)
	}
	for number := least; number <= most; number++ {
		for body := range bodies(q.Body, s.head.python) {
			for _, k := range keys {
				for _, around := range contents {
					found := mistakes(k.mistake, body.mistake, around.mistake)
					if len(found) == number && matches(k.value, around.value, body.value) {
						return found, true
					}
				}
			}
			if number == 0 {
				break // the other bodies are mistakes
			}
		}
	}
	return nil, false
}

func mistakes(all ...*Finding) []Finding {
	var made []Finding
	for _, mistake := range all {
		if mistake != nil {
			made = append(made, *mistake)
		}
	}
	return made
}

// makes reports whether a digest is the HMAC of a text.
func (k key) makes(new func() hash.Hash, digest []byte, around content, body []byte) bool {
	if k.public != nil || new == nil {
		return false
	}
	mac := hmac.New(new, k.shared)
	for i, text := range around {
		if i > 0 {
			mac.Write(body)
		}
		mac.Write([]byte(text))
	}
	return hmac.Equal(mac.Sum(nil), digest)
}

// content is the text around the body in what is signed: the body is between each two of its parts.
type content []string

// with returns the text that is signed.
func (c content) with(body []byte) []byte {
	var text bytes.Buffer
	for i, part := range c {
		if i > 0 {
			text.Write(body)
		}
		text.WriteString(part)
	}
	return text.Bytes()
}

// standardContents returns what can be before the body in the signed text of Standard Webhooks.
func standardContents(q *Question, h *head) []choice[content] {
	list := contentList{want: "the text that is signed is webhook-id, a full stop, webhook-timestamp, a full stop and the body"}
	unix := h.sentAt.Unix()
	list.right(fmt.Sprintf("%s.%d.", h.id, unix))
	list.wrong("", "only the body was signed")
	list.wrong(fmt.Sprintf("%d.", unix), "the signed text has no webhook-id")
	list.wrong(h.id+".", "the signed text has no webhook-timestamp")
	list.wrong(fmt.Sprintf("%d.%s.", unix, h.id), "webhook-timestamp and webhook-id are in the wrong order in the signed text")
	list.wrong(fmt.Sprintf("%s%d", h.id, unix), "the signed text has no full stops between its parts")
	list.wrong(fmt.Sprintf("%s.%d000.", h.id, unix), "the timestamp in the signed text is in milliseconds")
	for i, id := range q.Header.Values("Webhook-Id") {
		if i > 0 {
			list.wrong(fmt.Sprintf("%s.%d.", id, unix), "the request has several headers webhook-id, and the first is not the one that was signed")
		}
	}
	if id := memberText(q.Body, "id"); id != "" {
		list.wrong(fmt.Sprintf("%s.%d.", id, unix), "the id in the signed text is that of the body, not webhook-id")
	}
	for _, at := range otherTimes(q, unix) {
		list.wrong(fmt.Sprintf("%s.%d.", h.id, at.at.Unix()), "the timestamp in the signed text is "+at.of+", not webhook-timestamp")
	}
	return list.choices
}

// timedContents returns what can be before the body in the signed text of lemon.markets and Atelio.
func timedContents(q *Question, h *head) []choice[content] {
	list := contentList{want: "the text that is signed is t, a full stop and the body"}
	unix := h.sentAt.Unix()
	list.right(fmt.Sprintf("%d.", unix))
	list.wrong("", "only the body was signed")
	list.wrong(fmt.Sprint(unix), "the signed text has no full stop after t")
	list.wrong(fmt.Sprintf("t=%d.", unix), `the signed text begins with "t="`)
	list.wrong(fmt.Sprintf("%d000.", unix), "t in the signed text is in milliseconds")
	for _, at := range otherTimes(q, unix) {
		list.wrong(fmt.Sprintf("%d.", at.at.Unix()), "the timestamp in the signed text is "+at.of+", not t")
	}
	return list.choices
}

// contentList collects what can be before the body.
type contentList struct {
	want    string // what is right
	choices []choice[content]
}

func (l *contentList) right(before string) { l.add(content{before, ""}, "") }

func (l *contentList) wrong(before, found string) { l.add(content{before, ""}, found) }

// add adds what can be around the body. An empty text of what was found means that it is right.
func (l *contentList) add(around content, found string) {
	if found == "" {
		l.choices = append(l.choices, choice[content]{value: around})
		return
	}
	l.choices = append(l.choices, choice[content]{around, &Finding{
		Mistake: MistakeContent, Found: found, Fix: strings.ToUpper(l.want[:1]) + l.want[1:] + ", with the headers as they arrived.",
	}})
}

// otherTime is a time that a receiver can take for that of the attempt.
type otherTime struct {
	at time.Time
	of string
}

// otherTimes returns the times in a delivery but that of the attempt.
func otherTimes(q *Question, unix int64) []otherTime {
	var times []otherTime
	add := func(at time.Time, err error, of string) {
		if err == nil && at.Unix() != unix {
			times = append(times, otherTime{at, of})
		}
	}
	date, err := http.ParseTime(q.Header.Get("Date"))
	add(date, err, "that of the header Date")
	for _, name := range []string{"timestamp", "created_at", "occurred_at"} {
		at, err := time.Parse(time.RFC3339Nano, memberText(q.Body, name))
		add(at, err, fmt.Sprintf("the field %q of the body", name))
	}
	add(q.ReceivedAt, nil, "the time at which the delivery was received")
	return times
}
