package dialecttest_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

// formsOf returns a secret and its key as they could be written into a request.
func formsOf(secret string) []string {
	_, encoded, _ := strings.Cut(secret, "_")
	forms := []string{secret}
	for _, key := range [][]byte{[]byte(secret), []byte(encoded)} {
		if decoded, err := base64.StdEncoding.DecodeString(string(key)); err == nil && len(decoded) > 8 {
			forms = append(forms, hex.EncodeToString(decoded), base64.RawURLEncoding.EncodeToString(decoded), string(decoded))
		}
		if len(key) > 8 {
			forms = append(forms, string(key), hex.EncodeToString(key), base64.RawStdEncoding.EncodeToString(key))
		}
	}
	return forms
}

// TestDeliveryBodies compares the body that is shown of a delivery with the one that was sent, in each dialect, and once more when
// the endpoint is deleted. The secret is not in the request, unless the vendor's protocol is that.
func TestDeliveryBodies(t *testing.T) {
	t.Parallel()
	for name, front := range fronts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := dialecttest.New(t, front.config)
			receiver := dialecttest.NewReceiver(t)
			w.PutType("order.paid", service.EventTypeInput{Group: "orders"})
			dialect := front.config.Dialect.Name()
			ep, secret, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
				URL: &receiver.URL, Events: &[]string{"order.paid"}, Dialect: &dialect,
			})
			if err != nil {
				t.Fatal(err)
			}
			event := w.Publish("order.paid", `{"total": 1.50, "name": "é\u0041"}`)
			sent := receiver.Next()
			request := fmt.Sprint(sent.Target, sent.Header, string(sent.Body))
			found := slices.ContainsFunc(formsOf(secret.Secret), func(form string) bool { return form != "" && strings.Contains(request, form) })
			if isToken := dialect == "akkuro"; found != isToken { // Akkuro's receivers compare what they are sent
				t.Errorf("whether the receiver is sent the secret: %v, want %v\n%s", found, isToken, request)
			}
			id := w.Deliveries(event)[ep.ID].ID
			same := func() {
				t.Helper()
				shown, err := w.Service.DeliveryBody(t.Context(), dialecttest.Admin, w.Tenant, id, 0)
				if err != nil {
					t.Fatal(err)
				}
				if string(shown.Body) != string(sent.Body) || shown.ContentType != sent.Header.Get("Content-Type") {
					t.Errorf("%s: %s is shown, %s: %s was sent", shown.ContentType, shown.Body, sent.Header.Get("Content-Type"), sent.Body)
				}
			}
			same()
			if err := w.Service.DeleteEndpoint(t.Context(), dialecttest.Admin, w.Tenant, ep.ID); err != nil {
				t.Fatal(err)
			}
			same()
		})
	}
}
