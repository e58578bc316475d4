package sim

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Scenario is what is simulated: one cell, its traffic, its receivers and what fails. Its JSON is the form of scenario files.
type Scenario struct {
	Description string            `json:"description"`
	Seed        uint64            `json:"seed"`
	Warmup      bellwire.Duration `json:"warmup"`   // time before anything is measured
	Duration    bellwire.Duration `json:"duration"` // of the measurement
	Cells       int               `json:"cells"`    // of the platform; they share nothing, so one is simulated
	Affected    int               `json:"affected"` // of the cells: those in which the faults happen
	Cell        Cell              `json:"cell"`
	Traffic     Traffic           `json:"traffic"`
	Receivers   Receivers         `json:"receivers"`
	Faults      []Fault           `json:"faults"`
	Costs       *Costs            `json:"costs"` // null: those that were measured
}

// Cell is a PostgreSQL database with its nodes.
type Cell struct {
	Nodes         int               `json:"nodes"`
	NodeCores     int               `json:"node_cores"`     // of each node
	DatabaseCores int               `json:"database_cores"` // of PostgreSQL
	SharedCores   int               `json:"shared_cores"`   // instead of both: nodes, PostgreSQL, publishers and receivers on one machine
	Flush         bellwire.Duration `json:"flush"`          // of the log to disk
	LogMBs        float64           `json:"log_mb_per_second"`
	Standby       bellwire.Duration `json:"standby"`   // how much longer a commit takes because of a standby
	Network       bellwire.Duration `json:"network"`   // from one machine of the cell to another
	ByTenant      bool              `json:"by_tenant"` // whether the load balancer sends all publishes of a tenant to one node
}

// Traffic is what is published to the cell.
type Traffic struct {
	Rate       float64 `json:"rate"`       // events a second, at random moments
	Publishers int     `json:"publishers"` // instead of a rate: publishers that publish again as soon as they are answered
	Batch      int     `json:"batch"`      // events of a publish
	Tenants    int     `json:"tenants"`
	Endpoints  int     `json:"endpoints"`  // of each tenant
	Deliveries int     `json:"deliveries"` // of each event
	Largest    float64 `json:"largest"`    // share of the first tenant in all events; the others have equal shares
	// LargestEndpoints is how many endpoints the first tenant has; 0: as many as the others.
	LargestEndpoints int `json:"largest_endpoints"`
}

// Receivers is the population of endpoints. Latencies are lognormal: a median of each endpoint around the median of all, and latencies
// of each around its median.
type Receivers struct {
	Median      bellwire.Duration `json:"median"`
	Spread      float64           `json:"spread"` // sigma of the endpoints' medians
	Jitter      float64           `json:"jitter"` // sigma of an endpoint's latencies
	Failing     float64           `json:"failing"`
	Hanging     float64           `json:"hanging"`
	Timeout     bellwire.Duration `json:"timeout"`
	MaxInFlight int               `json:"max_in_flight"`
}

// Kinds of faults.
const (
	FaultNode      = "node"      // the last nodes are away; share says how many of all
	FaultDatabase  = "database"  // the database is away, or the whole cell
	FaultReceivers = "receivers" // a share of the endpoints answers 500
)

// Fault is something that fails for a time.
type Fault struct {
	Kind  string            `json:"kind"`
	At    bellwire.Duration `json:"at"`  // counted from the begin of the measurement
	For   bellwire.Duration `json:"for"` // 0: to the end
	Share float64           `json:"share"`
}

// Costs are microseconds of CPU, and bytes of PostgreSQL's log. What is done once for a transaction is told apart from what is done for
// each of its rows.
type Costs struct {
	Source string `json:"source"`
	Node   struct {
		Publish float64 `json:"publish"` // a request of a publisher
		Event   float64 `json:"event"`   // of it
		Append  float64 `json:"append"`  // a transaction that stores events
		Attempt float64 `json:"attempt"` // until the request is sent
		Result  float64 `json:"result"`  // of an attempt
		Record  float64 `json:"record"`  // a transaction that stores results
		Forward float64 `json:"forward"` // a delivery to another node
		Receive float64 `json:"receive"` // a delivery from another node
		Claim   float64 `json:"claim"`   // a transaction that claims
		Claimed float64 `json:"claimed"` // a delivery
	} `json:"node"`
	Database rowCosts `json:"database"`
	Log      rowCosts `json:"log"`
	Others   struct {
		Publish float64 `json:"publish"` // of the publisher
		Receipt float64 `json:"receipt"` // of the receiver
	} `json:"others"`
}

// rowCosts are the costs of transactions and of their rows.
type rowCosts struct {
	Append  float64 `json:"append"`
	Publish float64 `json:"publish"`
	Event   float64 `json:"event"`
	Record  float64 `json:"record"`
	Result  float64 `json:"result"`
	Claim   float64 `json:"claim"`
	Claimed float64 `json:"claimed"`
}

//go:embed costs.json
var measured []byte

