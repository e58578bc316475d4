package service

import (
	"context"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/match"
)

// TestReceipt identifies the event and the delivery of a test.
type TestReceipt struct {
	Event    bellwire.EventID
	Delivery bellwire.DeliveryID
	Type     string
}

// TestEndpoint delivers the example of an event type to one endpoint, in one attempt, whatever its status is. If the type is empty, it is the first one
// of the catalogue that the endpoint subscribes to.
func (s *Service) TestEndpoint(ctx context.Context, c Caller, tenant, id, eventType string) (TestReceipt, error) {
	return s.testEndpoint(ctx, c, tenant, id, eventType, bellwire.AuditTest)
}

// testEndpoint is TestEndpoint for an action of the audit log.
func (s *Service) testEndpoint(ctx context.Context, c Caller, tenant, id, eventType, action string) (TestReceipt, error) {
	end, err := s.beginSend(ctx, c, Test, tenant, limits.TestRate)
	if err != nil {
		return TestReceipt{}, err
	}
	defer end()
	ep, err := s.endpoint(ctx, tenant, id)
	if err != nil {
		return TestReceipt{}, err
	}
	if eventType == "" {
		if eventType, err = s.firstType(ctx, ep); err != nil {
			return TestReceipt{}, err
		}
	}
	t, err := s.usableType(ctx, "type", eventType, c.may(ReadCatalogue))
	if err != nil {
		return TestReceipt{}, err
	}
	data, version := sample(ep, t)
	if err := s.allowTest(ctx, tenant, len(data)); err != nil {
		return TestReceipt{}, err
	}
	if err := s.auditAction(ctx, c, tenant, action, id); err != nil {
		return TestReceipt{}, err
	}
	event, delivery, err := s.engine.Test(ctx, tenant, id, Draft{Type: eventType, Data: data, Version: version})
	if err != nil {
		return TestReceipt{}, err
	}
	return TestReceipt{Event: event, Delivery: delivery, Type: eventType}, nil
}

// sample returns the data with which an event type is tested at an endpoint: the example of the newest version that has one and that the
// endpoint can get, or else null in the version that it gets, because no converter could convert that.
func sample(ep *bellwire.Endpoint, t *directory.CompiledType) (data []byte, version bellwire.Version) {
	version = t.Newest()
	for gets := t.VersionAt(ep.At(t.Name)); ; {
		if data = t.OfVersion(version.Of()).Example; len(data) > 0 {
			return data, version
		}
		if version.Of() <= gets {
			return []byte("null"), version
		}
		version, _ = t.Version(version.Of() - 1)
	}
}

func (s *Service) firstType(ctx context.Context, ep *bellwire.Endpoint) (string, error) {
	catalogue, err := s.directory.Catalogue(ctx)
	if err != nil {
		return "", err
	}
	wanted, err := match.Compile(ep.Events)
	if err != nil {
		return "", bellwire.Wrap(bellwire.CodeInternal, err, "endpoint %q has a pattern that cannot be read", ep.ID)
	}
	names := catalogue.Names()
	i := slices.IndexFunc(names, func(name string) bool {
		t, _ := catalogue.Type(name)
		return !t.Archived && wanted.Match(name)
	})
	if i < 0 {
		return "", bellwire.Invalid("type", "is required, because no event type of the catalogue matches the endpoint's events")
	}
	return names[i], nil
}
