package api

import "testing"

func TestOpenAPI(t *testing.T) {
	New(nil, Options{})
}
