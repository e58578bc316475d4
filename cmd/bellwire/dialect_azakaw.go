package main

import (
	"strings"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive"
)

const azakawDemoKey = "a-key-of-the-customer"

var azakawSpeaker = speaker{
	name:    azakaw.Name,
	dialect: func(kit) bellwire.Dialect { return azakaw.Dialect{} },
	mount: func(k kit, svc *service.Service, d *httpx.Dispatcher) error {
		d.Mount(azakaw.NewFront(svc, k.log), azakaw.Prefix)
		return nil
	},
	catalogue: azakaw.Catalogue,
	verifier: func(secrets []string) (receive.Verifier, error) {
		if username, password, basic := strings.Cut(secrets[0], ":"); basic && len(secrets) == 1 {
			return receive.AzakawBasic(username, password)
		}
		return receive.AzakawAPIKey("", secrets...)
	},
	demo: demoPart{
		events: []string{"RiskAssessmentCalculated", "ProfileStatusUpdated"},
		adapt: func(in *client.EndpointInput) {
			in.Auth = &client.Auth{Type: "api_key", Header: receive.DefaultAzakawHeader, Key: azakawDemoKey}
		},
		secret: azakawDemoKey,
	},
}
