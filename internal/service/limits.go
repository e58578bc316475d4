package service

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
	"github.com/bellwire/bellwire/internal/suggest"
)

// allow takes one unit from a tenant's rate. The error has CodeRateLimited if the rate is used up.
func (s *Service) allow(ctx context.Context, l *limits.Limit, tenant string) error {
	held, err := s.directory.Limits(ctx, tenant)
	if err != nil {
		return err
	}
	return s.spend(l, held, tenant, 1)
}

// spend takes n units from a tenant's rate.
func (s *Service) spend(l *limits.Limit, held *bellwire.Limits, tenant string, n int) error {
	perSecond := l.Of(held)
	if perSecond == 0 {
		return nil
	}
	here := perSecond
	if l.Divided {
		here /= float64(s.engine.Nodes())
	}
	wait, ok := s.rates[l].Allow(tenant, here, l.Burst(here), n)
	if ok {
		return nil
	}
	return &bellwire.Error{
		Code:       bellwire.CodeRateLimited,
		Message:    "the limit " + strconv.Quote(l.Name) + " allows " + l.Amount(perSecond) + "; try again in " + inSeconds(wait) + ", or ask for a higher limit",
		RetryAfter: wait,
	}
}

// inSeconds formats a duration in whole seconds, rounded up like the header Retry-After.
func inSeconds(d time.Duration) string {
	return bellwire.Duration((d + time.Second - 1).Truncate(time.Second)).String()
}

func newRates() map[*limits.Limit]*share.Rates {
	rates := make(map[*limits.Limit]*share.Rates)
	for _, l := range limits.All {
		if l.Kind == limits.Rate {
			rates[l] = share.NewRates()
		}
	}
	return rates
}

// allowRequest applies the limit on requests to a tenant's caller. Operators have none.
func (s *Service) allowRequest(ctx context.Context, c Caller) error {
	if !c.Role.OfTenant() {
		return nil
	}
	return unknownKey(s.allow(ctx, limits.RequestRate, c.Tenant))
}

// requireChange is requireTenant for changes of the configuration, whose rate is limited for the tenant's own callers.
func (s *Service) requireChange(ctx context.Context, c Caller, tenant string) error {
	if err := authorizeIn(c, Change, tenant); err != nil {
		return err
	}
	if err := s.allowChange(ctx, c); err != nil {
		return err
	}
	return s.requireTenant(ctx, c, Change, tenant)
}

// allowChange applies the limit on changes to a tenant's caller, once for a request.
func (s *Service) allowChange(ctx context.Context, c Caller) error {
	if !c.Role.OfTenant() || bellwire.RequestOf(ctx) != nil {
		return nil
	}
	return s.allow(ctx, limits.ChangeRate, c.Tenant)
}

