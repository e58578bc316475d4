package service

import (
	"encoding/base64"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// SealCursor returns a cursor in the form for clients. It reveals nothing about the store, and is valid only for the list of the
// given name, which identifies the path and the filters.
func (s *Service) SealCursor(list string, c bellwire.Cursor) (string, error) {
	sealed, err := s.keyring.SealCursor(list, c)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// OpenCursor returns the cursor that SealCursor sealed for the same list. Its error has CodeInvalid.
func (s *Service) OpenCursor(list, text string) (bellwire.Cursor, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", errForeignCursor(err)
	}
	c, err := s.keyring.OpenCursor(list, sealed)
	if err != nil {
		return "", errForeignCursor(err)
	}
	return c, nil
}

func errForeignCursor(err error) error {
	return &bellwire.Error{
		Code: bellwire.CodeInvalid, Field: "cursor", Err: err,
		Message: "must be the next_cursor of the page before, with the same path and the same other parameters",
	}
}
