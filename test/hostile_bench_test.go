package test

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/testenv"
)

// neighbourFigures is the part of a neighbour's figures that the test checks. Latencies need a quiet machine, so only violations
// that no machine excuses fail here.
type neighbourFigures struct {
	Publish, Delivery, Retry, Lists, Newcomer struct {
		Count int
		Worst float64 `json:"worst_ms"`
	}
	SignUp struct {
		Count int
		Worst float64 `json:"worst_ms"`
	} `json:"sign_up"`
	Probes, Refused map[string]int
	Example         string
	Missing         int
}

type hostileResult struct {
	Scenario string
	Attacked neighbourFigures
	Answers  struct{ Counts map[string]int }
	Memory   int64 `json:"server_peak_bytes"`
}

// hostileScenarios are those that show even in a short form what else than time one tenant took from others, before tenants had
// shares: memory, connections, events that do not come.
const hostileScenarios = "fan-out,hanging-tests,unread-dialects,dribbled-bodies,keyed-bodies"

// TestHostileNeighbours runs hostileScenarios on SQLite, and on PostgreSQL those that depend on the store, one of them with several
// nodes. In a short run of the hostile bench, the neighbour is never refused, all its events arrive, all probes find the server
// ready, and memory stays within its bound.
func TestHostileNeighbours(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		checkNeighbours(t, runHostileBench(t, "--hostile", hostileScenarios))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		checkNeighbours(t, runHostileBench(t, "--hostile", "hanging-tests", benchDatabase(t)))
	})
	t.Run("nodes", func(t *testing.T) {
		t.Parallel()
		checkNeighbours(t, runHostileBench(t, "--hostile", "fan-out", "--nodes", "3", benchDatabase(t)))
	})
}

// benchDatabase starts PostgreSQL with a database for benchmarks alone, and returns the option that names it.
func benchDatabase(t *testing.T) string {
	t.Helper()
	database, _ := startPostgres(t)
	conn, err := pgx.Connect(t.Context(), database.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE bench"); err != nil {
		t.Fatal(err)
	}
	return "--database-url=" + database.URL("bench")
}

// hostilePatience is for all scenarios of a run together.
const hostilePatience = 5 * time.Minute

// runHostileBench returns the report. That a figure is beyond its bound is not looked at. Half of each scenario's numbers attack for
// a second, and there are so few descriptors that half of the connections are more than a server has places for.
func runHostileBench(t *testing.T, args ...string) []hostileResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hostilePatience)
	defer cancel()
	limited := withFiles(2500, exec.Command(binary, append([]string{
		"bench", "--json", "--attack", "1s", "--calm", "1s", "--strength", "0.5", "--directory", t.TempDir(),
	}, args...)...))
	cmd := exec.CommandContext(ctx, limited.Path, limited.Args[1:]...)
	out, err := cmd.Output()
	var stderr []byte
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		stderr = exit.Stderr
	} else if err != nil {
		t.Fatal(err)
	}
	var report struct{ Scenarios []hostileResult }
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, stderr)
	}
	return report.Scenarios
}

func checkNeighbours(t *testing.T, results []hostileResult) {
	t.Helper()
	const (
		mostMemory = 400 << 20
		mostWorst  = 30_000 // ms: whatever else the machine has to do
	)
	if len(results) == 0 {
		t.Error("nothing was run")
	}
	for _, r := range results {
		a := r.Attacked
		if len(a.Refused) > 0 || a.Missing > 0 {
			t.Errorf("%s: %v were refused to the neighbour (%s), %d did not arrive", r.Scenario, a.Refused, a.Example, a.Missing)
		}
		for answer, n := range a.Probes {
			// A busy machine is no fault of the server: a probe may time out, or lose its connection to one of the attacker.
			if late := answer == "timeout" || answer == "cut off" && n <= a.Probes["200"]; answer != "200" && !late {
				t.Errorf("%s: %d probes of readiness were answered %s", r.Scenario, n, answer)
			}
		}
		if a.Probes["200"] == 0 || a.Publish.Count == 0 || a.Delivery.Count == 0 || a.Retry.Count == 0 || a.Lists.Count == 0 ||
			a.Newcomer.Count == 0 || a.SignUp.Count == 0 {
			t.Errorf("%s: the neighbour did not live: %+v", r.Scenario, a)
		}
		if worst := max(a.Publish.Worst, a.Delivery.Worst, a.Retry.Worst, a.Lists.Worst, a.Newcomer.Worst, a.SignUp.Worst); worst > mostWorst {
			t.Errorf("%s: something took %.0f ms", r.Scenario, worst)
		}
		if r.Memory <= 0 || r.Memory > mostMemory {
			t.Errorf("%s: the server had %d MiB", r.Scenario, r.Memory>>20)
		}
		if len(r.Answers.Counts) == 0 {
			t.Errorf("%s: nothing was attacked", r.Scenario)
		}
	}
}
