package cli

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// ForgetEmptyVariables unsets the empty ones of the variables that options name, and of those whose names begin with BELLWIRE_, because
// orchestrators set them with templates such as BELLWIRE_NODE=${NODE:-}.
func ForgetEmptyVariables(root *kong.Node) {
	known := variablesOf(root)
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if Blank(value) && (strings.HasPrefix(name, "BELLWIRE_") || slices.Contains(known, name)) {
			_ = os.Unsetenv(name) // it fails for impossible names only
		}
	}
}

// variablesOf returns the names of the variables that the options of any command name.
func variablesOf(root *kong.Node) (names []string) {
	for _, command := range root.Leaves(false) {
		for _, flag := range command.Flags {
			names = append(names, flag.Envs...)
		}
	}
	return names
}

// ofService matches the variables that Kubernetes sets for a service named bellwire.
var ofService = regexp.MustCompile(`^BELLWIRE_(SERVICE_(HOST|PORT\w*)=|PORT=\w+://|PORT_\d+_\w+=)`)

// UnknownVariables returns the names of BELLWIRE_ variables that no command has. A misspelt one would silently leave a
// default in place.
func UnknownVariables(root *kong.Node, environ []string) []string {
	var unknown []string
	known := variablesOf(root)
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "BELLWIRE_") && !slices.Contains(known, name) && !ofService.MatchString(variable) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
