package main

import "testing"

func TestParseLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"type": "a", "data": 1, "idd": "x"}`:      `idd is not a known field (did you mean "id"?)`,
		`{"type": "a", "data": 1, "elsewhere": {}}`: `elsewhere is not a known field`,
		`{"type": 1, "data": 1}`:                    `type must not be a JSON number`,
		`[1]`:                                       `must be an event, such as {"type": …, "data": …}, but is a JSON array`,
		`{"type": "a", "data": 1, "occurred_at": "yesterday"}`: `occurred_at must be an RFC 3339 time, such as 2026-01-31T12:30:00Z`,
		`{"type": "a", "data": 1} {}`:                          `must be one JSON value`,
		`{"type": "a", "data": 1}}`:                            `must be one JSON value`,
		`{"type": "a", "data": }`:                              `is not JSON: unexpected '}' at column 23`,
		`{"type": "a", "data"`:                                 `is not JSON: unexpected end at column 21`,
		`oops`:                                                 `is not JSON: unexpected 'o' at column 1`,
		`{"type": "a", "data": {"x": 1, "x": 2}}`:              ``,
		`{"TYPE": "a", "Data": 1, "Occurred_At": null}`:        ``,
	} {
		t.Run(text, func(t *testing.T) {
			got := ""
			if _, err := parseLine([]byte(text)); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s: got %q, want %q", text, got, want)
			}
		})
	}
}
