package bellwire

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestMaskURL(t *testing.T) {
	t.Parallel()
	// The text between « and » is hidden.
	for _, text := range []string{
		"https://example.com",
		"https://example.com/",
		"https://example.com:8443/webhooks",
		"https://example.com/hooks/bellwire/order-paid",
		"https://api.example.com/v1/webhookb2/IncomingWebhook/account_updater-v2.3/orders2026",
		"https://example.com/customers/1234567890/in/",
		"https://example.com/a//b/../internationalization/%C3%BCbersicht",
		"https://xn--bcher-kva.example/hook",
		"https://eo1a2b3c4d5e6f.m.example.net/hook", // hosts stay
		"https://hooks.slack.com/services/«T00000000»/«B00000000»/«XXXXXXXXXXXXXXXXXXXXXXXX»",
		"https://hooks.slack.com/services/«T024BE7LD»/«B07Q3ABCD»/«xoGkL29dkf83JdkfQw0sdlf3»",
		"https://discord.com/api/webhooks/«1139812345678901234»/«Zk3v-x9aQkD_7LmPq2RstUvWxYz01234567890abcdefghijklmnopqrstuvwxyz012»",
		"https://example.webhook.office.com/webhookb2/«a1b2c3d4-e5f6-7a8b-9c0d-1e2f3a4b5c6d@0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0»/IncomingWebhook/«0123456789abcdef0123456789abcdef»",
		"https://maker.ifttt.com/trigger/paid/with/key/«dGhpcyBpcyBhIHRlc3Q»",
		"https://example.com/in/«550e8400-e29b-41d4-a716-446655440000»",
		"https://example.com/in/«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln»",
		"https://example.com/in/«token=short»/x",
		"https://example.com/in?token=«x»&a=«b»&empty=&flag",
		"https://example.com/in?«xoGkL29dkf83JdkfQw0sdlf3»",
		"https://example.com?key=«a%20b»",
		"https://example.com/ʰʰʰʰ/%CA%B0%CA%B0%CA%B0%CA%B0/ǅǅǅǅ",
		"https://example.com/«٠١٢٣٤٥٦٧٨٩٠»/in",
		"https://example.com/уведомления/интеграция/オーダー通知受信",
		"https://example.com/«абвгдеёжзийклмнопрсту»/in",
		"https://example.com/ж1Д2ю3/«ж1Д2ю3Ы4»",
		"https://example.com/%zz«»",
	} {
		t.Run(fmt.Sprintf("%.60s", text), func(t *testing.T) {
			url := strings.NewReplacer("«", "", "»", "").Replace(text)
			want, hidden := "", []string{}
			for i, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '«' || r == '»' }) {
				if i%2 == 1 {
					hidden = append(hidden, part)
					part = "[redacted]"
				}
				want += part
			}
			if strings.HasSuffix(text, "%zz«»") { // cannot be read
				want, hidden = "https://example.com/[redacted]", []string{"%zz"}
			}
			got, secrets := MaskURL(url)
			if got != want || strings.Join(secrets, " ") != strings.Join(hidden, " ") {
				t.Errorf("%s:\ngot  %s %q\nwant %s %q", url, got, secrets, want, hidden)
			}
		})
	}
}

func TestHideInCut(t *testing.T) {
	t.Parallel()
	hidden := []string{"0123456789", "0123456789abcdef", "short"}
	for text, want := range map[string]string{
		"at 0123456789abcdef, short": "at [redacted], short",
		"at 0123456789, 0123456789a": "at [redacted], [redacted]a",
		"at 0123456789, 01234567":    "at [redacted], [redacted]",
		"at 0123456":                 "at 0123456",
		"01234567":                   "[redacted]",
		"":                           "",
	} {
		if got := HideInCut(text, hidden); got != want {
			t.Errorf("%q gave %q, want %q", text, got, want)
		}
	}
}

// TestMaskedTokens makes tokens as systems make them. Nearly all are known.
func TestMaskedTokens(t *testing.T) {
	t.Parallel()
	bytes := func(n int) []byte {
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails
		return b
	}
	for name, make := range map[string]func() string{
		"UUID":   uuid.NewString,
		"hex":    func() string { return hex.EncodeToString(bytes(16)) },
		"base32": rand.Text,
		"base64": func() string { return base64.RawURLEncoding.EncodeToString(bytes(24)) },
	} {
		t.Run(name, func(t *testing.T) {
			const tries = 2000
			missed := 0
			for range tries {
				if !looksLikeToken(make()) {
					missed++
				}
			}
			if missed > tries/50 {
				t.Errorf("%d of %d tokens of the form %s are not known", missed, tries, name)
			}
			t.Logf("%s: %d of %d", name, missed, tries)
		})
	}
}
