package main

import (
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/token"
	"github.com/bellwire/bellwire/receive"
)

var akkuroSpeaker = speaker{
	name:    akkuro.Name,
	dialect: func(k kit) bellwire.Dialect { return akkuro.New(k.publicURL) },
	mount: func(k kit, svc *service.Service, d *httpx.Dispatcher) error {
		tokens, err := akkuroTokens(k.settings)
		if err != nil {
			return err
		}
		front := akkuro.New(k.publicURL).NewFront(svc, akkuro.Options{
			Tokens: tokens, Strict: k.settings.AkkuroStrict, Versions: k.settings.AkkuroAPIVersions, Logger: k.log,
		})
		d.MountSecond(front, akkuro.Segment)
		return nil
	},
	catalogue:   akkuro.Catalogue,
	deliversURL: true,
	verifier:    func(secrets []string) (receive.Verifier, error) { return receive.Akkuro(secrets...) },
	demo:        demoPart{events: []string{"counterparty.merged"}},
}

// akkuroTokens returns what verifies callers' JSON Web Tokens, nil if the settings name no issuer.
func akkuroTokens(s *settings) (*token.Verifier, error) {
	if s.AkkuroJWKSURL == "" && s.AkkuroJWTSecret == "" {
		return nil, nil
	}
	return token.New(token.Config{
		JWKSURL: s.AkkuroJWKSURL, Secret: s.AkkuroJWTSecret,
		Audience: s.AkkuroJWTAudience, TenantClaim: s.AkkuroTenantClaim,
	})
}
