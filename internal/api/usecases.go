package api

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/live"
	"github.com/bellwire/bellwire/internal/service"
)

// useCases is what the API needs of *service.Service.
type useCases interface {
	Authenticate(ctx context.Context, secret string) (service.Caller, error)
	AuthenticatePublisher(ctx context.Context, secret string) (service.Caller, error)
	Publish(ctx context.Context, c service.Caller, tenant string, d service.Draft) (service.Receipt, error)
	PublishBatch(ctx context.Context, c service.Caller, tenant string, drafts []service.Draft) ([]service.Receipt, error)
	BeginReading(ctx context.Context, tenant string, bytes int) (end func(), err error)
	MaxEventBytes() int
	Permit(ctx context.Context, c service.Caller, p service.Permission, tenant string) error
	BeginRequest(ctx context.Context, c service.Caller, key string, digest [32]byte) (*service.Request, *service.Reply, error)

	Tenants(ctx context.Context, c service.Caller, page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error)
	Tenant(ctx context.Context, c service.Caller, id string) (*bellwire.Tenant, error)
	CreateTenant(ctx context.Context, c service.Caller, in service.NewTenant) (*bellwire.Tenant, error)
	PutTenant(ctx context.Context, c service.Caller, in service.NewTenant) (t *bellwire.Tenant, created bool, err error)
	UpdateTenant(ctx context.Context, c service.Caller, id string, in service.TenantChange) (*bellwire.Tenant, error)
	DeleteTenant(ctx context.Context, c service.Caller, id string) error
	TenantGoneBy(ctx context.Context, c service.Caller, id string) (time.Time, error)
	LimitsOf(t *bellwire.Tenant) *bellwire.Limits

	Keys(ctx context.Context, c service.Caller, tenant string, page bellwire.Page) (*bellwire.List[*service.Key], error)
	CreateKey(ctx context.Context, c service.Caller, tenant string, in service.NewKey) (key *service.Key, secret string, err error)
	DeleteKey(ctx context.Context, c service.Caller, tenant string, id bellwire.KeyID) error

	AuthenticateConsole(ctx context.Context, token string) (service.Caller, error)
	AuthenticatePortal(ctx context.Context, token string) (service.Caller, error)
	SignIn(ctx context.Context, c service.Caller, by service.Client) (s *bellwire.Session, token string, err error)
	CreateConsoleLink(ctx context.Context, c service.Caller) (s *bellwire.Session, code string, err error)
	ExchangeConsoleCode(ctx context.Context, code string, by service.Client) (s *bellwire.Session, token string, err error)
	ExchangePortalCode(ctx context.Context, code string, by service.Client) (s *bellwire.Session, token string, err error)
	ConsoleSessions(ctx context.Context, c service.Caller, page bellwire.Page) (*bellwire.List[*bellwire.Session], error)
	CurrentSession(ctx context.Context, c service.Caller) (*service.OwnSession, error)
	EndSession(ctx context.Context, c service.Caller, tenant string, id bellwire.SessionID) error
	CreatePortalSession(ctx context.Context, c service.Caller, tenant string, in service.NewPortalSession) (s *bellwire.Session, code string, err error)
	PortalSessions(ctx context.Context, c service.Caller, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.Session], error)

	EventTypes(ctx context.Context, c service.Caller, page bellwire.Page) (*bellwire.List[*bellwire.EventType], error)
	EventType(ctx context.Context, c service.Caller, name string) (*bellwire.EventType, error)
	PutEventType(ctx context.Context, c service.Caller, name string, in service.EventTypeInput) (t *bellwire.EventType, created bool, err error)
	AddVersion(ctx context.Context, c service.Caller, name string, in service.NewVersion) (*bellwire.EventType, error)
	CountVersions(ctx context.Context, c service.Caller, name string) ([]service.VersionCount, error)
	PutConverter(ctx context.Context, c service.Caller, name string, number int, converter string) (*bellwire.EventType, error)
	DeleteEventType(ctx context.Context, c service.Caller, name string) error

	Endpoints(ctx context.Context, c service.Caller, f service.EndpointQuery, page bellwire.Page) (*bellwire.List[*service.Endpoint], error)
	AllEndpoints(ctx context.Context, c service.Caller, f service.EndpointQuery, page bellwire.Page) (*bellwire.List[*service.Endpoint], error)
	Endpoint(ctx context.Context, c service.Caller, tenant, id string) (*service.Endpoint, error)
	CreateEndpoint(ctx context.Context, c service.Caller, tenant string, in service.EndpointInput) (*service.Endpoint, *service.EndpointSecret, error)
	PutEndpoint(ctx context.Context, c service.Caller, tenant, id string, in service.EndpointInput) (ep *service.Endpoint, secret *service.EndpointSecret, created bool, err error)
	UpdateEndpoint(ctx context.Context, c service.Caller, tenant, id string, in service.EndpointInput) (*service.Endpoint, error)
	DeleteEndpoint(ctx context.Context, c service.Caller, tenant, id string) error
	EndpointVersions(ctx context.Context, c service.Caller, tenant, id string) ([]service.TypeVersion, error)
	PreviewVersions(ctx context.Context, c service.Caller, tenant, id string, in service.VersionTrial) ([]*service.VersionPreview, error)
	EndpointHistory(ctx context.Context, c service.Caller, tenant, id string, page bellwire.Page) (*bellwire.List[*bellwire.Change], error)
	EndpointSecret(ctx context.Context, c service.Caller, tenant, id string) (*service.EndpointSecret, error)
	RotateSecret(ctx context.Context, c service.Caller, tenant, id string, overlap *time.Duration) (*service.EndpointSecret, error)
	TestEndpoint(ctx context.Context, c service.Caller, tenant, id, eventType string) (service.TestReceipt, error)
	CountMissed(ctx context.Context, c service.Caller, tenant, id string) (*service.Missed, error)
	ProbeEndpoint(ctx context.Context, c service.Caller, tenant, id, eventType string) (*service.Probe, error)

	CheckURL(ctx context.Context, c service.Caller, tenant, url string) (*service.CheckedURL, error)
	TryFilter(ctx context.Context, c service.Caller, tenant string, in service.FilterTrial) (*service.TriedFilter, error)

	FindEvents(ctx context.Context, c service.Caller, f bellwire.EventFilter, match func(*bellwire.Event) bool, page bellwire.Page) (*bellwire.List[*bellwire.Event], error)
	Events(ctx context.Context, c service.Caller, f bellwire.EventFilter, page bellwire.Page) (*bellwire.List[*bellwire.Event], error)
	Explain(ctx context.Context, c service.Caller, tenant string, id bellwire.EventID, page bellwire.Page) (*bellwire.Event, *bellwire.List[*bellwire.Explanation], error)

	EraseEvent(ctx context.Context, c service.Caller, tenant string, id bellwire.EventID) error
	EventsByKey(ctx context.Context, c service.Caller, f bellwire.EventFilter, key string) (*bellwire.List[*bellwire.Event], error)
	EventOutcomes(ctx context.Context, c service.Caller, tenant string, events []*bellwire.Event) (map[bellwire.EventID]*bellwire.EventOutcomes, error)
	FindAllEvents(ctx context.Context, c service.Caller, q service.EventQuery, page bellwire.Page) (*bellwire.List[*bellwire.Event], error)
	FindDeliveries(ctx context.Context, c service.Caller, q service.DeliveryQuery, page bellwire.Page) (*bellwire.List[*service.ListedDelivery], error)
	FindAllDeliveries(ctx context.Context, c service.Caller, q service.DeliveryQuery, page bellwire.Page) (*bellwire.List[*service.ListedDelivery], error)
	Delivery(ctx context.Context, c service.Caller, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, []*bellwire.Attempt, error)
	DeliveryBody(ctx context.Context, c service.Caller, tenant string, id bellwire.DeliveryID, attempt int) (*service.RequestBody, error)
	WaitingFor(ctx context.Context, c service.Caller, d *bellwire.Delivery) (*bellwire.Wait, error)
	RetryDelivery(ctx context.Context, c service.Caller, tenant string, id bellwire.DeliveryID, restart bool) (*bellwire.Delivery, error)
	CancelDelivery(ctx context.Context, c service.Caller, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error)

	BeginExport(ctx context.Context, c service.Caller, o service.ExportOptions) (*service.Export, error)
	BeginImport(ctx context.Context, c service.Caller, dryRun bool) (*service.Import, error)

	CountJob(ctx context.Context, c service.Caller, tenant string, in service.JobInput) (*service.JobCount, error)
	CreateJob(ctx context.Context, c service.Caller, tenant string, in service.JobInput) (*bellwire.Job, error)
	CountBulkJob(ctx context.Context, c service.Caller, in service.JobInput) (*service.BulkCount, error)
	CreateBulkJob(ctx context.Context, c service.Caller, in service.JobInput) (*bellwire.BulkJob, *service.BulkCount, error)
	Dialects(c service.Caller) ([]string, error)
	BulkJobs(ctx context.Context, c service.Caller, page bellwire.Page) (*bellwire.List[*bellwire.BulkJob], error)
	BulkJob(ctx context.Context, c service.Caller, id bellwire.JobID) (*bellwire.BulkJob, error)
	ChangeBulkJob(ctx context.Context, c service.Caller, id bellwire.JobID, change bellwire.JobChange) (*bellwire.BulkJob, error)
	Jobs(ctx context.Context, c service.Caller, f bellwire.JobsFilter, page bellwire.Page) (*bellwire.List[*bellwire.Job], error)
	Job(ctx context.Context, c service.Caller, tenant string, id bellwire.JobID) (*service.JobWithDeliveries, error)
	ChangeJob(ctx context.Context, c service.Caller, tenant string, id bellwire.JobID, change bellwire.JobChange) (*bellwire.Job, error)

	Statistics(ctx context.Context, c service.Caller, f *bellwire.StatisticsFilter) ([]bellwire.StatisticsRow, error)

	FindID(ctx context.Context, c service.Caller, id string) ([]service.Found, error)
	Subscriptions(ctx context.Context, c service.Caller) (counted []service.Subscription, capped bool, err error)
	Backlog(ctx context.Context, c service.Caller) (*bellwire.Backlog, error)
	Nodes(ctx context.Context, c service.Caller) ([]service.Node, error)
	TestAlerts(ctx context.Context, c service.Caller) ([]service.AlertTest, error)
	Settings(ctx context.Context, c service.Caller) ([]service.Setting, error)
	Examine(ctx context.Context, c service.Caller) (service.Examination, error)

	WatchLive(ctx context.Context, c service.Caller, f live.Filter, last string) (*live.Stream, error)
	StillValid(ctx context.Context, c service.Caller) error

	AuditLog(ctx context.Context, c service.Caller, f bellwire.AuditFilter, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error)

	SealCursor(list string, c bellwire.Cursor) (string, error)
	OpenCursor(list, text string) (bellwire.Cursor, error)
}
