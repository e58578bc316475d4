package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/client"
)

func TestCheckImport(t *testing.T) {
	t.Parallel()
	ndjson := http.Header{"Content-Type": {"application/x-ndjson"}}
	const lines = `{"fault":{"line":3,"field":"url","message":"must be a URL"}}` + "\n" + `{"fault":{"line":4,"field":"","message":"is not JSON"}}` + "\n"
	errEnough := errors.New("enough")
	for _, c := range []struct {
		name   string
		answer answer
		stop   error
		faults int
		fails  string
	}{
		{"every fault", answer{status: 200, header: ndjson, body: lines + `{"report":{"lines":9,"fault_count":2}}`}, nil, 2, ""},
		{"what breaks off", answer{status: 200, header: ndjson, body: lines}, nil, 2, "ends too early"},
		{"what is enough", answer{status: 200, header: ndjson, body: lines}, errEnough, 1, "enough"},
		{"an older server", answer{status: 200, body: `{"lines":9,"fault_count":2,"faults":[{"line":3},{"line":4}]}`}, nil, 2, ""},
		{"a refusal", answer{status: 403, body: `{"code":"forbidden","detail":"no"}`}, nil, 0, "no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var told []client.ImportFault
			report, err := newClient(t, &server{answers: []answer{c.answer}}).CheckImport(t.Context(), strings.NewReader("{}"), func(fault client.ImportFault) error {
				told = append(told, fault)
				return c.stop
			})
			if len(told) != c.faults || c.faults > 0 && told[0].Line != 3 {
				t.Errorf("the faults are %+v", told)
			}
			if c.fails == "" && (err != nil || report.Lines != 9 || report.FaultCount != 2) || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("the report is %+v, the error %v, want %q", report, err, c.fails)
			}
		})
	}
}
