package test

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// The benchmark counts what its receiver really saw, with every kind of endpoint. How fast it was is nobody's
// business here.
func TestBench(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"single":  "--events 300 --size 60",
		"batches": "--events 300 --batch 50 --endpoints 3",
		"faults":  "--events 400 --endpoints 20 --hanging 0.1 --failing 0.2 --slow 0.1 --rate 2000",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, binary, append([]string{"bench", "--json", "--baseline", "100ms", "--directory", t.TempDir()}, strings.Fields(args)...)...)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var report struct {
				Expected int       `json:"expected"`
				Received int       `json:"received"`
				Unsigned int       `json:"unsigned"`
				Ratio    float64   `json:"ratio"`
				Latency  []float64 `json:"latency_ms"`
				Memory   int64     `json:"server_peak_bytes"`
			}
			if err := json.Unmarshal(out, &report); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if report.Expected == 0 || report.Received != report.Expected || report.Unsigned != 0 {
				t.Errorf("%+v", report)
			}
			if report.Ratio <= 0 || len(report.Latency) != 5 || report.Latency[0] <= 0 || report.Memory <= 0 {
				t.Errorf("%+v", report)
			}
		})
	}
}
