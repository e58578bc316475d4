package main

import (
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive"
)

var lemonSpeaker = speaker{
	name:    lemon.Name,
	dialect: func(k kit) bellwire.Dialect { return lemon.Dialect{StrictAck: k.settings.LemonStrictAck} },
	mount: func(k kit, svc *service.Service, d *httpx.Dispatcher) error {
		d.Mount(lemon.NewFront(svc, k.log), lemon.Prefix)
		return nil
	},
	catalogue: lemon.Catalogue,
	verifier:  func(secrets []string) (receive.Verifier, error) { return receive.Lemon(secrets...) },
	demo:      demoPart{events: []string{"account.created", "trade.cash_settled"}},
}
