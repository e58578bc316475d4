package bellwire

import (
	"context"
	"time"
)

// MaxAlerts is how many alerts wait for one address. Further ones are not kept until a digest has been sent.
const MaxAlerts = 500

// MaxAlertAddresses is the maximum number of addresses that get alerts.
const MaxAlertAddresses = 20

// Alert is an operational event that an e-mail address is to be told of.
type Alert struct {
	Number int64 // in the order in which the store kept them
	Type   string
	Data   []byte // JSON of OperationalData, without Before and After
}

// AlertAddress is an e-mail address for which alerts wait.
type AlertAddress struct {
	Address string
	Since   time.Time // of the oldest alert
	SentAt  time.Time // of the last digest; zero: none was sent
}

// Alerts is the part of a Store that keeps alerts until they are sent. They are kept in the same transactions as operational events,
// for each address that is set. None are kept about OperationsTenant.
type Alerts interface {
	// SetAlertAddresses sets the addresses that alerts are kept for, which replace those before. It forgets the alerts of others.
	SetAlertAddresses(ctx context.Context, addresses []string) error
	// AlertAddresses returns the addresses for which alerts wait, in their order.
	AlertAddresses(ctx context.Context) ([]AlertAddress, error)
	// Alerts returns the alerts that wait for an address, oldest first.
	Alerts(ctx context.Context, address string) ([]*Alert, error)
	// EndAlerts forgets alerts of an address that a digest sent at the given time contained.
	EndAlerts(ctx context.Context, address string, numbers []int64, at time.Time) error
}
