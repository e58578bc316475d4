package main

import (
	"encoding/json"
	"reflect"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/atelio"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive"
)

var atelioSpeaker = speaker{
	name:    atelio.Name,
	dialect: func(kit) bellwire.Dialect { return atelio.Dialect{} },
	mount: func(k kit, svc *service.Service, d *httpx.Dispatcher) error {
		front := atelio.NewFront(atelio.Config{Service: svc, ExpandWildcards: k.settings.AtelioExpandWildcards, Log: k.log})
		d.Mount(front, atelio.Prefix)
		return nil
	},
	catalogue: atelio.Catalogue,
	verifier:  func(secrets []string) (receive.Verifier, error) { return receive.Atelio(secrets...) },
	demo: demoPart{
		events: []string{"kyc.verification.success", "card.created"},
		same:   meansTheSame,
	},
}

// meansTheSame tells whether two texts say the same. Numbers are compared as floats: the dialect writes them in another way.
func meansTheSame(published, arrived []byte) bool {
	var a, b any
	return json.Unmarshal(published, &a) == nil && json.Unmarshal(arrived, &b) == nil && reflect.DeepEqual(a, b)
}
