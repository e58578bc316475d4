package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

const traces = `File: bellwire
Type: cpu
-----------+-------------------------------------------------------
      30ms   runtime.mallocgc (inline)
             github.com/bellwire/bellwire/internal/engine.(*Engine).work
-----------+-------------------------------------------------------
      10ms   sort.Less[go.shape.int] & more
             github.com/bellwire/bellwire/internal/engine.(*Engine).work
-----------+-------------------------------------------------------
`

func TestPicture(t *testing.T) {
	t.Parallel()
	all, err := read(strings.NewReader(traces))
	if err != nil {
		t.Fatal(err)
	}
	var picture bytes.Buffer
	if err := draw(&picture, all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<title>all, 100.0 %</title><rect x="0.0" y="66" width="1600.0"`,
		`engine.(*Engine).work, 100.0 %</title><rect x="0.0" y="48" width="1600.0" height="17" fill="#8fd18b"`,
		`runtime.mallocgc, 75.0 %</title><rect x="0.0" y="30" width="1200.0" height="17" fill="#cfcfcf"`,
		`sort.Less[go.shape.int] &amp; more, 25.0 %</title><rect x="1200.0" y="30" width="400.0"`,
		`>engine.(*Engine).work</text>`,
	} {
		if !strings.Contains(picture.String(), want) {
			t.Errorf("the picture has no %s:\n%s", want, picture.String())
		}
	}
	decoder := xml.NewDecoder(&picture)
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "no traces", "-----------+---\n  soon  runtime.main\n"} {
		if _, err := read(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestShortened(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		room int
		want string
	}{
		{"github.com/a/b.(*T).f", 20, "b.(*T).f"},
		{"github.com/a/b.f", 3, "b.f"},
		{"github.com/a/b.long", 4, "b.l…"},
		{"a/b.f(c/d.e)", 20, "b.f(c/d.e)"},
	} {
		if got := shortened(tc.name, tc.room); got != tc.want {
			t.Errorf("%s in %d: %q, want %q", tc.name, tc.room, got, tc.want)
		}
	}
}
