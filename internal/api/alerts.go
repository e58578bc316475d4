package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/service"
)

// alertTest is a test of the alerts at one address on the wire.
type alertTest struct {
	Address string `json:"address" example:"ops@example.com"`
	Sent    bool   `json:"sent" doc:"Whether the mail server took the e-mail."`
	Answer  string `json:"answer" example:"2.0.0 Ok: queued as 4cXyz" doc:"What the mail server said when it took it."`
	Error   string `json:"error" doc:"Why it was not sent; empty if it was."`
}

// alertTests has the tests of all addresses on the wire.
type alertTests struct {
	Data []alertTest `json:"data"`
}

func wireAlertTests(tests []service.AlertTest) alertTests {
	wire := alertTests{Data: make([]alertTest, len(tests))}
	for i, t := range tests {
		wire.Data[i] = alertTest(t)
	}
	return wire
}

func (a *api) alerts() {
	route(a, service.Manage, huma.Operation{
		OperationID: "test-alerts", Method: http.MethodPost, Path: "/alerts/test", Tags: []string{tagServer},
		Summary: "Send a test e-mail to the addresses that get alerts", Errors: []int{http.StatusConflict},
		Description: "For admin keys. The node that answers sends it, and responds with what the mail server said. " +
			"Responds with 409 if the node sends no alerts by e-mail.",
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*output[alertTests], error) {
		tests, err := a.svc.TestAlerts(ctx, c)
		return answer(tests, err, wireAlertTests)
	})
}
