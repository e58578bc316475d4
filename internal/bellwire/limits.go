package bellwire

import "time"

// Limits are the bounds on what a tenant may have and do. internal/limits says what each means, and which values it can have.
type Limits struct {
	Endpoints          int
	Keys               int
	EventTypes         int // of the operator, not of a tenant
	ConfigurationBytes int // of all endpoints together

	PublishRate float64 // events a second; 0: no limit, as for the other rates
	RequestRate float64
	ChangeRate  float64
	TestRate    float64
	RetryRate   float64

	StoredEvents   int           // 0: no limit
	MinRetryDelay  time.Duration // before any retry of a policy
	AttemptDetails int           // attempts of a delivery that are kept with request and response
	TargetRequests int           // an hour to one host, not acknowledged; 0: no limit
	AuditEntries   int           // new ones a day
	FanOut         int           // deliveries of large publications that wait to be stored
}
