package output

import "testing"

func TestWantsColor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, noColor, term string
		want                bool
	}{
		{"an ordinary terminal", "", "xterm-256color", true},
		{"NO_COLOR", "1", "xterm-256color", false},
		{"a terminal without colors", "", "dumb", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			environment := map[string]string{"NO_COLOR": test.noColor, "TERM": test.term}
			if got := wantsColor(func(name string) string { return environment[name] }); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
