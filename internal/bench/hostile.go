package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/hostile"
)

// Attack plays the hostile customer in a process of its own, so that its own cost is not counted as the neighbour's. Its
// parent process controls it through standard input, and ends it by closing that.
func Attack(ctx context.Context, in io.Reader, errOut io.Writer) error {
	return hostile.Serve(ctx, in, errOut, usedCPU)
}

const (
	// hostileWarmUp is not measured: it opens connections and loads configuration.
	hostileWarmUp = 500 * time.Millisecond
	// hostilePatience is the time to wait for the neighbour's events after an attack, to know how late they are.
	hostilePatience = 30 * time.Second
	// hostileTimeout bounds a scenario as a whole.
	hostileTimeout = 10 * time.Minute
)

// hostile runs the scenarios one after the other, each on servers and a database of its own, and fails if one affects the
// neighbour beyond its bounds.
func (o *Options) hostile(ctx context.Context, out io.Writer) error {
	scenarios, err := hostile.Find(o.Hostile)
	if err != nil {
		return err
	}
	var report struct {
		Scenarios []*hostile.Result `json:"scenarios"`
	}
	var missed []string
	for _, scenario := range scenarios {
		result, err := o.medianOf(ctx, scenario)
		if err != nil {
			return fmt.Errorf("%s: %w", scenario.Name, err)
		}
		report.Scenarios = append(report.Scenarios, result)
		if figures := result.Missed(); len(figures) > 0 {
			missed = append(missed, scenario.Name+": "+strings.Join(figures, ", "))
		}
		if o.JSON {
			continue
		}
		if err := result.Print(out); err != nil {
			return err
		}
	}
	if o.JSON {
		if err := json.NewEncoder(out).Encode(&report); err != nil {
			return err
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("bounds exceeded in %d of %d scenarios:\n  %s", len(missed), len(scenarios), strings.Join(missed, "\n  "))
	}
	return nil
}

// medianOf repeats a scenario, and returns the run with the median number of exceeded bounds.
func (o *Options) medianOf(ctx context.Context, scenario *hostile.Scenario) (*hostile.Result, error) {
	results := make([]*hostile.Result, o.Runs)
	for run := range results {
		var err error
		if results[run], err = o.attacked(ctx, scenario); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(results, func(a, b *hostile.Result) int { return cmp.Compare(len(a.Missed()), len(b.Missed())) })
	return results[len(results)/2], nil
}

// attacked runs one scenario.
func (o *Options) attacked(ctx context.Context, scenario *hostile.Scenario) (result *hostile.Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, hostileTimeout)
	defer cancel()
	dir, err := os.MkdirTemp(o.Directory, "bellwire-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.DatabaseURL != "" {
		if err := o.empty(ctx); err != nil {
			return nil, err
		}
	}
	b := &benchmark{options: o, dir: dir, client: newClient(1)}
	defer func() { err = errors.Join(err, b.endServers()) }()
	if err := b.start(ctx); err != nil {
		return nil, err
	}
	if o.Nodes > 1 {
		if _, err := b.owners(ctx); err != nil {
			return nil, err
		}
	}
	attacker, err := startProcess(ctx, "bench-hostile")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, attacker.kill()) }()
	result, err = b.beside(ctx, scenario, hostile.NewRemote(attacker.url))
	if err != nil {
		return nil, err
	}
	if err := b.endServers(); err != nil {
		return nil, err
	}
	result.ServerMemory = b.peak
	result.Evaluate()
	return result, nil
}

// endServers ends the servers at once, or gently if they write profiles.
func (b *benchmark) endServers() (err error) {
	if b.options.CPUProfile != "" {
		return b.stop()
	}
	for _, server := range b.servers {
		err = errors.Join(err, server.kill())
		b.peak = max(b.peak, peakMemory(server.cmd.ProcessState))
	}
	b.servers = nil
	return err
}

// beside measures a neighbour, first alone and then during the attack.
func (b *benchmark) beside(ctx context.Context, scenario *hostile.Scenario, attacker *hostile.Remote) (result *hostile.Result, err error) {
	target := hostile.Target{AdminKey: adminKey, Attack: b.options.Attack, Strength: b.options.Strength}
	for _, server := range b.servers {
		target.Servers = append(target.Servers, server.url)
	}
	neighbour, err := hostile.NewNeighbour(ctx, target)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, neighbour.Close()) }()
	target.Neighbour = neighbour.URL()
	if err := attacker.Prepare(ctx, scenario, target); err != nil {
		return nil, err
	}
	neighbour.Live(ctx, hostileWarmUp, 0)
	if err := b.quiet(ctx); err != nil {
		return nil, err
	}
	result = &hostile.Result{Scenario: scenario.Name, Meaning: scenario.Meaning}
	result.Calm = neighbour.Live(ctx, b.options.Calm, hostilePatience)
	size, err := b.databaseSize(ctx)
	if err != nil {
		return nil, err
	}
	cpu, err := b.metric(ctx, processors)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	attack := make(chan error, 1)
	go func() {
		var err error
		result.Answers, err = attacker.Attack(ctx)
		attack <- err
	}()
	result.Attacked = neighbour.Live(ctx, b.options.Attack, hostilePatience)
	if err := <-attack; err != nil {
		return nil, err
	}
	return result, b.used(ctx, result, time.Since(began).Seconds(), cpu, size)
}

// quiet waits for a limited time until the servers have finished the work of the preparation.
func (b *benchmark) quiet(ctx context.Context) error {
	const (
		look     = 300 * time.Millisecond
		patience = 10 * time.Second
		idle     = 0.1 // processors
	)
	before, err := b.metric(ctx, processors)
	for began := time.Now(); err == nil && time.Since(began) < patience; {
		time.Sleep(look)
		var after float64
		if after, err = b.metric(ctx, processors); after-before < idle*look.Seconds()*float64(len(b.servers)) {
			break
		}
		before = after
	}
	return err
}

// used returns the resources that the processes and the database have used since the start of the attack.
func (b *benchmark) used(ctx context.Context, result *hostile.Result, seconds, cpu float64, size int64) error {
	after, err := b.metric(ctx, processors)
	if err != nil {
		return err
	}
	grown, err := b.databaseSize(ctx)
	if err != nil {
		return err
	}
	result.ServerCPU = (after - cpu) / seconds
	result.AttackerCPU = result.Answers.CPU.Seconds() / b.options.Attack.Seconds()
	result.Growth = grown - size
	return nil
}

// databaseSize returns the size of the database on disk, in bytes.
func (b *benchmark) databaseSize(ctx context.Context) (size int64, err error) {
	if b.options.DatabaseURL != "" {
		conn, err := pgx.Connect(ctx, b.options.DatabaseURL)
		if err != nil {
			return 0, err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		err = conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&size)
		return size, err
	}
	files, err := filepath.Glob(b.file() + "*")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return 0, err
		}
		size += info.Size()
	}
	return size, nil
}
