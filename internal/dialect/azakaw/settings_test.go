package azakaw_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialecttest"
)

// TestSettings: azakaw's API key is in one header, which customers do not name. Headers and the user agent are those of the settings
// at the time of each attempt, and an endpoint's own headers come first.
func TestSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	w.Set(bellwire.DialectSettings{
		Retry: &bellwire.RetryPolicy{Interval: bellwire.Duration(2 * time.Minute), Count: 5}, Timeout: bellwire.Duration(7 * time.Second),
		APIKeyHeader: "X-Azakaw-Key", UserAgent: "azakaw-webhooks/1.0", Headers: map[string]string{"x-platform": "azakaw", "X-Azakaw-Key": "none"},
		Auth: &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: "X-Tenant-Key", Key: "of-the-tenant"},
	})
	const made = `{"webhookBaseUrl":"{url}","authType":"ApiKey","authSettings":{"apiKey":"your-api-key"}}`
	dialecttest.Run(t, w, []step{
		{Name: "defaults", Do: "POST /webhooks", Body: made, Status: 201,
			Want: `<any>"id":"<id:uuid>"<any>"retryCount":5,"retryInterval":120,<any>"authSettings":{"apiKey":"********","header":"X-Azakaw-Key"}<any>`},
		{Name: "a count of its own", Do: "POST /webhooks", Body: `{"webhookBaseUrl":"{url}/x","retryCount":1,"isActive":false}`, Status: 201,
			Want: `<any>"retryCount":1,"retryInterval":120,<any>`},
	})
	ep, err := w.Service.Endpoint(t.Context(), dialecttest.Admin, w.Tenant, w.Vars["id"])
	if err != nil || ep.Timeout != 7*time.Second {
		t.Errorf("the timeout is %v, %v", ep.Timeout, err)
	}
	const data = `{"RiskAssessmentId":"12345","SubmissionId":"67890","Risk":"Low","ClientRating":"Retail"}`
	arrival := func(agent, platform string) {
		t.Helper()
		w.Publish("RiskAssessmentCalculated", data)
		got := receiver.Next().Header
		if got.Get("User-Agent") != agent || got.Get("X-Platform") != platform || got.Get("X-Azakaw-Key") != "your-api-key" {
			t.Errorf("the headers are %v", got)
		}
	}
	dialecttest.Run(t, w, []step{
		{Name: "the tenant's key", Do: "POST /webhooks", Body: `{"webhookBaseUrl":"{url}/y","isActive":false}`, Status: 201,
			Want: `<any>"authType":"ApiKey","authSettings":{"apiKey":"********","header":"X-Tenant-Key"}<any>`},
		{Name: "none", Do: "POST /webhooks", Body: `{"webhookBaseUrl":"{url}/z","isActive":false,"authType":"None"}`, Status: 201, Want: `<any>"authType":"None",<any>`},
	})
	arrival("azakaw-webhooks/1.0", "azakaw")
	w.Set(bellwire.DialectSettings{UserAgent: "azakaw-webhooks/2.0"})
	arrival("azakaw-webhooks/2.0", "")
	w.Set(bellwire.DialectSettings{})
	arrival("Bellwire/test", "")
}
