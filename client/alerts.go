package client

import (
	"context"
	"net/http"
)

// AlertTest is what became of a test e-mail to one address that gets alerts.
type AlertTest struct {
	Address string `json:"address"`
	Sent    bool   `json:"sent"`
	Answer  string `json:"answer"` // what the mail server said when it took the e-mail
	Error   string `json:"error"`  // why it was not sent
}

// TestAlerts sends a test e-mail to each address that gets alerts. It needs an admin key, and fails with CodeConflict if the node that
// answers sends no alerts by e-mail.
func (c *Client) TestAlerts(ctx context.Context) ([]AlertTest, error) {
	list, err := fetch[List[AlertTest]](ctx, c, http.MethodPost, path("alerts", "test"), nil)
	if err != nil {
		return nil, err
	}
	return list.Data, nil
}