// beginSend is requireTenant for use cases that send requests to endpoints, at the rate of the given limit. It waits for the
// tenant's turn: each of these requests takes several transactions. The caller must call end when done.
func (s *Service) beginSend(ctx context.Context, c Caller, p Permission, tenant string, l *limits.Limit) (end func(), err error) {
	if err := authorizeIn(c, p, tenant); err != nil {
		return nil, err
	}
	if err := s.allow(ctx, l, tenant); err != nil {
		return nil, err
	}
	end, err = s.sends.EnterWithin(ctx, tenant, limits.SendWait)
	if err != nil {
		return nil, err
	}
	if err := s.requireTenant(ctx, c, p, tenant); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// allowTest charges a test with a large event, which is stored, as several tests. No test counts for so many that it would need a
// full bucket.
func (s *Service) allowTest(ctx context.Context, tenant string, size int) error {
	held, err := s.directory.Limits(ctx, tenant)
	if err != nil {
		return err
	}
	more := min(size/limits.TestBytes, limits.TestRate.Burst(held.TestRate)/2)
	if more == 0 {
		return nil
	}
	return s.spend(limits.TestRate, held, tenant, more)
}

// allowEvents applies the limits on the rate of events, and on stored events, to n new ones.
func (s *Service) allowEvents(ctx context.Context, tenant string, n int) error {
	held, err := s.directory.Limits(ctx, tenant)
	if err != nil {
		return err
	}
	if err := s.spend(limits.PublishRate, held, tenant, n); err != nil || held.StoredEvents == 0 {
		return err
	}
	return s.stored.of(tenant).take(ctx, s.store, tenant, held.StoredEvents, n)
}

// checkUsage returns an error if the number in use has reached the limit.
func checkUsage(l *limits.Limit, held *bellwire.Limits, used int) error {
	if float64(used) < l.Of(held) {
		return nil
	}
	owner, remedy := "the catalogue", "delete one first"
	if float64(used) > l.Of(held) { // the limit was lowered since
		remedy = "delete some first"
	}
	if l.PerTenant {
		owner, remedy = "the tenant", remedy+", or ask for a higher limit"
	}
	return bellwire.Errorf(bellwire.CodeConflict, "%s has %s, and the limit %q allows %s; %s",
		owner, l.Amount(float64(used)), l.Name, l.Show(l.Of(held)), remedy)
}

// checkRoom applies the limits on the number of endpoints, on the size of their configuration, and on the memory that it takes.
// before is the stored endpoint, nil if ep is new.
func (s *Service) checkRoom(ctx context.Context, ep, before *bellwire.Endpoint) error {
	held, err := s.directory.Limits(ctx, ep.Tenant)
	if err != nil {
		return err
	}
	grows := configurationBytes(ep)
	if before != nil {
		grows -= configurationBytes(before)
	}
	if grows > 0 {
		if err := s.checkConfiguration(ctx, ep, before, held, grows); err != nil {
			return err
		}
	}
	return s.checkMemory(ctx, ep, held)
}

// checkConfiguration applies the limits on the number of endpoints, and on the size of their configuration, which grows.
func (s *Service) checkConfiguration(ctx context.Context, ep, before *bellwire.Endpoint, held *bellwire.Limits, grows int) error {
	usage, err := s.store.Usage(ctx, ep.Tenant)
	if err != nil {
		return err
	}
	if before == nil {
		if err := checkUsage(limits.Endpoints, held, usage.Endpoints); err != nil {
			return err
		}
	}
	return checkConfigurationBytes(held, usage.Configuration+grows)
}

// checkConfigurationBytes returns an error if the configuration of a tenant's endpoints would take more bytes than it may.
func checkConfigurationBytes(held *bellwire.Limits, size int) error {
	if size <= held.ConfigurationBytes {
		return nil
	}
	return bellwire.Errorf(bellwire.CodeConflict,
		"the configuration of the tenant's endpoints would take %s bytes, and the limit %q allows %s; shorten URLs, filters, descriptions, metadata or headers, delete an endpoint, or ask for a higher limit",
		bellwire.Number(size), limits.ConfigurationBytes.Name, limits.ConfigurationBytes.Amount(float64(held.ConfigurationBytes)))
}

// checkMemory refuses a change with which the tenant's endpoints would take more memory than its share of the cache. Most tenants
// cannot, by their limits.
func (s *Service) checkMemory(ctx context.Context, ep *bellwire.Endpoint, held *bellwire.Limits) error {
	if directory.MostBytes(held) <= limits.TenantConfiguration {
		return nil
	}
	t, err := s.directory.Tenant(ctx, ep.Tenant)
	if err != nil {
		return err
	}
	size, err := t.BytesWith(ctx, ep)
	if err != nil || size <= max(limits.TenantConfiguration, t.Bytes()) {
		return err
	}
	return bellwire.Errorf(bellwire.CodeConflict,
		"the tenant's endpoints would take %s bytes of memory on each server, %s for each endpoint and more for its URL, event patterns, headers, secrets and filter, and one tenant can have %s; delete endpoints, or shorten what they have",
		bellwire.Number(size), bellwire.Number(directory.EndpointBytes), bellwire.Number(limits.TenantConfiguration))
}

// configurationBytes returns the size of an endpoint as Store.Usage counts it.
func configurationBytes(ep *bellwire.Endpoint) int {
	size := len(ep.URL) + len(ep.Description) + len(ep.Filter) + len(ep.Sealed)
	for _, field := range []any{ep.Events, ep.Retry, ep.Metadata, ep.Extra, ep.Versions} {
		text, err := json.Marshal(field)
		if err != nil {
			continue // the store will refuse it
		}
		size += len(text)
	}
	return size
}

// How often a tenant's events are counted again.
const (
	recount     = time.Minute
	recountFull = 10 * time.Second // while the tenant has as many as it may
	countShare  = 100              // counting takes at most a hundredth of the time
)

// maxCounted is the number of tenants whose event counts are cached.
const maxCounted = 16_000

// storedEvents caches the approximate number of stored events of tenants with a limit on them.
type storedEvents struct {
	mu      sync.Mutex
	tenants *simplelru.LRU[string, *eventCount]
}

func newStoredEvents() *storedEvents {
	tenants, err := simplelru.NewLRU[string, *eventCount](maxCounted, nil)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &storedEvents{tenants: tenants}
}

func (s *storedEvents) of(tenant string) *eventCount {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.tenants.Get(tenant)
	if !known {
		c = &eventCount{turn: make(chan struct{}, 1)}
		s.tenants.Add(tenant, c)
	}
	return c
}

// eventCount is the approximate number of a tenant's stored events: those counted, and those accepted on this node since.
type eventCount struct {
	turn chan struct{} // full while the events are being counted

	mu      sync.Mutex
	n       int
	counted time.Time
	took    time.Duration // to count
}

// take adds n events. Its error has CodeRateLimited if they exceed the limit.
func (c *eventCount) take(ctx context.Context, store bellwire.Store, tenant string, limit, n int) error {
	if n > limit {
		return tooLarge("events", "must not have more entries than the limit %q allows to be stored: %s", limits.StoredEvents.Name, limits.StoredEvents.Amount(float64(limit)))
	}
	if c.due(limit, n) {
		if err := c.count(ctx, store, tenant, limit); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n+n <= limit {
		c.n += n
		return nil
	}
	return &bellwire.Error{
		Code: bellwire.CodeRateLimited,
		Message: "the tenant has " + limits.StoredEvents.Amount(float64(c.n)) + " stored, and the limit " + strconv.Quote(limits.StoredEvents.Name) + " allows " +
			limits.StoredEvents.Amount(float64(limit)) + "; try again when older ones have passed their retention, or ask for a higher limit",
		RetryAfter: max(time.Second, time.Until(c.counted.Add(c.recountAfter(recountFull)))),
	}
}

// due reports whether the events must be counted before n more are accepted.
func (c *eventCount) due(limit, n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	after := recount
	if c.n+n > limit {
		after = recountFull
	}
	return c.counted.IsZero() || time.Since(c.counted) >= c.recountAfter(after)
}

// recountAfter returns the time between two counts: the given one, or more if counting takes long. c.mu is held.
func (c *eventCount) recountAfter(least time.Duration) time.Duration {
	return max(least, countShare*c.took)
}

// count counts the events, unless that is in progress; then the previous count is used.
func (c *eventCount) count(ctx context.Context, store bellwire.Store, tenant string, limit int) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	default:
		return nil
	}
	start := time.Now()
	n, err := store.CountEvents(ctx, tenant, limit)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n, c.counted, c.took = n, time.Now(), time.Since(start)
	return nil
}

