package main

import (
	"encoding/json"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive"
)

var bluefinSpeaker = speaker{
	name:    bluefin.Name,
	dialect: func(k kit) bellwire.Dialect { return bluefin.Dialect{PublicURL: k.publicURL} },
	mount: func(k kit, svc *service.Service, d *httpx.Dispatcher) error {
		d.Mount(bluefin.NewFront(bluefin.FrontConfig{
			Service: svc, PublicURL: k.publicURL, Basic: k.settings.BluefinBasic, Logger: k.log,
		}), bluefin.Prefix)
		return nil
	},
	catalogue:   bluefin.Catalogue,
	deliversURL: true,
	verifier:    func(webhooks []string) (receive.Verifier, error) { return receive.Bluefin(webhooks...) },
	demo: demoPart{
		events: []string{"ACCOUNT_UPDATER_BATCH_UPDATES"},
		same:   sameBluefin,
	},
}

// sameBluefin tells whether a payload links to update records: they are not in it, whatever was published.
func sameBluefin(_, arrived []byte) bool {
	var payload struct{ UpdateID, URL string }
	err := json.Unmarshal(arrived, &payload)
	return err == nil && payload.UpdateID != "" &&
		strings.HasSuffix(payload.URL, "/accounts/"+demoTenant+"/account-updater/updates/"+payload.UpdateID)
}
