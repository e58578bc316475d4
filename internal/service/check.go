package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on lists.
const (
	DefaultPageLimit = 50
	MaxPageLimit     = 250
)

// casAttempts is how often a change is attempted when other nodes change the same thing. Of concurrent changes, one always
// succeeds.
const casAttempts = 10

// now returns the time in the precision of the store.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// requireTenant checks that the caller has the permission in the tenant, and that the tenant exists.
func (s *Service) requireTenant(ctx context.Context, c Caller, p Permission, tenant string) error {
	if err := authorizeIn(c, p, tenant); err != nil {
		return err
	}
	_, err := s.store.Tenant(ctx, tenant)
	return err
}

// forget drops the cached configuration of a tenant, or the catalogue if tenant is empty.
func (s *Service) forget(tenant string) {
	if tenant == "" {
		s.directory.ForgetCatalogue()
		return
	}
	s.directory.ForgetTenant(tenant)
}

// retryStale runs a change, which reads, modifies and writes, under the lock of the tenant, and repeats it while its write is
// refused as stale.
func retryStale[T any](ctx context.Context, s *Service, tenant, kind string, change func() (T, error)) (none T, err error) {
	unlock, err := s.locks.lock(ctx, tenant)
	if err != nil {
		return none, err
	}
	defer unlock()
	for range casAttempts {
		v, err := change()
		if bellwire.CodeOf(err) != bellwire.CodeStale {
			return v, err
		}
	}
	return none, &bellwire.Error{
		Code:       bellwire.CodeUnavailable,
		Message:    "the " + kind + " is being changed by too many requests at the same time; try again",
		RetryAfter: time.Second,
	}
}

func checkPage(p *bellwire.Page) error {
	if p.Limit == 0 {
		p.Limit = DefaultPageLimit
	}
	if p.Limit < 1 || p.Limit > MaxPageLimit {
		return bellwire.Invalid("limit", "must be between 1 and %d", MaxPageLimit)
	}
	return nil
}

// checkText refuses a text that is too long or that not every database can store.
func checkText(field, text string, limit int) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return bellwire.Invalid(field, "must be UTF-8 text without the NUL character")
	}
	return bellwire.CheckText(field, text, limit)
}

// checkLine is checkText without control characters, each of which takes six bytes in every response that shows it.
func checkLine(field, text string, limit int) error {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return bellwire.Invalid(field, "must not contain control characters or line breaks")
	}
	return checkText(field, text, limit)
}

// checkLines is checkLine for texts of several lines.
func checkLines(field, text string, limit int) error {
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n\r", r) }) {
		return bellwire.Invalid(field, "must not contain control characters other than tabs and line breaks")
	}
	return checkText(field, text, limit)
}

func checkMetadata(field string, m map[string]string) error {
	for k, v := range m {
		if err := checkLine(field, k, bellwire.MaxMetadataLength); err != nil {
			return err
		}
		if err := checkLines(field, v, bellwire.MaxMetadataLength); err != nil {
			return err
		}
	}
	return inField(field, bellwire.CheckMetadata(m))
}

func tooLarge(field, format string, args ...any) error {
	err := bellwire.Errorf(bellwire.CodeTooLarge, format, args...)
	err.Field = field
	return err
}

// inField returns err as one about the given field.
func inField(field string, err error) error {
	return renameFields(err, func(string) string { return field })
}

// renameFields returns err with other names for the fields that it and its faults are about.
func renameFields(err error, rename func(field string) string) error {
	known, ok := errors.AsType[*bellwire.Error](err)
	if !ok {
		return err
	}
	renamed := *known
	renamed.Field = rename(known.Field)
	renamed.Faults = slices.Clone(known.Faults)
	for i, fault := range known.Faults {
		copied := *fault
		copied.Field = rename(fault.Field)
		renamed.Faults[i] = &copied
	}
	return &renamed
}

// mapList returns the list with show applied to each item.
func mapList[From, To any](list *bellwire.List[From], show func(From) To) *bellwire.List[To] {
	shown := &bellwire.List[To]{Items: make([]To, len(list.Items)), Next: list.Next}
	for i, item := range list.Items {
		shown.Items[i] = show(item)
	}
	return shown
}
