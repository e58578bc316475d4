package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// DescribeOption returns an option's help with its default and its environment variable.
func DescribeOption(v *kong.Value) string {
	help := v.Help
	if v.HasDefault && !v.IsBool() {
		help += " Default: " + v.Default + "."
	}
	if len(v.Tag.Envs) > 0 {
		help += " [$" + strings.Join(v.Tag.Envs, ", $") + "]"
	}
	return help
}
