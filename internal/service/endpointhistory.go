package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// EndpointHistory lists the changes of an endpoint, also of a deleted one. Tenants are not shown keys and addresses of operators.
func (s *Service) EndpointHistory(ctx context.Context, c Caller, tenant, id string, page bellwire.Page) (*bellwire.List[*bellwire.Change], error) {
	if err := authorizeIn(c, Read, tenant); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	ctx, end, err := s.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	list, err := s.store.EndpointHistory(ctx, tenant, id, fitted(ctx, page))
	if err != nil {
		return nil, err
	}
	names := make(keyNames)
	for _, change := range list.Items {
		change.Actor = actorFor(c, change.Actor)
		if change.Actor.KeyName, err = names.of(ctx, s.store, change.Actor.Key); err != nil {
			return nil, err
		}
		if c.may(ReadSecrets) {
			continue
		}
		for _, fields := range []*json.RawMessage{&change.Before, &change.After} {
			if *fields, err = maskFields(*fields); err != nil {
				return nil, bellwire.Wrap(bellwire.CodeInternal, err, "the history of endpoint %q cannot be read", id)
			}
		}
	}
	return list, nil
}

// actorFor returns an actor as the caller may see it.
func actorFor(c Caller, a bellwire.Actor) bellwire.Actor {
	switch {
	case !c.Role.OfTenant():
	case a.Role == bellwire.RolePortal:
		a.Key = bellwire.KeyID{} // may be an operator's
	case !a.Role.OfTenant():
		a.Key, a.Session, a.Address = bellwire.KeyID{}, bellwire.SessionID{}, ""
	}
	return a
}

// actor returns the originator of the caller's changes.
func (c Caller) actor(ctx context.Context) bellwire.Actor {
	a := bellwire.Actor{Kind: bellwire.ActorConfigured, Key: c.Key, Session: c.Session, Role: c.Role, Origin: bellwire.CallOf(ctx).Origin}
	switch {
	case !c.Key.IsZero():
		a.Kind = bellwire.ActorKey
	case c.Role.OfTenant() && c.Session.IsZero():
		a.Kind = bellwire.ActorVouched
	}
	return a
}

// The fields of a history whose values need care.
const (
	fieldURL      = "url"
	fieldSettings = "dialect_settings" // Endpoint.Extra, which may contain parts of the URL
)

// shownFields are what the history of an endpoint shows of it, by name, and the secrets that it compares.
type shownFields struct {
	values  map[string]any
	secrets map[string]string // by where they are shown: "secret", "auth" or "headers." and a name
}

// fieldsOf returns the fields of an endpoint. The values stay as they are if the endpoint is changed.
func fieldsOf(ep *bellwire.Endpoint, c *bellwire.Credentials) shownFields {
	m := shownFields{secrets: make(map[string]string)}
	headers := make(map[string]string)
	for _, h := range c.Headers {
		headers[h.Name] = bellwire.Redacted
		m.secrets["headers."+h.Name] = h.Value
	}
	auth := authShown(&c.Auth)
	m.secrets["auth"] = strings.Join([]string{c.Auth.Key, c.Auth.Password, c.Auth.Token}, "\x00")
	if len(c.Secrets) > 0 {
		m.secrets["secret"] = c.Secrets[0].Value + "\x00" + c.Secrets[0].PrivateKey
	}
	m.values = map[string]any{
		fieldURL: ep.URL, "description": ep.Description, "dialect": ep.Dialect, "events": ep.Events, "filter": nil,
		"on_error": ep.OnError, "retry": ep.Retry,
		"auth": auth, "headers": headers, "rate_limit": nil, "max_in_flight": ep.MaxInFlight,
		"timeout": bellwire.Duration(ep.Timeout), "auto_disable_after": bellwire.Duration(ep.AutoDisableAfter), "ordering": ep.Ordering,
		"signing": ep.Signing, "status": ep.Status, "status_reason": ep.StatusReason, "metadata": ep.Metadata, fieldSettings: ep.Extra,
	}
	if len(ep.Versions) > 0 {
		m.values["versions"] = ep.VersionNumbers()
	}
	if ep.Filter != "" {
		m.values["filter"] = ep.Filter
	}
	if ep.RateLimit > 0 {
		m.values["rate_limit"] = ep.RateLimit
	}
	return m
}

// all returns all fields as JSON.
func (m shownFields) all() (json.RawMessage, error) { return encodeFields(m.values) }

// changesTo returns the fields that differ from those of an endpoint after a change. A secret that differs is shown as
// bellwire.SecretChanged.
func (m shownFields) changesTo(after shownFields) (was, is json.RawMessage, err error) {
	from, to := make(map[string]any), make(map[string]any)
	for name, value := range after.values {
		same, err := equalFields(m.values[name], value)
		if err != nil {
			return nil, nil, err
		}
		if !same {
			from[name], to[name] = m.values[name], value
		}
	}
	auth, headers := after.values["auth"].(map[string]string), after.values["headers"].(map[string]string)
	for name, value := range after.secrets {
		if m.secrets[name] == value {
			continue
		}
		switch header, isHeader := strings.CutPrefix(name, "headers."); {
		case isHeader:
			from["headers"], to["headers"] = m.values["headers"], headers
			headers[header] = bellwire.SecretChanged
		case name == "auth":
			from[name], to[name] = m.values[name], auth
			auth["secret"] = bellwire.SecretChanged
		default:
			to[name] = bellwire.SecretChanged
		}
	}
	if was, err = encodeFields(from); err != nil {
		return nil, nil, err
	}
	is, err = encodeFields(to)
	return was, is, err
}

