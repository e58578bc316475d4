package service

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Found is a thing that has an id.
type Found struct {
	Kind    bellwire.Kind
	Tenant  string // empty: it is the operator's
	ID      string
	Deleted bool // an endpoint that was deleted, of which deliveries or a history are left
}

// FindID returns all things that have an id, of any kind and in any form that a dialect shows. There can be several, because the
// ids of tenants and endpoints are chosen freely. Callers of a tenant find only what is theirs. CodeNotFound: there is nothing.
func (s *Service) FindID(ctx context.Context, c Caller, id string) ([]Found, error) {
	if err := authorize(c, Read); err != nil {
		return nil, err
	}
	reading, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	var all []Found
	for _, find := range []func(context.Context, string) ([]Found, error){s.findNumbered, s.findBulkJob, s.findKey, s.findEndpoint, s.findTenant} {
		found, err := find(reading, id)
		if err != nil && bellwire.CodeOf(err) != bellwire.CodeNotFound {
			return nil, err
		}
		for _, f := range found {
			if f.shownTo(c) {
				all = append(all, f)
			}
		}
	}
	if len(all) == 0 {
		return nil, bellwire.NotFound("id", id)
	}
	return all, nil
}

// shownTo reports whether the caller may know of the thing.
func (f *Found) shownTo(c Caller) bool {
	if c.Role.OfTenant() && f.Tenant != c.Tenant {
		return false
	}
	return f.Kind != bellwire.KindKey && f.Kind != bellwire.KindBulkJob || c.may(Manage)
}

// findNumbered finds events, deliveries and jobs. Dialects show ids of events without their prefix.
func (s *Service) findNumbered(ctx context.Context, id string) (all []Found, err error) {
	for _, k := range []struct {
		kind   bellwire.Kind
		prefix string
	}{{bellwire.KindEvent, "evt_"}, {bellwire.KindDelivery, "dlv_"}, {bellwire.KindJob, "job_"}} {
		number, ok := parseUUID(strings.TrimPrefix(id, k.prefix))
		if !ok {
			continue
		}
		tenant, err := s.store.TenantOf(ctx, k.kind, number)
		switch {
		case err == nil:
			all = append(all, Found{Kind: k.kind, Tenant: tenant, ID: k.prefix + hex.EncodeToString(number[:])})
		case bellwire.CodeOf(err) != bellwire.CodeNotFound:
			return nil, err
		}
	}
	return all, nil
}

// findBulkJob finds the jobs over all tenants by one of their parts.
func (s *Service) findBulkJob(ctx context.Context, id string) ([]Found, error) {
	var job bellwire.JobID
	if job.UnmarshalText([]byte(id)) != nil {
		return nil, nil
	}
	parts, err := s.store.Jobs(ctx, bellwire.JobsFilter{Bulk: job}, bellwire.Page{Limit: 1})
	if err != nil || job.IsZero() || len(parts.Items) == 0 {
		return nil, err
	}
	return []Found{{Kind: bellwire.KindBulkJob, ID: job.String()}}, nil
}

func (s *Service) findKey(ctx context.Context, id string) ([]Found, error) {
	keyID, ok := ParseKeyID(id)
	if !ok {
		return nil, nil
	}
	key, err := s.store.Key(ctx, keyID)
	if err != nil {
		return nil, err
	}
	return []Found{{Kind: bellwire.KindKey, Tenant: key.Tenant, ID: keyID.String()}}, nil
}

func (s *Service) findEndpoint(ctx context.Context, id string) ([]Found, error) {
	if bellwire.CheckEndpointID(id) != nil {
		return nil, nil
	}
	ep, err := s.store.Endpoint(ctx, id)
	if err != nil {
		return nil, err
	}
	return []Found{{Kind: bellwire.KindEndpoint, Tenant: ep.Tenant, ID: ep.ID, Deleted: ep.Deleted}}, nil
}

func (s *Service) findTenant(ctx context.Context, id string) ([]Found, error) {
	if bellwire.CheckTenantID(id) != nil {
		return nil, nil
	}
	t, err := s.store.Tenant(ctx, id)
	if err != nil {
		return nil, err
	}
	return []Found{{Kind: bellwire.KindTenant, Tenant: t.ID, ID: t.ID}}, nil
}
