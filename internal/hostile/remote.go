package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Answers are the answers that an attack got.
type Answers struct {
	Counts map[string]int `json:"counts"` // requests by answer
	CPU    time.Duration  `json:"cpu"`    // time that the attacker used
}

// order is sent to the attacking process before an attack.
type order struct {
	Scenario string `json:"scenario"`
	Target   Target `json:"target"`
}

// Serve carries out attacks on request over HTTP, until in or ctx ends. It writes its address to log. It runs in a process of
// its own, so that the cost of attacking is not counted as the neighbour's. usedCPU returns the CPU time of this process.
func Serve(ctx context.Context, in io.Reader, log io.Writer, usedCPU func() time.Duration) error {
	r, err := startReceiver()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, r.close())
	}
	s := &attackServer{receiver: r, usedCPU: usedCPU}
	server := &http.Server{Handler: s.routes(), BaseContext: func(net.Listener) context.Context { return ctx }}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	gone := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, in); close(gone) }()
	fmt.Fprintf(log, "http://%s\n", listener.Addr())
	select {
	case err = <-failed:
	case <-gone:
	case <-ctx.Done():
	}
	return errors.Join(err, server.Close(), r.close())
}

// attackServer serves one other process, with one request at a time.
type attackServer struct {
	receiver *receiver
	usedCPU  func() time.Duration
	scenario *Scenario
	attacker *attacker
}

func (s *attackServer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /prepare", func(w http.ResponseWriter, req *http.Request) { s.reply(w, nil, s.prepare(req)) })
	mux.HandleFunc("POST /attack", func(w http.ResponseWriter, req *http.Request) {
		answers, err := s.attack(req.Context())
		s.reply(w, answers, err)
	})
	return mux
}

func (s *attackServer) reply(w http.ResponseWriter, answer any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // the other side notices an incomplete answer
}

func (s *attackServer) prepare(req *http.Request) error {
	var o order
	if err := json.NewDecoder(req.Body).Decode(&o); err != nil {
		return err
	}
	found, err := Find(o.Scenario)
	if err != nil {
		return err
	}
	s.scenario, s.attacker = found[0], newAttacker(o.Target, s.receiver)
	if s.scenario.prepare == nil {
		return nil
	}
	return s.scenario.prepare(req.Context(), s.attacker)
}

func (s *attackServer) attack(ctx context.Context) (*Answers, error) {
	s.attacker.answered() // answers to the preparation do not count
	before := s.usedCPU()
	ctx, cancel := context.WithTimeout(ctx, s.attacker.Attack)
	defer cancel()
	err := s.scenario.attack(ctx, s.attacker)
	return &Answers{Counts: s.attacker.answered(), CPU: s.usedCPU() - before}, err
}

// Remote is an attacker in another process that runs Serve.
type Remote struct {
	url string
}

// NewRemote returns the attacker at a URL.
func NewRemote(url string) *Remote { return &Remote{url: url} }

// Prepare prepares a scenario.
func (r *Remote) Prepare(ctx context.Context, scenario *Scenario, target Target) error {
	if err := r.post(ctx, "/prepare", order{Scenario: scenario.Name, Target: target}, nil); err != nil {
		return fmt.Errorf("cannot prepare %s: %w", scenario.Name, err)
	}
	return nil
}

// Attack attacks, and returns when the attack has ended.
func (r *Remote) Attack(ctx context.Context) (*Answers, error) {
	answers := new(Answers)
	if err := r.post(ctx, "/attack", nil, answers); err != nil {
		return nil, fmt.Errorf("attack failed: %w", err)
	}
	return answers, nil
}

func (r *Remote) post(ctx context.Context, path string, in, out any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+path, bytes.NewReader(mustJSON(in)))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(string(bytes.TrimSpace(body)))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}
