package archtest

import (
	"strings"
	"testing"
)

// The workflows look for known vulnerabilities: with each change, each week, and before a release.
func TestWorkflowsLookForVulnerabilities(t *testing.T) {
	t.Parallel()
	for file, parts := range map[string][]string{
		"ci.yml": {"pull_request:", "schedule:\n", "- run: make vulncheck\n"}, "release.yml": {"- run: make vulncheck\n"},
	} {
		text := contents(t, "../../.github/workflows/"+file)
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s does not contain %q", file, part)
			}
		}
	}
}

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
