package service

import (
	"errors"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// tooLarge returns an error with CodeTooLarge about the given field.
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
