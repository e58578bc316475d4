package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Process is the process of a service.
type Process struct {
	Node      string // its name among those that use the store
	Address   string // the URL at which it is reached
	Version   string
	StartedAt time.Time
}

// Node is a node that uses the store.
type Node struct {
	bellwire.Node
	Process *Process // nil unless it is the node that was asked
}

// Nodes returns the nodes that use the store, by name. The node that is asked is always among them.
func (s *Service) Nodes(ctx context.Context, c Caller) ([]Node, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	reading, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	stored, err := s.store.Nodes(reading)
	if err != nil {
		return nil, err
	}
	nodes := make([]Node, len(stored))
	for i, n := range stored {
		nodes[i] = Node{Node: n}
	}
	at, found := slices.BinarySearchFunc(nodes, s.process.Node, func(n Node, name string) int { return strings.Compare(n.Name, name) })
	if !found { // it has not acquired leases yet, or others have taken it for dead
		nodes = slices.Insert(nodes, at, Node{Node: bellwire.Node{Name: s.process.Node}})
	}
	nodes[at].Process = &s.process
	nodes[at].Version, nodes[at].StartedAt = s.process.Version, s.process.StartedAt
	nodes[at].Age = s.engine.LeaseAge()
	return nodes, nil
}

// Setting is an option of the server with its value.
type Setting struct {
	Name      string
	Variables []string // of the environment
	Group     string   // such as "Storage and keys"
	Help      string
	Value     string        // empty for a secret
	Secret    bool          // the value must not be shown
	Set       bool          // it has a value
	Source    SettingSource // of the value
}

// SettingSource is where the value of an option comes from.
type SettingSource string

// The sources.
const (
	SettingFlag        SettingSource = "flag"
	SettingEnvironment SettingSource = "environment"
	SettingFile        SettingSource = "file"
	SettingDefault     SettingSource = "default"
)

// SettingSources are all sources, the strongest first.
var SettingSources = []SettingSource{SettingFlag, SettingEnvironment, SettingFile, SettingDefault}

// Examination is what an examination of this node, its machine and its database has found.
type Examination struct {
	At       time.Time
	Findings []bellwire.Finding // the worst first
}

// Examine returns an examination. It may be a few seconds old.
type Examine func(context.Context) (Examination, error)

// Examine returns what an examination of this node, its machine and its database has found.
func (s *Service) Examine(ctx context.Context, c Caller) (Examination, error) {
	if err := authorize(c, Manage); err != nil {
		return Examination{}, err
	}
	if s.examine == nil {
		return Examination{At: time.Now()}, nil
	}
	return s.examine(ctx)
}

// Settings returns the options in force on this node.
func (s *Service) Settings(_ context.Context, c Caller) ([]Setting, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	return s.settings, nil
}