// checkLimits refuses names and values that the limits of a tenant cannot have.
func checkLimits(values map[string]*float64) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		l, value := limits.Find(name), values[name]
		field := "limits." + name
		switch {
		case l == nil:
			faults = append(faults, bellwire.Invalid(field, "is not a known limit%s", suggest.DidYouMean(name, limits.Names(true))))
		case !l.PerTenant:
			faults = append(faults, bellwire.Invalid(field, "must not be set for one tenant; the option --limit sets it for all"))
		case value != nil && !l.Allows(*value):
			faults = append(faults, bellwire.Invalid(field, "must be %s", l.Range()))
		}
	}
	return bellwire.Join(faults...)
}

// checkRetention refuses to keep a tenant's events for longer than the server keeps those of all tenants.
func (s *Service) checkRetention(values map[string]*float64) error {
	l := limits.EventRetention
	value := values[l.Name]
	if s.retention == 0 || value == nil || !l.Allows(*value) || *value > 0 && *value <= s.retention.Seconds() {
		return nil
	}
	return bellwire.Invalid("limits."+l.Name, "must be at most %s, for which the server keeps the events of all tenants (--retention); start it with a longer one, and give the other tenants a shorter one",
		bellwire.Duration(s.retention))
}

// changeLimits changes the tenant's own values. A nil value removes one.
func changeLimits(t *bellwire.Tenant, values map[string]*float64) {
	changed := make(map[string]float64, len(t.Limits)+len(values))
	maps.Copy(changed, t.Limits)
	for name, value := range values {
		if value == nil {
			delete(changed, name)
			continue
		}
		changed[name] = *value
	}
	t.Limits = changed
	if len(changed) == 0 {
		t.Limits = nil
	}
}

// LimitsOf returns the limits of a tenant: its own values, and the server's for the others.
func (s *Service) LimitsOf(t *bellwire.Tenant) *bellwire.Limits {
	return s.directory.LimitsOf(t)
}
