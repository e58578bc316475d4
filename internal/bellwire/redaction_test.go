package bellwire_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestCredentialsDoNotPrint(t *testing.T) {
	t.Parallel()
	secret := bellwire.Secret{Value: "hush", PrivateKey: "hush"}
	auth := bellwire.Auth{Type: bellwire.AuthBasic, Username: "hush", Password: "hush", Key: "hush", Token: "hush"}
	all := bellwire.Credentials{Secrets: []bellwire.Secret{secret}, Auth: auth, Headers: []bellwire.Header{{Name: "X", Value: "hush"}}}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{secret, &secret, auth, &auth, all, &all} {
		fmt.Fprintf(&out, "%v %+v %s", v, v, v)
		log.Info("it", "v", v)
	}
	if strings.Contains(out.String(), "hush") {
		t.Error(out.String())
	}
}
