package dialecttest_test

import (
	"testing"

	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

// TestDeliveryBodies compares the body that is shown of a delivery with the one that was sent, in each dialect, and once more when
// the endpoint is deleted.
func TestDeliveryBodies(t *testing.T) {
	t.Parallel()
	for name, front := range fronts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := dialecttest.New(t, front.config)
			receiver := dialecttest.NewReceiver(t)
			w.PutType("order.paid", service.EventTypeInput{Group: "orders"})
			dialect := front.config.Dialect.Name()
			ep, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
				URL: &receiver.URL, Events: &[]string{"order.paid"}, Dialect: &dialect,
			})
			if err != nil {
				t.Fatal(err)
			}
			event := w.Publish("order.paid", `{"total": 1.50, "name": "é\u0041"}`)
			sent := receiver.Next()
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
