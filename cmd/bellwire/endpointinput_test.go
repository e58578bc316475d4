package main

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/testenv"
)

// TestEndpointOptionsAreUsed fails while an option is accepted and ignored.
func TestEndpointOptionsAreUsed(t *testing.T) {
	t.Parallel()
	options := 0
	for option, o := range testenv.Changed(t, endpointOptions{}) {
		options++
		if option == "From" {
			continue
		}
		in, err := o.input(streams{})
		if err != nil {
			t.Fatal(err)
		}
		if reflect.ValueOf(in).IsZero() {
			t.Errorf("the option %s sets nothing", option)
		}
	}
	if options < 15 {
		t.Errorf("there are only %d options", options)
	}
}

// TestEndpointsAreShownWhole fails while `endpoints show` leaves out a setting.
func TestEndpointsAreShownWhole(t *testing.T) {
	t.Parallel()
	shown := func(e *client.Endpoint) string {
		t.Helper()
		var out bytes.Buffer
		if err := printEndpoint(streams{out: &out}, nil, false, e); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	unseen := []string{"ETag"} // for programs
	filter := "true"           // what happens where it has no answer is shown with it only
	base := client.Endpoint{Filter: &filter}
	before := shown(&base)
	for field, changed := range testenv.Changed(t, base) {
		if shown(changed) == before && !slices.Contains(unseen, field) {
			t.Errorf("the field %s is not shown", field)
		}
	}
}
