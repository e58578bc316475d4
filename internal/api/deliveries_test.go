package api

import "testing"

func TestResponseBodies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body     string
		cut            bool
		text, encoding string
	}{
		{"nothing", "", false, "", "text"},
		{"text", "grüße", false, "grüße", "text"},
		{"cut between characters", "grü", true, "grü", "text"},
		{"cut through a character", "gr\xc3", true, "gr", "text"},
		{"cut through a long character", "x\xf0\x9f\x98", true, "x", "text"},
		{"broken at its end", "gr\xc3", false, "Z3LD", "base64"},
		{"a replacement character of its own", "x\ufffd", true, "x\ufffd", "text"},
		{"bytes", "\xff\x00", false, "/wA=", "base64"},
		{"bytes, cut", "\xff\x00abc", true, "/wBhYmM=", "base64"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text, encoding := wireBody([]byte(test.body), test.cut)
			if text != test.text || encoding != test.encoding {
				t.Errorf("%s: %q as %s, want %q as %s", test.name, text, encoding, test.text, test.encoding)
			}
		})
	}
}
