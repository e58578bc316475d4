package bellwire

import (
	"encoding/json"
	"time"
)

// EventType is a named kind of event in the catalogue.
type EventType struct {
	Name        string
	Group       string // the functional group in the dialect akkuro; free text in others
	Description string
	Schema      json.RawMessage // JSON Schema 2020-12 for the data; nil allows any data
	Example     json.RawMessage // what a test delivers; nil for null
	Archived    bool            // archived types cannot be published or newly subscribed to
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Revision    int64 // the operator's, with the last change

	// Older are the versions of the data before the newest, which Schema and Example describe. The first one is version 1.
	Older []OlderVersion
	Since int64 // the operator's revision that added the newest version, 0 if it is version 1; see SinceNow
}

// SinceNow as EventType.Since makes the store set it: the newest version is added.
const SinceNow = -1

// OlderVersion is a version of an event type's data before the newest.
type OlderVersion struct {
	Schema    json.RawMessage
	Example   json.RawMessage
	Converter string // a CEL expression that makes its data of that of the next version
	Since     int64
	Until     time.Time // when the next version was added; zero: unknown
}

// Bounds on the versions of an event type.
const (
	MaxVersions     = 50
	MaxVersionBytes = 1 << 20 // of the schemas, examples and converters of the older ones together
)

// Version is a version of an event type's data. Zero stands for version 1.
type Version struct {
	Number int   // from 1
	Since  int64 // the operator's revision that added it, 0 for version 1; no other version of any type has it
}

// VersionReaders are the endpoints that get the version of an event type that was the newest at a revision of the operator; see
// Endpoint.At.
type VersionReaders struct {
	At        int64
	Endpoints int
	Disabled  int // of Endpoints
}

// Newest returns the version that is published.
func (t *EventType) Newest() Version {
	if len(t.Older) == 0 {
		return Version{}
	}
	return Version{len(t.Older) + 1, t.Since}
}

// Version returns the version with a number, and whether there is one.
func (t *EventType) Version(number int) (v Version, ok bool) {
	switch {
	case number < 1 || number > len(t.Older)+1:
		return Version{}, false
	case number == 1:
		return Version{Number: 1}, true
	case number <= len(t.Older):
		return Version{number, t.Older[number-1].Since}, true
	}
	return t.Newest(), true
}

// VersionAt returns the number of the version that was the newest at a revision of the operator. A type that was added later
// has version 1 there.
func (t *EventType) VersionAt(revision int64) int {
	if t.Since <= revision {
		return len(t.Older) + 1
	}
	for i := len(t.Older) - 1; i > 0; i-- {
		if t.Older[i].Since <= revision {
			return i + 1
		}
	}
	return 1
}

// Of returns the number of the version, which is at least 1.
func (v Version) Of() int { return max(v.Number, 1) }

// versionNumbers is more than the number of any version.
const versionNumbers = 256

// Encode returns the version as one number: 0 for version 1.
func (v Version) Encode() int64 {
	if v.Since == 0 {
		return 0
	}
	return v.Since*versionNumbers + int64(v.Number)
}

// DecodeVersion is the inverse of Encode.
func DecodeVersion(n int64) Version {
	return Version{int(n % versionNumbers), n / versionNumbers}
}

// CheckEventTypeName refuses names that are not [A-Za-z0-9._:-]{1,128}.
func CheckEventTypeName(name string) error {
	if !isName(name, 128, "._:-") {
		return Invalid("name", `must have 1 to 128 characters, each of A-Z, a-z, 0-9, ".", "_", ":" or "-"`)
	}
	return nil
}
