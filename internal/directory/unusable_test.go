package directory

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Tenants see why an endpoint is unusable, and no faults inside this server.
func TestUnusable(t *testing.T) {
	t.Parallel()
	cause := errors.New("/var/lib/bellwire.keyset: cipher: message authentication failed")
	for err, want := range map[error]string{
		bellwire.Invalid("secret", "must not be empty"):                            "secret must not be empty",
		bellwire.Wrap(bellwire.CodeInternal, cause, "the credentials do not open"): "the endpoint cannot be served on this server right now",
		bellwire.Wrap(bellwire.CodeUnavailable, cause, "x"):                        "the endpoint cannot be served on this server right now",
		cause: "the endpoint cannot be served on this server right now",
	} {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			got := unusable(err)
			if (got.Code == bellwire.CodeInvalid) != (bellwire.CodeOf(err) == bellwire.CodeInvalid) {
				t.Errorf("%v: the code is %s", err, got.Code)
			}
			if !strings.HasPrefix(got.Message, want) || strings.Contains(got.Message, "cipher") || !errors.Is(got, err) {
				t.Errorf("%v: %+v", err, got)
			}
		})
	}
}
