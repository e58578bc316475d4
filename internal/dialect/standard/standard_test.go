package standard_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/receive/sign"
)

var dialect standard.Dialect

func TestDefaults(t *testing.T) {
	t.Parallel()
	want := bellwire.Defaults{Retry: bellwire.StandardRetryPolicy(), Timeout: 15 * time.Second, AutoDisableAfter: 120 * time.Hour, Overlap: 24 * time.Hour}
	if diff := cmp.Diff(want, dialect.Defaults()); diff != "" {
		t.Error(diff)
	}
	if dialect.Name() != "standard" {
		t.Errorf("its name is %q", dialect.Name())
	}
}

func TestNewEndpointID(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	form := regexp.MustCompile(`^ep_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$`)
	first, second := dialect.NewEndpointID(now), dialect.NewEndpointID(now.Add(time.Millisecond))
	if !form.MatchString(first) || !form.MatchString(second) || first >= second {
		t.Errorf("got %q, then %q", first, second)
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	for signing, asymmetric := range map[bellwire.Signing]bool{
		bellwire.SigningHMAC: false, bellwire.SigningEd25519: true, bellwire.SigningBoth: true,
	} {
		secret, err := dialect.NewSecret(signing)
		if err != nil {
			t.Fatal(err)
		}
		if err := dialect.CheckSecret(secret.Value); err != nil || !secret.ExpiresAt.IsZero() {
			t.Errorf("%s: a new secret is not good: %v", signing, err)
		}
		if (secret.PrivateKey != "") != asymmetric {
			t.Errorf("%s: there is a private key: %t", signing, !asymmetric)
		}
		if asymmetric {
			if _, err := sign.ParsePrivateKey(secret.PrivateKey); err != nil {
				t.Errorf("%s: %v", signing, err)
			}
		}
		again, err := dialect.NewSecret(signing)
		if err != nil || again.Value == secret.Value || asymmetric && again.PrivateKey == secret.PrivateKey {
			t.Errorf("%s: two secrets are the same: %v", signing, err)
		}
	}
	if _, err := dialect.NewSecret("rot13"); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("signing rot13: %v", err)
	}
}

func TestCheckSecret(t *testing.T) {
	t.Parallel()
	const bad = "whsec_c2hvcnQ="
	err := dialect.CheckSecret(bad)
	if bellwire.CodeOf(err) != bellwire.CodeInvalid || strings.Contains(err.Error(), "c2hvcnQ=") {
		t.Errorf("got %v", err)
	}
	if err := dialect.CheckSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"); err != nil {
		t.Errorf("a secret of 24 bytes: %v", err)
	}
}

func TestSettleAndBindRefuseUnusableSecrets(t *testing.T) {
	t.Parallel()
	good, err := dialect.NewSecret(bellwire.SigningBoth)
	if err != nil {
		t.Fatal(err)
	}
	shared := bellwire.Secret{Value: good.Value}
	expiring := bellwire.Secret{Value: good.Value, ExpiresAt: time.Now().Add(time.Hour)}
	for _, tc := range []struct {
		name    string
		signing bellwire.Signing
		secrets []bellwire.Secret
		field   string // empty: it is taken
	}{
		{"hmac", bellwire.SigningHMAC, []bellwire.Secret{shared}, ""},
		{"both, and one from before", bellwire.SigningBoth, []bellwire.Secret{good, expiring}, ""},
		{"ed25519", bellwire.SigningEd25519, []bellwire.Secret{good}, ""},
		{"no secret", bellwire.SigningHMAC, nil, "secret"},
		{"none that lasts", bellwire.SigningHMAC, []bellwire.Secret{expiring}, "secret"},
		{"no private key", bellwire.SigningEd25519, []bellwire.Secret{shared}, "signing"},
		{"no private key for both", bellwire.SigningBoth, []bellwire.Secret{shared, good}, "signing"},
		{"unknown signing", "rot13", []bellwire.Secret{good}, "signing"},
		{"no signing", "", []bellwire.Secret{good}, "signing"},
		{"broken secret", bellwire.SigningHMAC, []bellwire.Secret{{Value: "whsec_x"}}, "secret"},
		{"broken key", bellwire.SigningEd25519, []bellwire.Secret{{Value: good.Value, PrivateKey: "whsk_x"}}, "secret"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ep, c := &bellwire.Endpoint{Signing: tc.signing}, &bellwire.Credentials{Secrets: tc.secrets}
			_, bindErr := dialect.Bind(ep, c)
			for _, err := range []error{dialect.Normalize(ep, c, nil), bindErr} {
				if got := fieldOf(t, err); got != tc.field {
					t.Errorf("%s: the field at fault is %q, want %q (%v)", tc.name, got, tc.field, err)
				}
			}
		})
	}
}
