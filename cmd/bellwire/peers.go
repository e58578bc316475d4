package main

import (
	"fmt"
	"net"

	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/peer"
	"github.com/bellwire/bellwire/internal/store/postgres"
)

// connectNodes makes what carries deliveries between the nodes of a PostgreSQL database, and binds the address for it. Connections
// are made and taken once the engine runs.
func (srv *server) connectNodes(seeds [][32]byte) (err error) {
	store, several := srv.store.(*postgres.Store)
	if !several {
		return nil
	}
	s := srv.settings
	if s.NodeListen != "" {
		if srv.peers, err = net.Listen("tcp", s.NodeListen); err != nil {
			return fmt.Errorf("--node-listen: %w", notListening(s.NodeListen, err))
		}
		address := s.NodeAddress
		if address == "" {
			address = srv.peers.Addr().String()
		}
		store.SetAddress(address)
	}
	srv.links, err = peer.New(peer.Config{Node: srv.node(), Seeds: seeds, Listens: srv.peers != nil, Logger: srv.log})
	return err
}

// link returns the links as the engine takes them.
func (srv *server) link() engine.Link {
	if srv.links == nil {
		return nil
	}
	return srv.links
}
