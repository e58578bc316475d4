package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
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

// search looks for the fewest mistakes, at least the given number and at most two, with which matches returns true.
func (s *scheme) search(q *Question, h *head, secrets []string, matches func(key, string, []byte) bool, least int) ([]Finding, bool) {
	var keys []choice[key]
	for _, secret := range secrets[:min(len(secrets), maxSecrets)] {
		keys = append(keys, s.keys(secret)...)
	}
	contents := s.contents(q, h)
	most := 2
	if len(q.Body) > maxPaired {
		most = 1
	}
	for number := least; number <= most; number++ {
		for body := range bodies(q.Body, h.python) {
			for _, k := range keys {
				for _, content := range contents {
					found := mistakes(k.mistake, body.mistake, content.mistake)
					if len(found) == number && matches(k.value, content.value, body.value) {
						return found, true
					}
				}
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

// makes reports whether a digest is the HMAC of a text that begins with content and ends with body.
func (k key) makes(digest []byte, content string, body []byte) bool {
	if k.public != nil {
		return false
	}
	mac := hmac.New(sha256.New, k.shared)
	mac.Write([]byte(content))
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), digest)
}

// standardContents returns what can be before the body in the signed text of Standard Webhooks.
func standardContents(q *Question, h *head) []choice[string] {
	list := contentList{want: "the text that is signed is webhook-id, a full stop, webhook-timestamp, a full stop and the body"}
	list.right(fmt.Sprintf("%s.%d.", h.id, h.unix))
	list.wrong("", "only the body was signed")
	list.wrong(fmt.Sprintf("%d.", h.unix), "the signed text has no webhook-id")
	list.wrong(h.id+".", "the signed text has no webhook-timestamp")
	list.wrong(fmt.Sprintf("%d.%s.", h.unix, h.id), "webhook-timestamp and webhook-id are in the wrong order in the signed text")
	list.wrong(fmt.Sprintf("%s%d", h.id, h.unix), "the signed text has no full stops between its parts")
	list.wrong(fmt.Sprintf("%s.%d000.", h.id, h.unix), "the timestamp in the signed text is in milliseconds")
	for i, id := range q.Header.Values("Webhook-Id") {
		if i > 0 {
			list.wrong(fmt.Sprintf("%s.%d.", id, h.unix), "the request has several headers webhook-id, and the first is not the one that was signed")
		}
	}
	if id := memberText(q.Body, "id"); id != "" {
		list.wrong(fmt.Sprintf("%s.%d.", id, h.unix), "the id in the signed text is that of the body, not webhook-id")
	}
	for _, at := range otherTimes(q, h.unix) {
		list.wrong(fmt.Sprintf("%s.%d.", h.id, at.unix), "the timestamp in the signed text is "+at.of+", not webhook-timestamp")
	}
	return list.choices
}

// timedContents returns what can be before the body in the signed text of lemon.markets and Atelio.
func timedContents(q *Question, h *head) []choice[string] {
	list := contentList{want: "the text that is signed is t, a full stop and the body"}
	list.right(fmt.Sprintf("%d.", h.unix))
	list.wrong("", "only the body was signed")
	list.wrong(fmt.Sprint(h.unix), "the signed text has no full stop after t")
	list.wrong(fmt.Sprintf("t=%d.", h.unix), `the signed text begins with "t="`)
	list.wrong(fmt.Sprintf("%d000.", h.unix), "t in the signed text is in milliseconds")
	for _, at := range otherTimes(q, h.unix) {
		list.wrong(fmt.Sprintf("%d.", at.unix), "the timestamp in the signed text is "+at.of+", not t")
	}
	return list.choices
}

// contentList collects what can be before the body.
type contentList struct {
	want    string // what is right
	choices []choice[string]
}

func (l *contentList) right(text string) { l.choices = append(l.choices, choice[string]{value: text}) }

func (l *contentList) wrong(text, found string) {
	l.choices = append(l.choices, choice[string]{text, &Finding{
		Mistake: MistakeContent, Found: found, Fix: strings.ToUpper(l.want[:1]) + l.want[1:] + ", with the headers as they arrived.",
	}})
}

// otherTime is a time that a receiver can take for that of the attempt.
type otherTime struct {
	unix int64
	of   string
}

// otherTimes returns the times in a delivery but that of the attempt.
func otherTimes(q *Question, unix int64) []otherTime {
	var times []otherTime
	add := func(at time.Time, err error, of string) {
		if err == nil && at.Unix() != unix {
			times = append(times, otherTime{at.Unix(), of})
		}
	}
	date, err := http.ParseTime(q.Header.Get("Date"))
	add(date, err, "that of the header Date")
	for _, name := range []string{"timestamp", "created_at", "occurred_at"} {
		at, err := time.Parse(time.RFC3339Nano, memberText(q.Body, name))
		add(at, err, fmt.Sprintf("the member %q of the body", name))
	}
	add(q.ReceivedAt, nil, "the time at which the delivery was received")
	return times
}
