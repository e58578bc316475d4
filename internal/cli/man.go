package cli

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"
)

// ManPage returns the name and the text of the manual page of a command, in the language of roff.
func ManPage(node *kong.Node, version string) (name, text string) {
	full := strings.ReplaceAll(node.FullPath(), " ", "-")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" %s \"Bellwire\"\n", roffArgument(strings.ToUpper(full)), roffArgument(version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(full), roff(strings.TrimSuffix(firstLine(node.Help), ".")))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n%s\n", roff(node.FullPath()), roff(strings.TrimPrefix(strings.TrimPrefix(node.Summary(), node.Path()), " ")))
	_, detail, _ := strings.Cut(node.Help, "\n")
	description, examples := splitExamples(cmp.Or(node.Detail, detail), node)
	manText(&b, "DESCRIPTION", description)
	manCommands(&b, node)
	manOptions(&b, node)
	manText(&b, "EXAMPLES", examples)
	b.WriteString(".SH EXIT STATUS\n0 success, 1 failure, 2 wrong usage\n")
	manSeeAlso(&b, node)
	return full + ".1", b.String()
}

// manText writes a section whose lines stay as they are, unless it is empty.
func manText(b *strings.Builder, title, text string) {
	if text != "" {
		fmt.Fprintf(b, ".SH %s\n.nf\n%s\n.fi\n", title, roff(text))
	}
}

// ForExample is a line that only announces examples.
const ForExample = "For example:"

// splitExamples splits the text about a command into what it says and its examples: the lines that call the program behind two
// spaces, or behind what the call is for and a colon.
func splitExamples(text string, node *kong.Node) (description, examples string) {
	root := node
	for root.Parent != nil {
		root = root.Parent
	}
	call := root.Name + " "
	var said, shown []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		_, rest, purpose := strings.Cut(line, ":  ")
		switch {
		case strings.HasPrefix(line, "  ") && strings.Contains(line+" ", call), purpose && strings.HasPrefix(strings.TrimLeft(rest, " "), call):
			shown = append(shown, strings.TrimPrefix(line, "  "))
		case line != ForExample:
			said = append(said, line)
		}
	}
	return strings.TrimSpace(strings.Join(said, "\n")), strings.Join(shown, "\n")
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}

func manCommands(b *strings.Builder, node *kong.Node) {
	section := false
	for _, child := range node.Children {
		if child.Hidden {
			continue
		}
		if !section {
			b.WriteString(".SH COMMANDS\n")
			section = true
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(child.Name), roff(child.Help))
	}
}

func manOptions(b *strings.Builder, node *kong.Node) {
	b.WriteString(".SH OPTIONS\n")
	for _, argument := range node.Positional {
		fmt.Fprintf(b, ".TP\n.I %s\n%s\n", roff(argument.Summary()), roff(DescribeOption(argument)))
	}
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(flag.String()), roff(DescribeOption(flag.Value)))
		}
	}
}

func manSeeAlso(b *strings.Builder, node *kong.Node) {
	var pages []string
	if node.Parent != nil {
		pages = append(pages, strings.ReplaceAll(node.Parent.FullPath(), " ", "-"))
	}
	for _, child := range node.Children {
		if !child.Hidden {
			pages = append(pages, strings.ReplaceAll(child.FullPath(), " ", "-"))
		}
	}
	if len(pages) == 0 {
		return
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, page := range pages {
		end := ",\n"
		if i == len(pages)-1 {
			end = "\n"
		}
		fmt.Fprintf(b, ".BR %s (1)%s", roff(page), end)
	}
}

// roff returns text that is shown as it is: no line of it is a request, and hyphens can be copied.
func roff(text string) string {
	lines := strings.Split(escapeRoff(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// escapeRoff writes characters that roff does not take as they are.
func escapeRoff(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r > unicode.MaxASCII:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// roffArgument returns text as one argument of a request.
func roffArgument(text string) string {
	return `"` + strings.ReplaceAll(roff(text), `"`, `\(dq`) + `"`
}
