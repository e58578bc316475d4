package main

import (
	"log/slog"
	"slices"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive"
)

// speakers are all dialects that this build speaks, in the order in which people meet them. Each is described in a file
// of its own.
var speakers = []speaker{
	standardSpeaker,
	akkuroSpeaker,
	atelioSpeaker,
	azakawSpeaker,
	lemonSpeaker,
	bluefinSpeaker,
}

// speaker is one dialect and all that this program does with it.
type speaker struct {
	name string
	// dialect makes its delivery half.
	dialect func(k kit) bellwire.Dialect
	// mount puts its management API where the vendor has it; nil: the native API alone manages its endpoints.
	mount func(k kit, svc *service.Service, d *httpx.Dispatcher) error
	// catalogue is a file of the vendor's event types, as package internal/catalogue reads it; nil: there are none.
	catalogue []byte
	// deliversURL is set if the dialect writes the URL of this server into what it delivers.
	deliversURL bool
	// verifier makes what verifies its deliveries from what --secret of listen was given.
	verifier func(secrets []string) (receive.Verifier, error)
	// demo is its part in the demonstration.
	demo demoPart
}

// demoPart says how a dialect shows itself in the demonstration.
type demoPart struct {
	events []string // of the catalogue, whose examples are published, and which the dialect's endpoint wants
	// adapt changes how the endpoint is made; nil: as it is.
	adapt func(in *client.EndpointInput)
	// secret is what the verifier is made of, if not the endpoint's own secret.
	secret string
	// same tells whether what arrived is what was published; nil: it is if it is so byte for byte.
	same func(published, arrived []byte) bool
}

// kit is what dialects are made with.
type kit struct {
	settings  *settings
	publicURL string // without a slash at its end
	log       *slog.Logger
}

var standardSpeaker = speaker{
	name:     standard.Name,
	dialect:  func(kit) bellwire.Dialect { return standard.Dialect{} },
	verifier: func(secrets []string) (receive.Verifier, error) { return receive.Standard(secrets...) },
}

func dialectNames() []string {
	names := make([]string, len(speakers))
	for i := range speakers {
		names[i] = speakers[i].name
	}
	return names
}

// enabledSpeakers are those of the dialects named, or all. standard is always among them: it is what the native API's
// endpoints speak that name no other.
func enabledSpeakers(names []string) []*speaker {
	var enabled []*speaker
	for i := range speakers {
		name := speakers[i].name
		if len(names) == 0 || name == standard.Name || slices.Contains(names, name) {
			enabled = append(enabled, &speakers[i])
		}
	}
	return enabled
}

// speakerOf returns the speaker of a dialect, nil if this build does not speak it.
func speakerOf(name string) *speaker {
	for i := range speakers {
		if speakers[i].name == name {
			return &speakers[i]
		}
	}
	return nil
}
