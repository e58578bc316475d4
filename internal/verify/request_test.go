package verify_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/verify"
)

func TestParseRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, header, body string }{
		{"request line", "POST /hooks HTTP/1.1\r\nWebhook-Id: evt_1\r\n\r\n{}", "evt_1", "{}"},
		{"headers only", "webhook-id:evt_1\n\n{}\n", "evt_1", "{}\n"},
		{"line break of the file", "Webhook-Id: evt_1\nContent-Length: 2\n\n{}\n", "evt_1", "{}"},
		{"longer than said", "Webhook-Id: evt_1\nContent-Length: 2\n\n{ }", "evt_1", "{ }"},
		{"shorter than said", "Webhook-Id: evt_1\nContent-Length: 9\n\n{}", "evt_1", "{}"},
		{"chunks", "Webhook-Id: evt_1\nTransfer-Encoding: chunked\n\n2\r\n{}\r\n0\r\n\r\n", "evt_1", "{}"},
		{"chunks decoded before", "Webhook-Id: evt_1\nTransfer-Encoding: chunked\n\n{}", "evt_1", "{}"},
		{"empty body", "Webhook-Id: evt_1\n\n", "evt_1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			header, body, err := verify.ParseRequest([]byte(c.text))
			if err != nil || header.Get("Webhook-Id") != c.header || string(body) != c.body {
				t.Errorf("got %v, %q, %v", header, body, err)
			}
		})
	}
	for name, text := range map[string]string{
		"nothing":       "",
		"no body":       "Webhook-Id: evt_1",
		"body only":     "{\"type\":\"a\"}\n\n",
		"no colon":      "POST /hooks HTTP/1.1\nhello\n\n{}",
		"empty name":    ": x\n\n",
		"second status": "A: b\nPOST / HTTP/1.1\n\n",
		"many headers":  strings.Repeat("A: b\n", 1001) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if header, body, err := verify.ParseRequest([]byte(text)); err == nil {
				t.Errorf("got %v, %q", header, body)
			}
		})
	}
}

// No request and no secret brings the check down, and what is verified is verified by the dialect's own verifier.
func FuzzCheck(f *testing.F) {
	d := dialects[0]
	f.Add("Webhook-Id: evt_1\nWebhook-Timestamp: 1709287200\nWebhook-Signature: v1,"+strings.Repeat("A", 43)+"=\n\n"+d.body, d.secret, 0)
	f.Add("LMG-Signature: t=1709287200,v1="+strings.Repeat("0", 64)+"\n\n"+dialects[1].body, dialects[1].secret, 1)
	f.Add("Bond-Signature: t=1709287200,v1="+strings.Repeat("0", 64)+"\n\n"+dialects[2].body, dialects[2].secret, 2)
	f.Add("A: b\nTransfer-Encoding: chunked\n\n\"\\", "v1,whsec_", 0)
	f.Fuzz(func(t *testing.T, request, secret string, number int) {
		header, body, err := verify.ParseRequest([]byte(request))
		if err != nil {
			return
		}
		d := dialects[uint(number)%uint(len(dialects))]
		q := verify.Question{Dialect: d.name, Header: header, Body: body, Secrets: []string{secret}, ReceivedAt: time.Unix(unix, 0), New: d.open}
		answer, err := verify.Check(q)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := verify.Check(q)
		if diff := cmp.Diff(answer, again); diff != "" {
			t.Errorf("two answers differ:\n%s", diff)
		}
		if len(answer.Findings) == 0 && !verified(d, secret, header, body) {
			t.Error("no mistake was found, but the verifier refuses the delivery")
		}
	})
}

func verified(d signing, secret string, header http.Header, body []byte) bool {
	verifier, err := d.open(secret)
	if err != nil {
		return false
	}
	_, err = verifier.Verify(header, body)
	return err == nil || strings.Contains(err.Error(), "timestamp too old")
}
