// Package directory is the configuration as this node knows it: tenants with their endpoints made ready
// for sending, the catalogue with its schemas compiled, and keys. Everything in it is immutable and cached.
package directory

import (
	"context"
	"log/slog"

	"github.com/bellwire/bellwire"
)

// Keyring opens what was sealed for the store.
type Keyring interface {
	OpenCredentials(endpoint string, sealed []byte) (*bellwire.Credentials, error)
}

type Config struct {
	Store    bellwire.Configuration
	Keyring  Keyring
	Dialects map[string]bellwire.Dialect
	Logger   *slog.Logger
}

type Directory struct{}

func New(c Config) *Directory { panic("") }

type Tenant struct {
	ID       string
	Revision int64
}

func (d *Directory) Tenant(ctx context.Context, id string) (*Tenant, error) { panic("") }

// Match returns the enabled and paused endpoints that subscribe to the event type.
func (t *Tenant) Match(eventType string) []*bellwire.Target { panic("") }

func (d *Directory) Target(ctx context.Context, endpoint string) (*bellwire.Target, error) {
	panic("")
}

type Catalogue struct{ Revision int64 }

func (d *Directory) Catalogue(ctx context.Context) (*Catalogue, error) { panic("") }

type CompiledType struct{ bellwire.EventType }

func (c *Catalogue) Type(name string) (*CompiledType, bool) { panic("") }

func (t *CompiledType) Validate(data []byte) error { panic("") }

func (d *Directory) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) { panic("") }
func (d *Directory) ForgetTenant(id string)                                            { panic("") }
func (d *Directory) ForgetEndpoint(id string)                                          { panic("") }
func (d *Directory) ForgetCatalogue()                                                  { panic("") }
