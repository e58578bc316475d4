package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// scripts are those of the shells. They ask the program for words, so that they never differ from its commands. Where it has none, a file may be meant.
//
// Bash splits --name=value and ids with a colon into several words, and replaces only the last of these. The first completion of a
// zsh session loads the script, whose last lines complete then.
var scripts = map[string]string{
	"bash": `_bellwire() {
	local IFS=$'\n' i word start words=() last=-1
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $last -ge 0 && ($word == [=:]* || ${words[last]} == *[=:]) ]]; then
			words[last]+=$word
		else
			words[++last]=$word
		fi
	done
	COMPREPLY=($(bellwire complete -- "${words[@]}" 2>/dev/null | cut -f1))
	if [ ${#COMPREPLY[@]} -eq 0 ]; then
		compopt -o default
		return
	fi
	start=${words[last]%"${words[last]##*[=:]}"}
	COMPREPLY=("${COMPREPLY[@]#"$start"}")
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
if [[ $funcstack[1] == _bellwire ]]; then
	_bellwire
else
	compdef _bellwire bellwire
fi
`,
	"fish": `function __bellwire_complete
	set -l words (commandline -opc) (commandline -ct)
	set -l found (bellwire complete -- $words[2..] 2>/dev/null)
	if test (count $found) -gt 0
		printf '%s\n' $found
	else
		__fish_complete_path (commandline -ct)
	end
end
complete -c bellwire -f -a '(__bellwire_complete)'
`,
}

// Script returns the script with which a shell completes command lines.
func Script(shell string) string { return scripts[shell] }

// Word is a word that can be next on a command line.
type Word struct{ Text, Help string }

// Sources find the values of options and arguments by the kind that their tag "complete" names.
type Sources map[string]func(Given) []Word

// Given has the options of a command line by name, each with its last value.
type Given map[string]string

// Complete returns the words that can replace the last one of a command line, which may be empty.
func Complete(root *kong.Node, line []string, sources Sources) []Word {
	if len(line) == 0 {
		line = []string{""}
	}
	start := line[len(line)-1]
	at := place{node: root, given: make(Given)}
	for _, word := range line[:len(line)-1] {
		at.pass(word)
	}
	if name, value, ok := strings.Cut(start, "="); ok && at.awaited == nil && !at.noOptions {
		if flag := flagOf(at.node, name); flag != nil {
			return prefixed(name+"=", at.values(flag.Value, value, sources))
		}
	}
	return at.candidates(start, sources)
}

// place is a place on a command line.
type place struct {
	node      *kong.Node
	awaited   *kong.Flag // the option whose value is next
	arguments int        // how many arguments of the command there were
	noOptions bool       // after --
	given     Given
}

// pass goes past a word.
func (p *place) pass(word string) {
	if p.awaited != nil {
		p.given[p.awaited.Name], p.awaited = word, nil
		return
	}
	if word == "--" {
		p.noOptions = true
		return
	}
	if !p.noOptions && strings.HasPrefix(word, "-") {
		p.passOption(word)
		return
	}
	if child := childOf(p.node, word); child != nil {
		p.node = child
		return
	}
	p.arguments++
}

// passOption goes past an option, whose value may be the next word.
func (p *place) passOption(word string) {
	name, value, hasValue := strings.Cut(word, "=")
	flag := flagOf(p.node, name)
	switch {
	case flag == nil:
	case hasValue, flag.IsBool():
		p.given[flag.Name] = value
	default:
		p.awaited = flag
	}
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

// candidates returns the words with a start: values of an option, options, commands, or values of an argument.
func (p *place) candidates(start string, sources Sources) []Word {
	switch {
	case p.awaited != nil:
		return p.values(p.awaited.Value, start, sources)
	case !p.noOptions && strings.HasPrefix(start, "-"):
		return matching(options(p.node), start)
	case len(p.node.Children) > 0:
		return matching(children(p.node), start)
	}
	if argument := p.argument(); argument != nil {
		return p.values(argument, start, sources)
	}
	return nil
}

func options(node *kong.Node) []Word {
	var words []Word
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			words = append(words, Word{"--" + flag.Name, flag.Help})
		}
	}
	return words
}

func children(node *kong.Node) []Word {
	var words []Word
	for _, child := range node.Children {
		if !child.Hidden {
			words = append(words, Word{child.Name, child.Help})
		}
	}
	return words
}

// argument returns the argument that is next, or nil. The last one can take several words.
func (p *place) argument() *kong.Value {
	arguments := p.node.Positional
	switch n := len(arguments); {
	case p.arguments < n:
		return arguments[p.arguments]
	case n > 0 && arguments[n-1].IsCumulative():
		return arguments[n-1]
	}
	return nil
}

// values returns the values with a start that an option or an argument can have. Of a list it completes the last item.
func (p *place) values(of *kong.Value, start string, sources Sources) []Word {
	var words []Word
	if of.Enum != "" {
		for _, value := range of.EnumSlice() {
			words = append(words, Word{Text: value})
		}
	}
	if source := sources[of.Tag.Get("complete")]; source != nil {
		words = append(words, source(p.given)...)
	}
	if of.IsSlice() && of.Flag != nil && of.Tag.Sep != -1 {
		before := start[:strings.LastIndexByte(start, byte(of.Tag.Sep))+1]
		return prefixed(before, matching(words, start[len(before):]))
	}
	return matching(words, start)
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

// prefixed puts the same text before each word.
func prefixed(start string, words []Word) []Word {
	for i := range words {
		words[i].Text = start + words[i].Text
	}
	return words
}

// String returns the word and its help in one line, as the scripts read it.
func (w Word) String() string {
	return fmt.Sprintf("%s\t%s", w.Text, strings.Join(strings.Fields(w.Help), " "))
}
