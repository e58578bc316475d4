package receive_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/bellwire/bellwire/receive"
)

// A receiver that does not use a Handler verifies the headers and the body exactly as they came.
func ExampleStandard() {
	verifier, err := receive.Standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		panic(err)
	}
	header := http.Header{}
	header.Set("webhook-id", "evt_0198f2b4c1d27a3b8c4d5e6f70819203")
	header.Set("webhook-timestamp", "1777856581")
	header.Set("webhook-signature", "v1,KwQBOE0MAi/5pT+y/zae7f6H2lrWk8fW6LVRY9ymakc=")
	body := []byte(`{"type":"card.created","timestamp":"2026-05-04T01:02:01.123456Z","data":{"id": "c_1", "limit": 1.0}}`)
	verifier.Now = func() time.Time { return time.Unix(1777856590, 0) } // so that this old delivery is accepted

	d, err := verifier.Verify(header, body)
	if err != nil {
		panic(err)
	}
	fmt.Println(d.ID, d.Type, string(d.Data))

	_, err = verifier.Verify(header, append(body, ' '))
	fmt.Println(err, errors.Is(err, receive.ErrSignature))
	// Output:
	// evt_0198f2b4c1d27a3b8c4d5e6f70819203 card.created {"id": "c_1", "limit": 1.0}
	// no matching signature true
}

// A receiver that serves HTTP mounts a Handler.
func ExampleHandler() {
	verifier, err := receive.Standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/webhooks", &receive.Handler{
		Verifier: verifier,
		Deliver: func(ctx context.Context, d *receive.Delivery) error {
			return nil // store d for processing, unless d.ID is known already
		},
	})

	// A stranger's request.
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("POST", "/webhooks", strings.NewReader(`{"type":"card.created"}`)))
	fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	// Output:
	// 400 missing or malformed header: webhook-id is required and must not contain a full stop
}
