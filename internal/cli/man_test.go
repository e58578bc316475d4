package cli

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// program is a program to complete and to document.
type program struct {
	Level int `short:"l" help:"A level."`
	Run   struct {
		Mode  string `enum:"fast,slow" default:"fast" help:"How."`
		Quiet bool   `help:"Say nothing."`
	} `cmd:"" help:"Run it.\n.not a request\nwith a back\\slash, and …\n\nFor example:\n  program run --quiet    in silence\nFast:   program run --mode fast"`
	Stop struct {
		Now  bool     `help:"At once."`
		Kind []string `enum:"hard,soft" help:"How."`
		City string   `complete:"city" help:"Where."`
		When string   `arg:"" help:"When."`
		Who  []string `arg:"" complete:"city" help:"Whom."`
	} `cmd:"" help:"Stop it."`
	Secret struct{} `cmd:"" hidden:""`
}

func TestComplete(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(new(program), kong.Name("program"))
	if err != nil {
		t.Fatal(err)
	}
	cities := Sources{"city": func(given Given) []Word {
		if given["level"] == "2" {
			return []Word{{Text: "Delft"}}
		}
		return []Word{{Text: "Aachen"}, {Text: "Bern", Help: "the\tcity\nof"}}
	}}
	for line, want := range map[string]string{
		"stop --city ":            "Aachen Bern",
		"stop --city=":            "--city=Aachen --city=Bern",
		"stop --city=B":           "--city=Bern",
		"stop --level=2 --city ":  "Delft",
		"--level 2 stop --city D": "Delft",
		"stop --kind hard,":       "hard,hard hard,soft",
		"stop --kind=hard,s":      "--kind=hard,soft",
		"stop ":                   "",
		"stop noon ":              "Aachen Bern",
		"stop noon Bern A":        "Aachen",
		"stop --now noon A":       "Aachen",
		"stop --unknown=x noon A": "Aachen",
		"stop noon -- -":          "",
		"stop -- noon B":          "Bern",
		"run --mode=":             "--mode=fast --mode=slow",
		"run --quiet=":            "",
		"run --unknown=f":         "",
		"":                        "run stop",
		"s":                       "stop",
		"x":                       "",
		"-":                       "--help --level",
		"--level ":                "",
		"--level 5 ":              "run stop",
		"-l 5 st":                 "stop",
		"run ":                    "",
		"run --":                  "--help --level --mode --quiet",
		"run --mode ":             "fast slow",
		"run --mode f":            "fast",
		"run --quiet --mo":        "--mode",
	} {
		t.Run(line, func(t *testing.T) {
			var got []string
			for _, word := range Complete(parser.Model.Node, strings.Split(line, " "), cities) {
				got = append(got, word.Text)
			}
			if text := strings.Join(got, " "); text != want {
				t.Errorf("%q is completed by %q, want %q", line, text, want)
			}
		})
	}
	if words := Complete(parser.Model.Node, nil, nil); len(words) != 2 {
		t.Errorf("%v", words)
	}
}

// TestManPage documents texts that roff would take for requests and escapes.
func TestManPage(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(new(program), kong.Name("program"))
	if err != nil {
		t.Fatal(err)
	}
	if got := (Word{"Bern", "the\tcity\nof"}).String(); got != "Bern\tthe city of" {
		t.Errorf("%q", got)
	}
	name, text := ManPage(childOf(parser.Model.Node, "run"), `1.0 "x"`)
	if name != "program-run.1" {
		t.Error(name)
	}
	for _, want := range []string{
		`.TH "PROGRAM\-RUN" 1 "" "1.0 \(dqx\(dq" "Bellwire"`, "program\\-run \\- Run it\n", "\n\\&.not a request\n", `back\eslash, and \[u2026]`,
		"\n.B \\-\\-mode=", "\n.BR program (1)\n",
		"and \\[u2026]\n.fi\n", ".SH EXAMPLES\n.nf\nprogram run \\-\\-quiet    in silence\nFast:   program run \\-\\-mode fast\n.fi\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	var m Moment
	for text, want := range map[string]string{
		"2026-01-31T12:30:00Z": "2026-01-31T12:30:00Z", "2026-01-31T12:30:00+01:00": "2026-01-31T11:30:00Z", "2026-01-31": "2026-01-31T00:00:00Z",
		"2026-01-31 12:30": "2026-01-31T12:30:00Z", "2026-01-31 12:30:05Z": "2026-01-31T12:30:05Z", "2026-01-31T12:30": "2026-01-31T12:30:00Z",
	} {
		t.Run(text, func(t *testing.T) {
			if err := m.UnmarshalText([]byte(text)); err != nil || m.Format("2006-01-02T15:04:05Z07:00") != want {
				t.Errorf("%v, %v, want %s", m, err, want)
			}
		})
	}
	for _, text := range []string{"", "yesterday", "-1h", "2026-13-01", "12"} {
		t.Run(text, func(t *testing.T) {
			if err := m.UnmarshalText([]byte(text)); err == nil {
				t.Errorf("%q is %v", text, m)
			}
		})
	}
}