// MeasuredCosts returns the costs that were measured.
func MeasuredCosts() *Costs {
	costs := new(Costs)
	if err := json.Unmarshal(measured, costs); err != nil {
		panic(err) // the file is a part of the program, and a test reads it
	}
	return costs
}

// Read reads a scenario and checks it. What the file leaves out has usual values.
func Read(r io.Reader) (*Scenario, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	s := usual()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("the scenario cannot be read: %w", err)
	}
	if decoder.More() {
		return nil, errors.New("the scenario must be one JSON object")
	}
	return s, s.check()
}

// usual returns a scenario with what most have in common.
func usual() *Scenario {
	duration := func(d time.Duration) bellwire.Duration { return bellwire.Duration(d) }
	return &Scenario{
		Seed: 1, Warmup: duration(5 * time.Second), Duration: duration(20 * time.Second), Cells: 1,
		Cell: Cell{
			Nodes: 3, NodeCores: 4, DatabaseCores: 8, Flush: duration(500 * time.Microsecond), LogMBs: 500,
			Network: duration(200 * time.Microsecond),
		},
		Traffic: Traffic{Rate: 1000, Batch: 1, Tenants: 1000, Endpoints: 1, Deliveries: 1},
		Receivers: Receivers{
			Median: duration(80 * time.Millisecond), Spread: 0.8, Jitter: 0.3, Timeout: duration(15 * time.Second),
			MaxInFlight: bellwire.DefaultMaxInFlight,
		},
	}
}

// check refuses what cannot be simulated.
func (s *Scenario) check() error {
	return cmp.Or(s.checkNumbers(), s.checkShares(), s.checkFaults())
}

func (s *Scenario) checkNumbers() error {
	for _, number := range []struct {
		name         string
		value, least float64
	}{
		{"cells", float64(s.Cells), 1}, {"affected", float64(s.Affected), 0}, {"cell.nodes", float64(s.Cell.Nodes), 1},
		{"cell.node_cores", float64(s.Cell.NodeCores), 1}, {"cell.database_cores", float64(s.Cell.DatabaseCores), 1},
		{"cell.shared_cores", float64(s.Cell.SharedCores), 0}, {"cell.log_mb_per_second", s.Cell.LogMBs, 1},
		{"cell.flush", float64(s.Cell.Flush), 0}, {"cell.standby", float64(s.Cell.Standby), 0}, {"cell.network", float64(s.Cell.Network), 0},
		{"traffic.rate", s.Traffic.Rate, 0}, {"traffic.publishers", float64(s.Traffic.Publishers), 0},
		{"traffic.batch", float64(s.Traffic.Batch), 1}, {"traffic.tenants", float64(s.Traffic.Tenants), 1},
		{"traffic.endpoints", float64(s.Traffic.Endpoints), 1}, {"traffic.deliveries", float64(s.Traffic.Deliveries), 1},
		{"receivers.median", float64(s.Receivers.Median), 0}, {"receivers.spread", s.Receivers.Spread, 0},
		{"receivers.jitter", s.Receivers.Jitter, 0}, {"receivers.timeout", float64(s.Receivers.Timeout), float64(time.Millisecond)},
		{"receivers.max_in_flight", float64(s.Receivers.MaxInFlight), 1},
		{"warmup", float64(s.Warmup), 0}, {"duration", float64(s.Duration), float64(time.Second)},
	} {
		if !(number.value >= number.least) {
			return fmt.Errorf("%s is too small", number.name)
		}
	}
	switch {
	case s.Traffic.Rate == 0 && s.Traffic.Publishers == 0:
		return errors.New("traffic.rate must be above 0, or traffic.publishers be given")
	case s.Traffic.Deliveries > s.Traffic.Endpoints:
		return errors.New("traffic.deliveries must be at most traffic.endpoints")
	case s.Affected > s.Cells:
		return errors.New("affected must be at most cells")
	}
	return nil
}

func (s *Scenario) checkShares() error {
	for _, share := range []struct {
		name  string
		value float64
	}{
		{"traffic.largest", s.Traffic.Largest}, {"receivers.failing", s.Receivers.Failing}, {"receivers.hanging", s.Receivers.Hanging},
		{"the sum of receivers.failing and receivers.hanging", s.Receivers.Failing + s.Receivers.Hanging},
	} {
		if !(share.value >= 0 && share.value <= 1) {
			return fmt.Errorf("%s must be between 0 and 1", share.name)
		}
	}
	return nil
}

func (s *Scenario) checkFaults() error {
	for i, f := range s.Faults {
		switch {
		case f.Kind != FaultNode && f.Kind != FaultDatabase && f.Kind != FaultReceivers:
			return fmt.Errorf("faults[%d].kind must be %q, %q or %q", i, FaultNode, FaultDatabase, FaultReceivers)
		case f.At < 0 || f.For < 0:
			return fmt.Errorf("faults[%d] must not have negative times", i)
		case f.Kind != FaultDatabase && !(f.Share > 0 && f.Share <= 1):
			return fmt.Errorf("faults[%d].share must be above 0 and at most 1", i)
		}
	}
	return nil
}
