package cli

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// ForgetEmptyVariables unsets empty BELLWIRE_ variables, because orchestrators set them with templates such as
// BELLWIRE_NODE=${NODE:-}.
func ForgetEmptyVariables() {
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "BELLWIRE_") && Blank(value) {
			_ = os.Unsetenv(name) // it fails for impossible names only
		}
	}
}

// ofService matches the variables that Kubernetes sets for a service named bellwire.
var ofService = regexp.MustCompile(`^BELLWIRE_(SERVICE_(HOST|PORT\w*)=|PORT=\w+://|PORT_\d+_\w+=)`)

// UnknownVariables returns the names of BELLWIRE_ variables that no command has. A misspelt one would silently leave a
// default in place.
func UnknownVariables(root *kong.Node, environ []string) []string {
	var known, unknown []string
	for _, command := range root.Leaves(false) {
		for _, flag := range command.Flags {
			known = append(known, flag.Envs...)
		}
	}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "BELLWIRE_") && !slices.Contains(known, name) && !ofService.MatchString(variable) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
