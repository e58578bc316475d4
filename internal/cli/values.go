package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Values come from flags, variables and files, and may be damaged on the way: a file adds a line break, a shell or an
// orchestrator adds quotes, and an unset variable leaves nothing. This file repairs or rejects such values, in the same way
// for every option.

// TidyValues makes all options and arguments below a node read their values through TidyMapper.
func TidyValues(node *kong.Node) {
	for _, v := range node.Values() {
		v.Mapper = TidyMapper{v.Mapper}
	}
	for _, child := range node.Children {
		TidyValues(child)
	}
}

// FillHelp replaces parts of the texts about all options and arguments below a node.
func FillHelp(node *kong.Node, parts *strings.Replacer) {
	for _, v := range node.Values() {
		v.Help = parts.Replace(v.Help)
	}
	for _, child := range node.Children {
		FillHelp(child, parts)
	}
}

// TidyMapper tidies a value before another mapper reads it.
type TidyMapper struct{ kong.Mapper }

// negativeNumber matches values that kong would take for a short flag. The option itself has the better message.
var negativeNumber = regexp.MustCompile(`^-[.0-9]`)

// Decode reads one value. Kong calls it for values of every source.
func (m TidyMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	token := ctx.Scan.Peek()
	text, isText := token.Value.(string)
	switch {
	case !isText || ctx.Value.IsBool() && token.Type != kong.FlagValueToken:
		return m.Mapper.Decode(ctx, target) // an option without a value
	case token.Type == kong.UntypedToken && negativeNumber.MatchString(text):
		token.Type = kong.FlagValueToken
	case !token.IsValue():
		return m.Mapper.Decode(ctx, target)
	}
	ctx.Scan.Pop()
	tidied, err := tidy(ctx.Value, text)
	if err != nil {
		return err
	}
	ctx.Scan.PushTyped(tidied, token.Type)
	return m.Mapper.Decode(ctx, target)
}

// tidy trims white space around a value and around the items of a list. Its errors never repeat the value, which can be a
// secret.
func tidy(v *kong.Value, text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the value must be UTF-8 text")
	}
	// Only options can be left out or list several values.
	if v.Flag != nil && v.IsSlice() && v.Tag.Sep != -1 {
		return tidyList(v, text)
	}
	return tidyOne(v, text)
}

func tidyList(v *kong.Value, text string) (string, error) {
	var list []string
	for _, item := range kong.SplitEscaped(text, v.Tag.Sep) {
		if Blank(item) {
			continue
		}
		tidied, err := tidyOne(v, item)
		if err != nil {
			return "", err
		}
		if v.Tag.Has("pairs") && !strings.Contains(tidied, "=") {
			return "", fmt.Errorf("%q must be NAME=VALUE, or several with %q in between; numbers are written without commas", text, v.Tag.Sep)
		}
		list = append(list, tidied)
	}
	if len(list) == 0 {
		return "", emptyValue(v)
	}
	return kong.JoinEscaped(list, v.Tag.Sep), nil
}

func tidyOne(v *kong.Value, text string) (string, error) {
	switch {
	case Blank(text):
		return "", emptyValue(v)
	case v.Tag.Has("verbatim"):
		return text, nil
	}
	text = strings.TrimSpace(text)
	if i := strings.IndexFunc(text, invisible); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return "", fmt.Errorf("the value must not contain the invisible character %U", r)
	}
	if quoted(text) {
		return "", errors.New("the value must be given without the quotes around it")
	}
	return text, nil
}

func emptyValue(v *kong.Value) error {
	if v.Flag == nil {
		return errors.New("the value is empty")
	}
	return fmt.Errorf("the value is empty: give %s, or leave the option out", cmp.Or(v.Flag.PlaceHolder, "one"))
}

// Blank reports whether text is empty but for white space.
func Blank(text string) bool { return strings.TrimSpace(text) == "" }

// invisible reports whether r is a control character, or a format character such as the byte order mark.
func invisible(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// quoted reports whether text is in quotes.
func quoted(text string) bool {
	for _, pair := range []string{`""`, `''`, "``", "“”", "‘’"} {
		_, size := utf8.DecodeRuneInString(pair)
		if len(text) >= len(pair) && strings.HasPrefix(text, pair[:size]) && strings.HasSuffix(text, pair[size:]) {
			return true
		}
	}
	return false
}

// WithoutEmptyOptions removes options with an empty value that can also come from the environment: a script that passes
// --public-url "$URL" means no value if URL is not set. For other options an empty value is an error.
func WithoutEmptyOptions(args []string, command *kong.Node) []string {
	var kept []string
	for i := 0; i < len(args); i++ {
		name, value, inline := strings.Cut(args[i], "=")
		if child := childOf(command, name); child != nil {
			command = child
		}
		switch flag := variableFlag(command, name); {
		case name == "--":
			return append(kept, args[i:]...)
		case flag != nil && inline && Blank(value):
		case flag != nil && !inline && !flag.IsBool() && i+1 < len(args) && Blank(args[i+1]):
			i++
		default:
			kept = append(kept, args[i])
		}
	}
	return kept
}

func childOf(command *kong.Node, name string) *kong.Node {
	if at := slices.IndexFunc(command.Children, func(n *kong.Node) bool { return n.Name == name }); at >= 0 {
		return command.Children[at]
	}
	return nil
}

// variableFlag returns the option that is given as "--name" if it also has an environment variable.
func variableFlag(command *kong.Node, given string) *kong.Flag {
	for _, flag := range command.Flags {
		if given == "--"+flag.Name && len(flag.Envs) > 0 {
			return flag
		}
	}
	return nil
}

// DurationMapper reads a time.Duration that may be given in days.
var DurationMapper = kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	d, ok := bellwire.ParseDuration(text)
	if !ok {
		return fmt.Errorf("%q must be a time with its unit, such as 30s, 12h or 30d", text)
	}
	target.SetInt(int64(d))
	return nil
})

// IntMapper reads an int. Kong's own message has Go's words for it.
var IntMapper = kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("number", &text); err != nil {
		return err
	}
	n, err := strconv.ParseInt(text, 10, target.Type().Bits())
	if err != nil {
		return fmt.Errorf("%q must be a whole number", text)
	}
	target.SetInt(n)
	return nil
})

// FloatMapper reads a float64.
var FloatMapper = kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("number", &text); err != nil {
		return err
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%q must be a number", text)
	}
	target.SetFloat(f)
	return nil
})

// ByteSize is a number of bytes that may be given with a unit.
type ByteSize int64

// UnmarshalText reads 1048576, 512KiB or 1MB.
func (s *ByteSize) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > math.MaxInt64 {
		return Usagef("%q must be a size such as 1048576, 512KiB or 1MiB", text)
	}
	*s = ByteSize(n)
	return nil
}
