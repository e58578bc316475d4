package directory

import (
	"errors"
	"strings"
	"testing"

	"github.com/bellwire/bellwire"
)

// A tenant is told what an endpoint lacks, and nothing of faults inside this server.
func TestUnusable(t *testing.T) {
	t.Parallel()
	cause := errors.New("/var/lib/bellwire.keyset: cipher: message authentication failed")
	for err, want := range map[error]string{
		bellwire.Invalid("secret", "The endpoint has no secret."):                   "The endpoint has no secret.",
		bellwire.Wrap(bellwire.CodeInternal, cause, "The credentials do not open."): "The endpoint's configuration cannot be used",
		bellwire.Wrap(bellwire.CodeUnavailable, cause, "x"):                         "The endpoint's secrets cannot be opened",
		cause: "The endpoint's configuration cannot be used",
	} {
		got := unusable(err)
		if !strings.HasPrefix(got.Message, want) || strings.Contains(got.Message, "cipher") || !errors.Is(got, err) {
			t.Errorf("%v: %+v", err, got)
		}
	}
}
