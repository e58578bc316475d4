package service

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// sealAuths seals the authentications in settings of dialects that were given for a tenant, and leaves them without their secrets.
// Settings without one keep that of before, which callers cannot read; one of the type none removes it.
func (s *Service) sealAuths(ctx context.Context, tenant string, given, before bellwire.SettingsByDialect) (bellwire.SettingsByDialect, error) {
	sealed := maps.Clone(given)
	for name, settings := range given {
		if settings == nil {
			continue
		}
		changed := *settings
		sealed[name] = &changed
		switch a := settings.Auth; {
		case a == nil:
			if old := before[name]; old != nil {
				changed.Auth, changed.SealedAuth = old.Auth, old.SealedAuth
			}
		case a.Type == bellwire.AuthNone:
			changed.Auth, changed.SealedAuth = nil, nil
		default:
			if err := s.maySeal(ctx); err != nil {
				return nil, err
			}
			var err error
			if changed.SealedAuth, err = s.keyring.SealAuth(tenant, name, a); err != nil {
				return nil, err
			}
			changed.Auth = shownAuth(a)
		}
	}
	return sealed, nil
}

// withoutShown returns settings without those authentications that are as they are shown: callers send back what they have read.
func withoutShown(given, stored bellwire.SettingsByDialect) bellwire.SettingsByDialect {
	kept := maps.Clone(given)
	for name, settings := range given {
		old := stored[name]
		if settings == nil || settings.Auth == nil || old == nil || old.Auth == nil || *settings.Auth != *old.Auth {
			continue
		}
		changed := *settings
		changed.Auth = nil
		kept[name] = &changed
	}
	return kept
}

// shownAuth returns an authentication without its secrets.
func shownAuth(a *bellwire.Auth) *bellwire.Auth {
	return &bellwire.Auth{Type: a.Type, Header: a.Header, Username: a.Username}
}

// openAuths returns settings of a tenant's dialects with the whole authentications.
func (s *Service) openAuths(tenant string, stored bellwire.SettingsByDialect) (bellwire.SettingsByDialect, error) {
	opened := maps.Clone(stored)
	for name, settings := range stored {
		if settings.SealedAuth == nil {
			continue
		}
		a, err := s.keyring.OpenAuth(tenant, name, settings.SealedAuth)
		if err != nil {
			return nil, err
		}
		whole := *settings
		whole.Auth, whole.SealedAuth = a, nil
		opened[name] = &whole
	}
	return opened, nil
}

// shownSettings are settings as the audit log has them. Its fields hide those of DialectSettings.
type shownSettings struct {
	*bellwire.DialectSettings
	Auth   map[string]string `json:"auth,omitempty"`
	Sealed *struct{}         `json:"sealed_auth,omitempty"`
}

// settingsShown returns settings without their secrets.
func settingsShown(stored bellwire.SettingsByDialect) map[string]shownSettings {
	shown := make(map[string]shownSettings, len(stored))
	for name, settings := range stored {
		shown[name] = shownSettings{DialectSettings: settings, Auth: authShown(settings.Auth)}
	}
	return shown
}

func authShown(a *bellwire.Auth) map[string]string {
	if a == nil {
		return nil
	}
	shown := map[string]string{"type": string(a.Type)}
	for name, value := range map[string]string{"header": a.Header, "username": a.Username} {
		if value != "" {
			shown[name] = value
		}
	}
	return shown
}

// authField names the authentication in the settings of a dialect.
func authField(dialect string) string { return "dialects." + dialect + ".auth" }

// withoutAuths returns settings without the authentications that leave chooses. Settings that have no other field are left out.
func withoutAuths(settings bellwire.SettingsByDialect, leave func(dialect string) bool) bellwire.SettingsByDialect {
	kept := make(bellwire.SettingsByDialect, len(settings))
	for name, of := range settings {
		if of.Auth != nil && leave(name) {
			changed := *of
			changed.Auth, changed.SealedAuth = nil, nil
			if of = &changed; reflect.DeepEqual(changed, bellwire.DialectSettings{}) {
				continue
			}
		}
		kept[name] = of
	}
	return kept
}

// changedAuths returns the dialects whose authentication differs, for the audit log, which does not have the secrets.
func changedAuths(before, after bellwire.SettingsByDialect) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(after)) {
		var was []byte
		if old := before[name]; old != nil {
			was = old.SealedAuth
		}
		if now := after[name].SealedAuth; now != nil && !reflect.DeepEqual(was, now) {
			names = append(names, authField(name))
		}
	}
	return names
}

// defaultAuth returns the authentication of a tenant's endpoint of a dialect that has none of its own.
func (s *Service) defaultAuth(ctx context.Context, tenant, dialect string, in *EndpointInput) (bellwire.Auth, error) {
	none := bellwire.Auth{Type: bellwire.AuthNone}
	if in.held != nil { // what is imported is as it was
		return none, nil
	}
	held, err := s.directory.Limits(ctx, tenant)
	if err != nil {
		return none, err
	}
	settings := held.Settings.Of(dialect)
	if settings == nil || settings.SealedAuth == nil {
		return none, nil
	}
	a, err := s.keyring.OpenAuth(tenant, dialect, settings.SealedAuth)
	if err != nil {
		return none, err
	}
	return *a, nil
}