func equalFields(a, b any) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, encodingError(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		return false, encodingError(err)
	}
	return bytes.Equal(x, y), nil
}

// encodeFields returns fields as a JSON object, nil if there are none.
func encodeFields(values map[string]any) (json.RawMessage, error) {
	if len(values) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(values)
	if err != nil {
		return nil, encodingError(err)
	}
	return b, nil
}

func encodingError(err error) error {
	return bellwire.Wrap(bellwire.CodeInternal, err, "the fields of an endpoint cannot be encoded")
}

// maskFields redacts what callers without the permission ReadSecrets must not see of an endpoint's URL.
func maskFields(encoded json.RawMessage) (json.RawMessage, error) {
	masked, err := maskedFields(encoded)
	if err != nil {
		return nil, err
	}
	return json.Marshal(masked)
}

// maskedFields returns the fields of a history, with what may be secret of an endpoint's URL redacted.
func maskedFields(encoded json.RawMessage) (map[string]json.RawMessage, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &values); err != nil {
		return nil, err
	}
	if value, ok := values[fieldURL]; ok {
		var url string
		if err := json.Unmarshal(value, &url); err != nil {
			return nil, err
		}
		url, _ = bellwire.MaskURL(url)
		masked, err := json.Marshal(url)
		if err != nil {
			return nil, err
		}
		values[fieldURL] = masked
	}
	if value, ok := values[fieldSettings]; ok && !emptyJSON(value) {
		values[fieldSettings] = json.RawMessage(`"` + bellwire.Redacted + `"`)
	}
	return values, nil
}

// auditChange returns a context for a change of an endpoint, as audit does. The audit log has the fields of the history, but without
// empty ones and without what may be secret of the URL, and of a long value its size; replay is the job that begins with the change.
func (s *Service) auditChange(ctx context.Context, c Caller, action string, ep *bellwire.Endpoint, note bellwire.ChangeNote, replay bellwire.JobID) context.Context {
	var fields [2]map[string]any
	for i, encoded := range []json.RawMessage{note.Before, note.After} {
		var err error
		if fields[i], err = auditedFields(encoded); err != nil { // the change is on record all the same
			s.auditFault(ctx, action, err)
		}
	}
	before, after := fields[0], fields[1]
	if !replay.IsZero() {
		after["replay"] = replay
	}
	return s.audit(ctx, c, ep.Tenant, action, ep.ID, before, after)
}

func auditedFields(encoded json.RawMessage) (map[string]any, error) {
	fields := make(map[string]any)
	if encoded == nil {
		return fields, nil
	}
	values, err := maskedFields(encoded)
	if err != nil {
		return fields, err
	}
	for name, value := range values {
		switch {
		case emptyJSON(value):
		case len(value) > auditedBytes:
			fields[name] = fmt.Sprintf("[%d bytes]", len(value))
		default:
			fields[name] = value
		}
	}
	return fields, nil
}

// emptyJSON reports whether a value says nothing.
func emptyJSON(value json.RawMessage) bool {
	switch string(value) {
	case "null", `""`, "[]", "{}":
		return true
	}
	return false
}

// created returns the note of an endpoint's creation.
func (c Caller) created(ctx context.Context, ep *bellwire.Endpoint, credentials *bellwire.Credentials) (note bellwire.ChangeNote, err error) {
	note.Actor = c.actor(ctx)
	note.After, err = fieldsOf(ep, credentials).all()
	return note, err
}

// updated returns the note of a change of an endpoint that had other fields before.
func (c Caller) updated(ctx context.Context, before shownFields, ep *bellwire.Endpoint, credentials *bellwire.Credentials) (note bellwire.ChangeNote, err error) {
	note.Actor = c.actor(ctx)
	note.Before, note.After, err = before.changesTo(fieldsOf(ep, credentials))
	return note, err
}

// deleted returns the note of an endpoint's deletion. An endpoint whose credentials cannot be opened can be deleted too.
func (s *Service) deleted(ctx context.Context, c Caller, ep *bellwire.Endpoint) (note bellwire.ChangeNote, err error) {
	credentials, err := s.keyring.OpenCredentials(ep.ID, ep.Sealed)
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "credentials of a deleted endpoint cannot be opened",
			slog.String("endpoint", ep.ID), slog.Any("error", err))
		credentials = new(bellwire.Credentials)
	}
	note.Actor = c.actor(ctx)
	note.Before, err = fieldsOf(ep, credentials).all()
	return note, err
}
