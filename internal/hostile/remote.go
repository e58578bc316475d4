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

// Answers is what an attack met with.
type Answers struct {
	Counts map[string]int `json:"counts"` // requests by how they were answered
	CPU    time.Duration  `json:"cpu"`    // that the attacker itself has used of all processors
}

// order is what the attacking process is told before an attack.
type order struct {
	Scenario string `json:"scenario"`
	Target   Target `json:"target"`
}

// Serve attacks as it is told to over HTTP, until standard input ends or ctx does. It says on log where it listens. It is meant
// for a process of its own: what an attack costs its sender is not the neighbour's. usedCPU returns what this process has used of
// all processors.
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

// attackServer is told what to do by one other process, one thing after the other.
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
	_ = json.NewEncoder(w).Encode(answer) // the other side notices what is cut off
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
	s.attacker.answered() // what was answered before does not count
	before := s.usedCPU()
	ctx, cancel := context.WithTimeout(ctx, s.attacker.Attack)
	defer cancel()
	err := s.scenario.attack(ctx, s.attacker)
	return &Answers{Counts: s.attacker.answered(), CPU: s.usedCPU() - before}, err
}

// Remote is an attacker in another process, which runs Serve.
type Remote struct {
	url string
}

// NewRemote returns the attacker that listens at the URL.
func NewRemote(url string) *Remote { return &Remote{url: url} }

// Prepare makes what a scenario needs.
func (r *Remote) Prepare(ctx context.Context, scenario *Scenario, target Target) error {
	if err := r.post(ctx, "/prepare", order{Scenario: scenario.Name, Target: target}, nil); err != nil {
		return fmt.Errorf("%s could not be prepared: %w", scenario.Name, err)
	}
	return nil
}

// Attack attacks, and returns when that has ended.
func (r *Remote) Attack(ctx context.Context) (*Answers, error) {
	answers := new(Answers)
	if err := r.post(ctx, "/attack", nil, answers); err != nil {
		return nil, fmt.Errorf("the attack failed: %w", err)
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
