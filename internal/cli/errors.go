// Package cli reads the command line, the environment and the configuration file into options, on top of kong.
package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// UsageError reports a wrong use of a command.
type UsageError struct{ message string }

func (e *UsageError) Error() string { return e.message }

// Usagef returns a UsageError.
func Usagef(format string, args ...any) error {
	return &UsageError{message: fmt.Sprintf(format, args...)}
}

// Option returns a UsageError about an option. The message is a predicate: "must be between 1 and 100".
func Option(flag, format string, args ...any) error {
	return Usagef("--%s: %s", flag, fmt.Sprintf(format, args...))
}

// Selected returns the command that a parse error is about, as far as it was recognized.
func Selected(err error) *kong.Node {
	var parse *kong.ParseError
	if !errors.As(err, &parse) {
		return &kong.Node{Name: "bellwire"}
	}
	if node := parse.Context.Selected(); node != nil {
		return node
	}
	return parse.Context.Model.Node
}

var (
	// fromEnvironment matches kong's note on where a value came from. It shows the value, which can be a secret.
	fromEnvironment = regexp.MustCompile(` \(from envar (\w+)=.*\)$`)
	// optionName matches an option, with the quote before it where kong suggests a spelling.
	optionName = regexp.MustCompile(`"?--[a-z][a-z-]*`)
	// missingOptions and missingArgument match kong's words for what is not given.
	missingOptions  = regexp.MustCompile(`^missing flags: (.+)$`)
	missingArgument = regexp.MustCompile(`^expected "(<[^"]+?>)[^"]*"`)
	// wrongChoice matches kong's words for a value that an option cannot have.
	wrongChoice = regexp.MustCompile(`^(--[a-z-]+|<[a-z]+>) must be one of (.+) but got (".*")$`)
	// shownValue matches the value that kong shows for an option that is not given.
	shownValue = regexp.MustCompile(`(--[a-z-]+)=[^ ,]+`)
)

// reworded returns kong's message on what is missing or wrong in the form of other messages.
func reworded(message string) string {
	if found := wrongChoice.FindStringSubmatch(message); found != nil {
		choices := strings.ReplaceAll(strings.ReplaceAll(found[2], `"`, ""), ",", ", ")
		return fmt.Sprintf("%s: must be one of %s, not %s", found[1], choices, found[3])
	}
	if found := missingOptions.FindStringSubmatch(message); found != nil {
		return shownValue.ReplaceAllString(found[1], "$1") + ": must be given"
	}
	return missingArgument.ReplaceAllString(message, "$1: must be given")
}

// Explain returns an error message with the environment variable of each option where it is first named.
func Explain(message string, command *kong.Node) string {
	message = strings.TrimPrefix(message, command.Path()+": ")
	message = reworded(fromEnvironment.ReplaceAllString(message, ""))
	named := make(map[string]bool)
	return optionName.ReplaceAllStringFunc(message, func(name string) string {
		for _, flag := range command.Flags {
			if name == "--"+flag.Name && len(flag.Envs) > 0 && !named[name] {
				named[name] = true
				return name + " (" + strings.Join(flag.Envs, ", ") + ")"
			}
		}
		return name
	})
}
