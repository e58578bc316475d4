package azakaw

import (
	"fmt"
	"testing"
	"testing/quick"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestJoin(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"https://example.com/api", "/webhook/events", "https://example.com/api/webhook/events"},
		{"https://example.com/api/", "webhook/events", "https://example.com/api/webhook/events"},
		{"https://example.com/api//", "//webhook", "https://example.com/api/webhook"},
		{"https://example.com/api/", "", "https://example.com/api/"},
		{"https://example.com", "/", "https://example.com/"},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			if got := join(c[0], c[1]); got != c[2] {
				t.Errorf("%s and %s: %s", c[0], c[1], got)
			}
		})
	}
	same := func(rest string) bool {
		url := "https://example.com" + rest
		return join(split(url)) == url
	}
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
	for _, rest := range []string{"", "/", "//a", "/a/", "?a=/b", "/a?b=c/d"} {
		t.Run(rest, func(t *testing.T) {
			if !same(rest) {
				t.Errorf("%q is not joined of what it was split into", rest)
			}
		})
	}
}

// FuzzInput checks that a body is either refused or read as a valid configuration.
func FuzzInput(f *testing.F) {
	for _, body := range []string{
		`{"webhookBaseUrl":"https://example.com/api","webhookRelativePath":"/x"}`,
		`{"WEBHOOKBASEURL":"https://example.com","RetryCount":5,"RetryInterval":"00:01:30","IsActive":false}`,
		`{"webhookBaseUrl":"https://a","authType":"ApiKey","authSettings":{"apiKey":"k","header":"X"}}`,
		`{"webhookBaseUrl":"https://a","authType":"Basic","authSettings":{"username":"u","password":"p"},"retryInterval":1e2}`,
		`{"webhookBaseUrl":"https://a","authSettings":null}`, `{"id":null}`, `null`, `[]`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := parse(body)
		if err == nil {
			var wanted any
			wanted, err = in.wanted("acme", "", nil, bellwire.DialectSettings{})
			_ = wanted
		}
		if err != nil {
			if code := bellwire.CodeOf(err); code != bellwire.CodeInvalid && code != bellwire.CodeMalformed {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		out, _ := in.wanted("acme", "", nil, bellwire.DialectSettings{})
		if out.Retry != nil && out.Retry.Check() != nil || out.URL == nil || (out.Auth == nil) == in.AuthType.Given {
			t.Errorf("%q is taken for %+v", body, out)
		}
	})
}
