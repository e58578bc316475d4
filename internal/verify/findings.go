package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/receive"
)

// fixBody is the remedy for every change of the body.
const fixBody = "Verify the bytes of the body exactly as they arrived, before anything parses, prints or stores them."

// around is the finding of a secret with more than itself.
var around = Finding{
	Mistake: MistakeSecret,
	Found:   "the secret has white space or quotes around it",
	Fix:     "Remove them where the secret is stored, such as a line break at the end of a variable.",
}

// replaced is the finding of a secret that is not the endpoint's, whose own one verifies the delivery.
var replaced = Finding{
	Mistake: MistakeSecret,
	Found:   "the endpoint's secret verifies the delivery, but yours does not: it was replaced, has expired, or is another endpoint's",
	Fix:     "Give the receiver the secret that the endpoint's API shows. While a secret is rotated, accept both.",
}

func malformedSecret(err error) Finding {
	return Finding{Mistake: MistakeSecret, Found: err.Error(), Fix: "Copy the whole secret as the endpoint's API shows it, with its prefix if it has one."}
}

func unreadBody(err error) Finding {
	return Finding{
		Mistake: MistakeBody,
		Found:   "the body is not a message of this dialect: " + strings.TrimPrefix(err.Error(), receive.ErrBody.Error()+": "),
		Fix:     "Check the dialect, and give the whole body as it arrived.",
	}
}

// missingHeader explains an error that matches receive.ErrHeader.
func missingHeader(q *Question, err error) Finding {
	finding := Finding{
		Mistake: MistakeHeader,
		Found:   strings.TrimPrefix(err.Error(), receive.ErrHeader.Error()+": "),
		Fix:     "Give all headers as they arrived, and see whether a proxy or framework in front of the receiver removes or renames some.",
	}
	if other := dialectOf(q.Header); other != "" && other != q.Dialect {
		finding.Fix = fmt.Sprintf("The headers are those of the dialect %s: give --dialect %s, and verify with what is meant for it.", other, other)
		return finding
	}
	if name, want := renamed(q.Header); name != "" {
		finding.Fix = fmt.Sprintf("The request has a header %q: read %s, which something in front of the receiver renames.", name, want)
	}
	return finding
}

// known are headers that only one dialect has.
var known = []struct{ name, dialect string }{
	{"Webhook-Signature", "standard"}, {"Bond-Signature", "atelio"}, {"LMG-Signature", "lemon"}, {"X-Event-Token", "akkuro"},
	{"Stripe-Signature", "stripe"}, {"X-Hub-Signature-256", "github"}, {"X-Shopify-Hmac-SHA256", "shopify"}, {"X-Slack-Signature", "slack"},
	{"X-Twilio-Signature", "twilio"}, {"Ce-Id", "cloudevents"},
}

// dialectOf returns the dialect to which the headers belong, or "".
func dialectOf(h http.Header) string {
	for _, of := range known {
		if h.Get(of.name) != "" {
			return of.dialect
		}
	}
	return ""
}

// renamed returns a header of the request that has another name than the one in which it is sent, such as
// HTTP_WEBHOOK_ID of CGI.
func renamed(h http.Header) (name, want string) {
	wanted := []string{"Webhook-Id", "Webhook-Timestamp"}
	for _, of := range known {
		wanted = append(wanted, of.name)
	}
	for _, want := range wanted {
		if h.Get(want) != "" {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(h)) {
			plain := strings.TrimPrefix(strings.ReplaceAll(strings.ToLower(name), "_", "-"), "http-")
			if plain == strings.ToLower(want) || plain == strings.Replace(strings.ToLower(want), "webhook-", "svix-", 1) {
				return name, want
			}
		}
	}
	return "", ""
}

// unexplained returns the most likely mistake if no change of the request or the secret makes the signature match.
func unexplained(q *Question, anyBody bool) Finding {
	if found := changedBody(q, anyBody); found != "" {
		return Finding{Mistake: MistakeBody, Found: found, Fix: fixBody}
	}
	if len(q.Endpoint) > 0 {
		return Finding{
			Mistake: MistakeBody,
			Found:   "none of the endpoint's secrets made this signature, so the body or a signed header was changed, or the secret was replaced since",
			Fix:     fixBody + " If the delivery is older than the last rotation, look at a newer one.",
		}
	}
	return Finding{
		Mistake: MistakeSecret,
		Found:   "the signature was most likely made with another secret; nothing shows that the body was changed",
		Fix:     "Compare the secret with what the endpoint's API shows: it may be another endpoint's, or have been replaced. With --endpoint, this command asks the server.",
	}
}

// changedBody says what shows that the body was changed, or returns "".
func changedBody(q *Question, anyForm bool) string {
	length, err := strconv.Atoi(q.Header.Get("Content-Length"))
	switch {
	case len(q.Body) == 0:
		return "the body is empty; it may have been read before"
	case err == nil && length != len(q.Body):
		return fmt.Sprintf("the body has %d bytes, but %d were sent by Content-Length", len(q.Body), length)
	case anyForm:
		return ""
	case !json.Valid(q.Body):
		return "the body is not JSON; it was cut off, or printed in the form of a programming language"
	case len(q.Body) > 1 && strings.ContainsRune(" \t\r\n", rune(q.Body[1])):
		return "the body is printed with line breaks or spaces, which Bellwire does not send"
	}
	return ""
}
