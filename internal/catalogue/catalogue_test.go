package catalogue_test

import (
	"testing"

	"github.com/bellwire/bellwire/internal/catalogue"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const one = `{"name":"a.b","group":"g","description":"d","example":{"n": 1.0}}`
	f, err := catalogue.Parse([]byte(`{"dialect":"x","event_types":[` + one + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(f.EventTypes[0].Example); got != `{"n": 1.0}` || f.EventTypes[0].Schema != nil {
		t.Errorf("%s, %s", got, f.EventTypes[0].Schema)
	}
	for _, bad := range []string{
		``, `{}`, `{"dialect":"x","event_types":[]}`, `{"dialect":"x","event_types":[` + one + `,` + one + `]}`,
		`{"dialect":"x","types":[` + one + `]}`, `{"event_types":[` + one + `]}`,
		`{"dialect":"x","event_types":[{"name":"a b","group":"g","description":"d","example":1}]}`,
		`{"dialect":"x","event_types":[{"name":"a","description":"d","example":1}]}`,
		`{"dialect":"x","event_types":[{"name":"a","group":"g","description":"d"}]}`,
	} {
		t.Run(bad, func(t *testing.T) {
			if _, err := catalogue.Parse([]byte(bad)); err == nil {
				t.Errorf("%s was taken", bad)
			}
		})
	}
}
