package test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// benchReport is the part of a benchmark's report that the tests check. They do not judge speed.
type benchReport struct {
	Stored   int       `json:"stored"`
	Expected int       `json:"expected"`
	Received int       `json:"received"`
	Unsigned int       `json:"unsigned"`
	Ratio    float64   `json:"ratio"`
	Latency  []float64 `json:"latency_ms"`
	Memory   int64     `json:"server_peak_bytes"`

	PublisherCPU float64 `json:"publisher_cpu_us_per_event"`
	ServerCPU    float64 `json:"server_cpu_us_per_event"`
	ReceiverCPU  float64 `json:"receiver_cpu_us_per_event"`

	Relay *struct {
		Rate float64 `json:"rate_ratio"`
		Cost float64 `json:"cpu_ratio"`
	}
	Flood *struct {
		Alone, Flooded struct {
			Latency []float64 `json:"latency_ms"`
			Answers []float64 `json:"answer_ms"`
		}
		LatencyP50 float64 `json:"latency_p50_ratio"`
		AnswerP99  float64 `json:"answer_p99_ratio"`
		PerSecond  float64 `json:"flood_publishes_per_second"`
	}
	Pages []struct{ Name string }

	Backlog *struct {
		Deliveries int     `json:"deliveries"`
		Resident   int64   `json:"resident_bytes"`
		Start      float64 `json:"start_seconds"`
		Drained    float64 `json:"drained_per_second"`
	}
}

// bench runs a benchmark that must find nothing missing.
func bench(t *testing.T, args string) *benchReport {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"bench", "--json", "--baseline", "100ms", "--directory", t.TempDir()}, strings.Fields(args)...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	report := new(benchReport)
	if err := json.Unmarshal(out, report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if report.Expected == 0 || report.Received != report.Expected || report.Unsigned != 0 {
		t.Errorf("%s", out)
	}
	if report.Ratio <= 0 || len(report.Latency) != 5 || report.Latency[0] <= 0 || report.Memory <= 0 ||
		report.PublisherCPU <= 0 || report.ServerCPU <= 0 || report.ReceiverCPU <= 0 {
		t.Errorf("%s", out)
	}
	return report
}

// The benchmark counts what its receiver really saw, with every kind of endpoint.
func TestBench(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"single":  "--events 300 --size 60",
		"batches": "--events 300 --batch 50 --endpoints 3",
		"faults":  "--events 400 --endpoints 20 --hanging 0.1 --failing 0.2 --slow 0.1 --resetting 0.1 --rate 2000",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "faults" {
				testenv.Long(t)
			}
			bench(t, args)
		})
	}
}

// The relay gets and delivers the same events as the server.
func TestBenchRelay(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	for _, batch := range []string{"1", "30"} {
		t.Run("batch="+batch, func(t *testing.T) {
			t.Parallel()
			if r := bench(t, "--relay --events 200 --endpoints 2 --size 60 --batch "+batch).Relay; r == nil || r.Rate <= 0 || r.Cost <= 0 {
				t.Errorf("compared with the relay: %+v", r)
			}
		})
	}
}

func TestBenchFlood(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	report := bench(t, "--flood --events 100 --rate 200 --batch 20 --publishers 8")
	f := report.Flood
	if f == nil || f.LatencyP50 <= 0 || f.AnswerP99 <= 0 || f.PerSecond <= 0 {
		t.Fatalf("%+v", f)
	}
	for _, p := range [][]float64{f.Alone.Latency, f.Alone.Answers, f.Flooded.Latency, f.Flooded.Answers} {
		if len(p) != 5 || p[0] <= 0 {
			t.Errorf("percentiles %v", p)
		}
	}
	if report.Expected <= 200 {
		t.Errorf("%d deliveries are expected: only the steady ones", report.Expected)
	}
}

func TestBenchStored(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	report := bench(t, "--stored 2500 --events 200 --endpoints 3")
	if report.Stored != 2500 || report.Received != 200 {
		t.Errorf("%+v", report)
	}
}

// What pages of the console ask for is answered on a filled database.
func TestBenchPages(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	_, option := startPostgres(t)
	for name, database := range map[string]string{"SQLite": "", "PostgreSQL": option} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := bench(t, "--stored 2500 --pages --events 200 --endpoints 3 "+database)
			if report.Received != 200 || len(report.Pages) < 10 {
				t.Errorf("%+v", report)
			}
		})
	}
}

func TestBenchBacklog(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	report := bench(t, "--backlog 1000 --events 200 --batch 50 --endpoints 2")
	b := report.Backlog
	if b == nil || b.Deliveries != 1000 || b.Resident <= 0 || b.Start <= 0 || b.Drained <= 0 {
		t.Fatalf("%+v", b)
	}
	if report.Received != 1200 {
		t.Errorf("%d were received, not all of before and after the restart", report.Received)
	}
}

// Each process of a benchmark leaves a profile, which is a gzip file.
func TestBenchProfiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bench(t, "--events 100 --cpu-profile "+filepath.Join(dir, "cpu.pprof"))
	for _, name := range []string{"cpu.pprof", "cpu-publisher.pprof", "cpu-receiver.pprof"} {
		profile, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.HasPrefix(string(profile), "\x1f\x8b") {
			t.Errorf("%s: %d bytes, %v", name, len(profile), err)
		}
	}
}

func TestBenchRefusesOptions(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--flood", "--flood --rate 1 --backlog 1", "--relay --failing 0.1", "--stored -1", "--failing 0.5 --resetting 0.5", "--hostile nonsense"} {
		t.Run(args, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), binary, append([]string{"bench"}, strings.Fields(args)...)...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), strings.Fields(args)[0]) && !strings.Contains(string(out), "--resetting") {
				t.Errorf("%s: %v\n%s", args, err, out)
			}
		})
	}
}
