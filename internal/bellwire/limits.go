package bellwire

import "time"

// Limits bound what a tenant may have and do. Package limits documents their meaning and their possible values, except of Paused
// and ResumedAt, which come from the tenant's status, and of Settings: whatever is sent asks them with the limits.
type Limits struct {
	Paused    bool      // nothing is sent to the tenant's endpoints
	ResumedAt time.Time // when the tenant was last resumed; zero: never, or it is paused

	Settings *SettingsByDialect // the tenant's own, over those for all tenants; nil: none

	Endpoints          int
	Keys               int
	EventTypes         int // of the whole catalogue, not of a tenant
	ConfigurationBytes int // of all endpoints together

	PublishRate float64 // events per second; 0 for no limit, as for the other rates
	RequestRate float64
	ChangeRate  float64
	TestRate    float64
	RetryRate   float64

	StoredEvents   int           // 0 for no limit
	EventRetention time.Duration // how long events are kept; 0: forever
	MinRetryDelay  time.Duration // the shortest delay of a retry policy
	AttemptDetails int           // attempts of a delivery that are stored with request and response
	TargetRequests int           // unacknowledged, to one host, per hour; 0 for no limit
	AuditEntries   int           // new entries per day
	FanOut         int           // deliveries of large publications that wait to be stored
	Jobs           int           // that have not ended
}
