package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"
)

// Values come from flags, variables and files, and pick up what nobody means on the way: a line's end from a file, quotes
// from a shell or an orchestrator, nothing at all from a variable that is not set. Here they are made right or refused, the
// same for every option.

// tidyValues has all options and arguments below a node read tidy values only.
func tidyValues(node *kong.Node) {
	for _, v := range node.Values() {
		v.Mapper = tidyMapper{v.Mapper}
	}
	for _, child := range node.Children {
		tidyValues(child)
	}
}

// tidyMapper has another mapper read what tidy makes of a value.
type tidyMapper struct{ kong.Mapper }

// negativeNumber is a value that kong would take for a short flag. The option itself says better what is wrong with it.
var negativeNumber = regexp.MustCompile(`^-[.0-9]`)

// Decode is called by kong for each value, whatever its source.
func (m tidyMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
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

// tidy returns a value without white space around it and around what it lists. Its errors never repeat the value, which
// can be a secret.
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
		if blank(item) {
			continue
		}
		tidied, err := tidyOne(v, item)
		if err != nil {
			return "", err
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
	case blank(text):
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

func blank(text string) bool { return strings.TrimSpace(text) == "" }

// invisible reports whether a character is one that nobody can see: a control character, or one of format such as the
// byte order mark.
func invisible(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// quoted reports whether a text stands in quotes.
func quoted(text string) bool {
	for _, pair := range []string{`""`, `''`, "``", "“”", "‘’"} {
		_, size := utf8.DecodeRuneInString(pair)
		if len(text) >= len(pair) && strings.HasPrefix(text, pair[:size]) && strings.HasSuffix(text, pair[size:]) {
			return true
		}
	}
	return false
}

// forgetEmptyVariables unsets the variables of options that have an empty value, as an orchestrator gives them that writes
// BELLWIRE_NODE=${NODE:-}.
func forgetEmptyVariables() {
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "BELLWIRE_") && blank(value) {
			_ = os.Unsetenv(name) // it fails for impossible names only
		}
	}
}

// withoutEmptyOptions leaves out the options that are given an empty value and can come from the environment too: a script
// that has --public-url "$URL" means none where URL is not set. Other options have no such elsewhere, and are refused.
func withoutEmptyOptions(args []string, command *kong.Node) []string {
	var kept []string
	for i := 0; i < len(args); i++ {
		name, value, inline := strings.Cut(args[i], "=")
		if child := childOf(command, name); child != nil {
			command = child
		}
		switch flag := variableFlag(command, name); {
		case name == "--":
			return append(kept, args[i:]...)
		case flag != nil && inline && blank(value):
		case flag != nil && !inline && !flag.IsBool() && i+1 < len(args) && blank(args[i+1]):
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

// variableFlag returns the option of a command that is given as "--name", if the environment can give it too.
func variableFlag(command *kong.Node, given string) *kong.Flag {
	for _, flag := range command.Flags {
		if given == "--"+flag.Name && len(flag.Envs) > 0 {
			return flag
		}
	}
	return nil
}

// durationMapper reads a time.Duration, which may have days.
var durationMapper = kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	d, ok := parseDuration(text)
	if !ok {
		return fmt.Errorf("%q must be a time with its unit, such as 30s, 12h or 30d", text)
	}
	target.SetInt(int64(d))
	return nil
})

// parseDuration reads what time.ParseDuration does, and days before it: 30d, 1d12h.
func parseDuration(text string) (time.Duration, bool) {
	unsigned := strings.TrimPrefix(text, "-")
	whole, rest, found := strings.Cut(unsigned, "d")
	if !found {
		d, err := time.ParseDuration(text)
		return d, err == nil
	}
	days, err := strconv.ParseFloat(whole, 64)
	if err != nil || !(days >= 0 && days < math.MaxInt64/float64(24*time.Hour)) {
		return 0, false
	}
	d := time.Duration(days * float64(24*time.Hour))
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil || more < 0 || d+more < d {
			return 0, false
		}
		d += more
	}
	if unsigned != text {
		d = -d
	}
	return d, true
}

// byteSize is a number of bytes, which may be given with a unit.
type byteSize int64

// UnmarshalText reads 1048576, 512KiB or 1MB.
func (s *byteSize) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > math.MaxInt64 {
		return usagef("%q must be a size such as 1048576, 512KiB or 1MiB", text)
	}
	*s = byteSize(n)
	return nil
}
