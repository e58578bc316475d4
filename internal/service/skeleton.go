package service

import (
	"context"
	"time"

	"github.com/bellwire/bellwire"
)

func (s *Service) Authenticate(ctx context.Context, secret string) (Caller, error) { panic("") }
func (s *Service) BootstrapAdmin(ctx context.Context) (secret string, created bool, err error) {
	panic("")
}
func (s *Service) CreateTenant(ctx context.Context, c Caller, in NewTenant) (*bellwire.Tenant, error) {
	panic("")
}
func (s *Service) Tenant(ctx context.Context, c Caller, id string) (*bellwire.Tenant, error) {
	panic("")
}
func (s *Service) Tenants(ctx context.Context, c Caller, page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
	panic("")
}
func (s *Service) UpdateTenant(ctx context.Context, c Caller, id string, in TenantChange) (*bellwire.Tenant, error) {
	panic("")
}
func (s *Service) DeleteTenant(ctx context.Context, c Caller, id string) error { panic("") }

// CreateKey makes a key of a tenant, or of the operator if tenant is empty. The secret is shown here only.
func (s *Service) CreateKey(ctx context.Context, c Caller, tenant string, in NewKey) (key *Key, secret string, err error) {
	panic("")
}
func (s *Service) Keys(ctx context.Context, c Caller, tenant string, page bellwire.Page) (*bellwire.List[*Key], error) {
	panic("")
}
func (s *Service) DeleteKey(ctx context.Context, c Caller, tenant string, id bellwire.KeyID) error {
	panic("")
}
func (s *Service) PutEventType(ctx context.Context, c Caller, name string, in EventTypeInput) (t *bellwire.EventType, created bool, err error) {
	panic("")
}
func (s *Service) EventType(ctx context.Context, c Caller, name string) (*bellwire.EventType, error) {
	panic("")
}
func (s *Service) EventTypes(ctx context.Context, c Caller, page bellwire.Page) (*bellwire.List[*bellwire.EventType], error) {
	panic("")
}
func (s *Service) DeleteEventType(ctx context.Context, c Caller, name string) error { panic("") }
func (s *Service) CreateEndpoint(ctx context.Context, c Caller, tenant string, in EndpointInput) (*Endpoint, *EndpointSecret, error) {
	panic("")
}
func (s *Service) Endpoint(ctx context.Context, c Caller, tenant, id string) (*Endpoint, error) {
	panic("")
}
func (s *Service) Endpoints(ctx context.Context, c Caller, tenant string, page bellwire.Page) (*bellwire.List[*Endpoint], error) {
	panic("")
}
func (s *Service) UpdateEndpoint(ctx context.Context, c Caller, tenant, id string, in EndpointInput) (*Endpoint, error) {
	panic("")
}
func (s *Service) DeleteEndpoint(ctx context.Context, c Caller, tenant, id string) error { panic("") }
func (s *Service) EndpointSecret(ctx context.Context, c Caller, tenant, id string) (*EndpointSecret, error) {
	panic("")
}

// RotateSecret: overlap nil: 24 hours.
func (s *Service) RotateSecret(ctx context.Context, c Caller, tenant, id string, overlap *time.Duration) (*EndpointSecret, error) {
	panic("")
}

// TestEndpoint: eventType empty: one that the endpoint subscribes to.
func (s *Service) TestEndpoint(ctx context.Context, c Caller, tenant, id, eventType string) (TestReceipt, error) {
	panic("")
}
func (s *Service) Publish(ctx context.Context, c Caller, tenant string, d Draft) (Receipt, error) {
	panic("")
}
func (s *Service) PublishBatch(ctx context.Context, c Caller, tenant string, drafts []Draft) ([]Receipt, error) {
	panic("")
}
func (s *Service) Event(ctx context.Context, c Caller, tenant string, id bellwire.EventID) (*bellwire.Event, error) {
	panic("")
}
func (s *Service) Events(ctx context.Context, c Caller, f bellwire.EventFilter, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	panic("")
}
func (s *Service) Delivery(ctx context.Context, c Caller, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, []*bellwire.Attempt, error) {
	panic("")
}
func (s *Service) Deliveries(ctx context.Context, c Caller, f bellwire.DeliveryFilter, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	panic("")
}
func (s *Service) RetryDelivery(ctx context.Context, c Caller, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error) {
	panic("")
}
func (s *Service) CancelDelivery(ctx context.Context, c Caller, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error) {
	panic("")
}
