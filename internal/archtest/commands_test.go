package archtest

import (
	"strings"
	"testing"
)

// All tests are run in one way, which the README shows: CI and make do nothing else.
func TestOneCommandRunsAllTests(t *testing.T) {
	t.Parallel()
	const command = "test/run"
	for file, want := range map[string]string{
		"README.md": "```sh\n" + command + "\n```",
		".ci/run":   "step \"Tests\"\n" + command + "\n",
		"Makefile":  "\n\t" + command + "\n",
	} {
		text := contents(t, "../../"+file)
		if !strings.Contains(text, want) {
			t.Errorf("%s does not run all tests with %q", file, want)
		}
		if strings.Contains(text, "go test -race") {
			t.Errorf("%s runs tests in another way, too", file)
		}
	}
}
