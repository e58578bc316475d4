package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const tagServer = "Server"

// node is a node on the wire.
type node struct {
	ID             string     `json:"id" example:"host-1/10.0.0.5:8080" doc:"The node's name."`
	Current        bool       `json:"current" doc:"Whether it is the node that answers."`
	Alive          bool       `json:"alive" doc:"Whether its leases hold. Other nodes take the shards of one that is not alive."`
	Leaving        bool       `json:"leaving" doc:"Whether it is shutting down, and hands its shards over."`
	Shards         int        `json:"shards" example:"128" doc:"How many of the 256 shards it owns. Each endpoint belongs to one."`
	Epoch          int64      `json:"epoch" example:"7" doc:"The newest epoch of its shards, which grows with each change of owner; 0 if it owns none."`
	LeaseRenewedAt *time.Time `json:"lease_renewed_at" nullable:"true" doc:"When it renewed its leases, as the node that answers has seen: up to a quarter of their term late. null for leases that do not end, as with SQLite."`
	LeaseExpiresAt *time.Time `json:"lease_expires_at" nullable:"true" doc:"When its leases end unless it renews them; null for leases that do not end."`
	Address        *string    `json:"address" nullable:"true" example:"http://10.0.0.5:8080" doc:"The URL at which clients reach it; null for other nodes than the one that answers."`
	Version        *string    `json:"version" nullable:"true" example:"0.3.0" doc:"null if the node has not said it, because its version is older."`
	StartedAt      *time.Time `json:"started_at" nullable:"true" doc:"When its process started; null if the node has not said it."`
}

func wireNode(n *service.Node, now time.Time) node {
	wire := node{ID: n.Name, Current: n.Process != nil, Alive: n.Alive(), Leaving: n.Leaving, Shards: n.Shards, Epoch: n.Epoch}
	if n.Term > 0 {
		renewed := now.Add(-n.Age).UTC()
		wire.LeaseRenewedAt, wire.LeaseExpiresAt = &renewed, new(renewed.Add(n.Term))
	}
	wire.Version, wire.StartedAt = orNull(n.Version), timeOrNull(n.StartedAt)
	if p := n.Process; p != nil {
		wire.Address = &p.Address
	}
	return wire
}

// nodeList has all nodes on the wire.
type nodeList struct {
	Data []node `json:"data" doc:"By name, at most 512."`
}

// setting is an option of the server on the wire.
type setting struct {
	Name      string                `json:"name" example:"listen" doc:"The flag without its dashes, which is also the key in the configuration file."`
	Variables []string              `json:"variables" example:"[\"BELLWIRE_LISTEN\"]" doc:"The environment variables that set it."`
	Group     string                `json:"group" example:"Server"`
	Help      string                `json:"help" example:"Address to listen on."`
	Value     *string               `json:"value" nullable:"true" example:"127.0.0.1:8080" doc:"null if it has no value. The value of a secret is \"set\"; passwords are left out of URLs."`
	Secret    bool                  `json:"secret" doc:"Whether its value is a secret, which is never shown."`
	Source    service.SettingSource `json:"source" enum:"flag,environment,file,default" doc:"Where the value comes from."`
}

// shownSecret is the value of each secret on the wire.
const shownSecret = "set"

func wireSetting(s *service.Setting) setting {
	wire := setting{
		Name: s.Name, Variables: append([]string{}, s.Variables...), Group: s.Group, Help: s.Help, Secret: s.Secret, Source: s.Source,
	}
	switch {
	case !s.Set:
	case s.Secret:
		wire.Value = new(shownSecret)
	default:
		wire.Value = &s.Value
	}
	return wire
}

// settingList has all options on the wire.
type settingList struct {
	Data []setting `json:"data"`
}

// finding is a finding on the wire.
type finding struct {
	ID    string                `json:"id" example:"database.durability" doc:"What was examined; the same in all versions."`
	Level bellwire.FindingLevel `json:"level" enum:"problem,warning,note,ok" doc:"problem: something fails now, or can lose data. warning: something works less well, or will fail later."`
	Found string                `json:"found" example:"Commits are durable."`
	Do    string                `json:"do" doc:"What to do about it; empty if it is nothing."`
}

// examination has all findings on the wire.
type examination struct {
	ExaminedAt time.Time `json:"examined_at"`
	Data       []finding `json:"data" doc:"The worst first."`
}

func wireExamination(e service.Examination) examination {
	wire := examination{ExaminedAt: e.At.UTC(), Data: make([]finding, len(e.Findings))}
	for i, f := range e.Findings {
		wire.Data[i] = finding(f)
	}
	return wire
}

func (a *api) nodes() {
	route(a, service.Manage, huma.Operation{
		OperationID: "examine-server", Method: http.MethodGet, Path: "/doctor", Tags: []string{tagServer},
		Summary: "Examine the server",
		Description: "For admin keys. Examines the configuration, the machine, the keyset and the database of the node that answers, as " +
			"`bellwire doctor` does, and says what to do about each fault. The answer can be five seconds old.",
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*output[examination], error) {
		found, err := a.svc.Examine(ctx, c)
		return answer(found, err, wireExamination)
	})
	route(a, service.Manage, huma.Operation{
		OperationID: "list-nodes", Method: http.MethodGet, Path: "/nodes", Tags: []string{tagServer},
		Summary:     "List the nodes",
		Description: "For admin keys. Lists the processes that share the database, with the shards that they own. With SQLite there is one.",
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*output[nodeList], error) {
		nodes, err := a.svc.Nodes(ctx, c)
		return answer(nodes, err, func(nodes []service.Node) nodeList {
			wire, now := nodeList{Data: make([]node, len(nodes))}, time.Now()
			for i := range nodes {
				wire.Data[i] = wireNode(&nodes[i], now)
			}
			return wire
		})
	})
	route(a, service.Manage, huma.Operation{
		OperationID: "list-settings", Method: http.MethodGet, Path: "/settings", Tags: []string{tagServer},
		Summary: "List the settings",
		Description: "For admin keys. Lists the options of the node that answers, with the values in force and where they come from. " +
			"Secrets are never shown.",
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*output[settingList], error) {
		settings, err := a.svc.Settings(ctx, c)
		return answer(settings, err, func(settings []service.Setting) settingList {
			wire := settingList{Data: make([]setting, len(settings))}
			for i := range settings {
				wire.Data[i] = wireSetting(&settings[i])
			}
			return wire
		})
	})
}
