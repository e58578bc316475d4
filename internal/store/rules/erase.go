package rules

import "github.com/bellwire/bellwire/internal/bellwire"

// Erased returns the error for what cannot be done because the event's data was erased.
func Erased(id bellwire.EventID) error {
	return bellwire.Errorf(bellwire.CodeConflict, "the data of event %q was erased, so that nothing can be sent", id)
}

// CannotEraseYet returns the error for an event of which deliveries are still being stored.
func CannotEraseYet(id bellwire.EventID) error {
	return &bellwire.Error{
		Code:    bellwire.CodeConflict,
		Message: "deliveries of event \"" + id.String() + "\" are still being stored; try again in a moment",
	}
}
