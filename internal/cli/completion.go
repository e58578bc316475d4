package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// Shells are the shells that a script can be had for.
var Shells = []string{"bash", "zsh", "fish"}

// scripts ask the program for words, so that they never differ from its commands.
var scripts = map[string]string{
	"bash": `_bellwire() {
	local IFS=$'\n'
	COMPREPLY=($(bellwire complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
	if [ ${#COMPREPLY[@]} -eq 0 ]; then
		compopt -o default
	fi
}
complete -F _bellwire bellwire
`,
	"zsh": `#compdef bellwire
_bellwire() {
	local -a found
	local line
	for line in ${(f)"$(bellwire complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
		found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
	done
	if (( ${#found} )); then
		_describe bellwire found
	else
		_files
	fi
}
compdef _bellwire bellwire
`,
	"fish": `function __bellwire_complete
	set -l words (commandline -opc) (commandline -ct)
	bellwire complete -- $words[2..] 2>/dev/null
end
complete -c bellwire -a '(__bellwire_complete)'
`,
}

// Script returns the script with which a shell completes command lines.
func Script(shell string) string { return scripts[shell] }

// Word is a word that can be next on a command line.
type Word struct{ Text, Help string }

// Complete returns the words that can replace the last one of a command line, which may be empty.
func Complete(root *kong.Node, line []string) []Word {
	if len(line) == 0 {
		line = []string{""}
	}
	node, awaited := root, (*kong.Flag)(nil)
	for _, word := range line[:len(line)-1] {
		if awaited != nil {
			awaited = nil // the word is its value
			continue
		}
		if child := childOf(node, word); child != nil {
			node = child
			continue
		}
		if flag := flagOf(node, word); flag != nil && !flag.IsBool() {
			awaited = flag
		}
	}
	return matching(candidates(node, awaited, line[len(line)-1]), line[len(line)-1])
}

// flagOf returns the option that is given as --name or -n, or nil.
func flagOf(node *kong.Node, given string) *kong.Flag {
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			if given == "--"+flag.Name || flag.Short != 0 && given == "-"+string(flag.Short) {
				return flag
			}
		}
	}
	return nil
}

// candidates returns all words that can be in a place: the values of an option, options, or commands.
func candidates(node *kong.Node, awaited *kong.Flag, start string) []Word {
	var words []Word
	if awaited != nil {
		for _, value := range awaited.EnumSlice() {
			words = append(words, Word{Text: value})
		}
		return words
	}
	if strings.HasPrefix(start, "-") {
		for _, group := range node.AllFlags(true) {
			for _, flag := range group {
				words = append(words, Word{"--" + flag.Name, flag.Help})
			}
		}
		return words
	}
	for _, child := range node.Children {
		if !child.Hidden {
			words = append(words, Word{child.Name, child.Help})
		}
	}
	return words
}

func matching(words []Word, start string) []Word {
	var matched []Word
	for _, word := range words {
		if strings.HasPrefix(word.Text, start) {
			matched = append(matched, word)
		}
	}
	return matched
}

// String returns the word and what it means, as the scripts read it.
func (w Word) String() string {
	return fmt.Sprintf("%s\t%s", w.Text, w.Help)
}
