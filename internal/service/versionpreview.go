package service

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/limits"
)

// Bounds on a preview of versions.
const (
	DefaultPreview  = 5       // events
	MaxPreview      = 20      // events
	maxPreviewBytes = 2 << 20 // of their data, beside the first
)

// VersionTrial is a choice of versions to be tried on the last events that an endpoint got.
type VersionTrial struct {
	Versions map[string]int // by event type
	Limit    *int           // number of events; nil for DefaultPreview
}

// VersionPreview is a delivery with its body as it is and as it would be with other versions.
type VersionPreview struct {
	Delivery *bellwire.Delivery
	Before   PreviewBody // of the last attempt, or what an attempt would send now if there was none
	After    PreviewBody
}

// PreviewBody is a request body, or why there is none.
type PreviewBody struct {
	*RequestBody        // nil: none can be made
	Problem      string // why there is none, or why it is not as it should be; empty: it is
}

// Size returns the bytes of the body.
func (b *PreviewBody) Size() int {
	if b.RequestBody == nil {
		return 0
	}
	return len(b.Body)
}

// PreviewVersions shows the last events of the chosen types that an endpoint got, as they were sent and as they would be sent in these
// versions. It shows fewer than asked for if there are no more, or if they are large or take long to convert. It sends nothing.
func (s *Service) PreviewVersions(ctx context.Context, c Caller, tenant, id string, in VersionTrial) ([]*VersionPreview, error) {
	if err := authorizeIn(c, Read, tenant); err != nil {
		return nil, err
	}
	limit := DefaultPreview
	if in.Limit != nil {
		limit = *in.Limit
	}
	switch {
	case limit < 1 || limit > MaxPreview:
		return nil, bellwire.Invalid("limit", "must be between 1 and %d", MaxPreview)
	case len(in.Versions) == 0:
		return nil, bellwire.Invalid("versions", "is required: the numbers of versions by event type")
	}
	if err := s.checkTrials(tenant); err != nil {
		return nil, err
	}
	ep, err := s.endpointToRead(ctx, c, tenant, id)
	if err != nil {
		return nil, err
	}
	moved := *ep
	if err := s.applyVersions(ctx, &moved, &EndpointInput{Versions: in.Versions}); err != nil {
		return nil, err
	}
	query := DeliveryQuery{DeliveryFilter: bellwire.DeliveryFilter{Tenant: tenant, Endpoint: id}, types: in.Versions}
	deliveries, err := s.findDeliveries(ctx, c, query, bellwire.Page{Limit: limit})
	if err != nil {
		return nil, err
	}
	end, err := s.beginTrial(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	p := &preview{service: s, before: ep, after: &moved, schemas: make(map[typeVersion]*directory.CompiledType)}
	shown := []*VersionPreview{}
	for _, d := range deliveries.Items {
		one, err := p.of(ctx, c, d)
		if err != nil {
			return nil, err
		}
		if one != nil {
			shown = append(shown, one)
		}
		if _, ok := s.mayTry(tenant); !ok || p.bytes > maxPreviewBytes {
			break
		}
	}
	return shown, nil
}

func (s *Service) endpointToRead(ctx context.Context, c Caller, tenant, id string) (*bellwire.Endpoint, error) {
	ctx, end, err := s.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.endpoint(ctx, tenant, id)
}

// preview makes bodies in two choices of versions.
type preview struct {
	service       *Service
	before, after *bellwire.Endpoint
	schemas       map[typeVersion]*directory.CompiledType // compiled so far
	seen          []bellwire.EventID
	bytes         int // of the data of the events so far
	steps         int // that the conversions of an event took
}

type typeVersion struct {
	name   string
	number int
}

// of makes the bodies of a delivery. It returns nil for an event that is shown already, because it was replayed, and for one whose
// data is gone.
func (p *preview) of(ctx context.Context, c Caller, d *bellwire.Delivery) (*VersionPreview, error) {
	if slices.Contains(p.seen, d.Event) {
		return nil, nil
	}
	p.seen = append(p.seen, d.Event)
	e, last, err := p.read(ctx, c, d)
	if err != nil || e == nil {
		return nil, err
	}
	s := p.service
	leave, err := s.directory.BeginFilters(ctx, d.Tenant)
	if err != nil {
		return nil, err
	}
	defer leave()
	p.bytes += len(e.Data)
	p.steps = 0
	defer func() { s.trials.Take(d.Tenant, limits.TrialSteps, limits.TrialStepsBurst, p.steps) }()
	shown := &VersionPreview{Delivery: d}
	if last != nil {
		shown.Before, err = p.sent(ctx, e, last)
	} else {
		shown.Before, err = p.made(ctx, p.before, e, d.ID)
	}
	if err != nil {
		return nil, err
	}
	shown.After, err = p.made(ctx, p.after, e, d.ID)
	return shown, err
}

// read returns the event of a delivery, nil if its data is gone, and its last attempt, nil if none is stored.
func (p *preview) read(ctx context.Context, c Caller, d *bellwire.Delivery) (*bellwire.Event, *bellwire.Attempt, error) {
	ctx, end, err := p.service.acquireReadOf(ctx, c, d.Tenant)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	e, err := p.service.store.Event(ctx, d.Tenant, d.Event)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound || err == nil && e.Erased != nil {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	attempts, err := p.service.store.Attempts(ctx, d.ID, 1)
	if err != nil || len(attempts) == 0 || attempts[0].Dropped {
		return e, nil, err
	}
	return e, attempts[0], nil
}

// sent returns the body of an attempt.
func (p *preview) sent(ctx context.Context, e *bellwire.Event, a *bellwire.Attempt) (PreviewBody, error) {
	body, steps, err := p.service.sentBody(ctx, p.before, e, a)
	p.steps += steps
	if bellwire.CodeOf(err) == bellwire.CodeInvalid {
		return PreviewBody{Problem: reasonOf(err)}, nil
	}
	if err != nil {
		return PreviewBody{}, err
	}
	return PreviewBody{RequestBody: body, Problem: body.Sent.Reason}, nil
}

// made returns the body that an endpoint gets of an event.
func (p *preview) made(ctx context.Context, ep *bellwire.Endpoint, e *bellwire.Event, id bellwire.DeliveryID) (PreviewBody, error) {
	made, steps, err := p.service.convert(ctx, ep, e)
	p.steps += steps
	var body *RequestBody
	if err == nil {
		body, err = p.service.render(ep, &bellwire.Message{Event: made, Delivery: id, SentAt: now()})
	}
	if bellwire.CodeOf(err) == bellwire.CodeInvalid {
		return PreviewBody{Problem: reasonOf(err)}, nil
	}
	if err != nil {
		return PreviewBody{}, err
	}
	problem, err := p.problem(ctx, ep, made)
	return PreviewBody{RequestBody: body, Problem: problem}, err
}

// problem says why the data that an endpoint gets is not as its version says, empty if it is.
func (p *preview) problem(ctx context.Context, ep *bellwire.Endpoint, made *bellwire.Event) (string, error) {
	catalogue, err := p.service.directory.Catalogue(ctx)
	if err != nil {
		return "", err
	}
	t, known := catalogue.Type(made.Type)
	if !known {
		return "", nil
	}
	number := made.Version.Of()
	if wanted := t.VersionAt(ep.At(made.Type)); wanted > number {
		return fmt.Sprintf("the event was published in version %d, of which no later one can be made", number), nil
	}
	if number != t.Newest().Of() {
		at := typeVersion{made.Type, number}
		if p.schemas[at] == nil {
			if p.schemas[at], err = directory.CompileType(t.OfVersion(number)); err != nil {
				return "", err
			}
		}
		t = p.schemas[at]
	}
	if err := t.ValidateAs("data", made.Data); err != nil {
		return "the data does not fit the schema of version " + strconv.Itoa(number) + ": " + reasonOf(err), nil
	}
	return "", nil
}
