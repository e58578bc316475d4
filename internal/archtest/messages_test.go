package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// makers are the functions that make a bellwire.Error, by the place of the message, or of its format, among their arguments.
var makers = map[string]int{"Errorf": 1, "Invalid": 1, "Wrap": 2}

// wrappers are functions of several packages that pass a message on.
var wrappers = map[string]int{
	"refusedHeader": 0, "refuse": 0, "Usagef": 0, "Option": 1, "unfit": 2, "tooMuch": 0, "reworded": 1, "unauthenticated": 0,
	"tooLarge": 1, "unavailable": 1, "impossible": 1,
}

// TestMessages holds the style of errors: a message is a clause, or the predicate of its field, and a hint is a sentence. The
// reasons of deliveries and the errors of attempts are clauses too.
func TestMessages(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, dir := range sourceFolders(t) {
		set := token.NewFileSet()
		texts := collectTexts(t, set, dir)
		checked += len(texts)
		for _, text := range texts {
			place := filepath.ToSlash(strings.TrimPrefix(set.Position(text.at).Filename, "../../"))
			text.vendors = strings.HasPrefix(place, "internal/dialect/")
			if fault := text.fault(); fault != "" {
				t.Errorf("%s: %q %s", set.Position(text.at), text.text, fault)
			}
		}
	}
	if checked < 300 {
		t.Errorf("only %d messages were found", checked)
	}
}

func TestMessageStyle(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"must be between 1 and 250":                         true,
		"must be an absolute http or https URL":             true,
		"the body is not JSON: %s in line %d, column %d":    true,
		"PostgreSQL refuses connections; wait":              true,
		"%q is not a known event type":                      true,
		"must be an event type, such as order.*; it is not": true,
		"":                       false,
		"It must be short":       false,
		"it must be short":       false,
		"There is no tenant %q":  false,
		"there are %d keys":      false,
		"must be short.":         false,
		"is full. Try again":     false,
		"Must be short":          false,
		"must be one of %v":      false,
		"must be one of [%s]":    false,
		"must be less than %g":   false,
		"json: unknown field %q": false,
		"must be short ":         false,
		"must be %+v or shorter": false,
		"no field is there, no ": false,
	} {
		t.Run(text, func(t *testing.T) {
			if fault := (message{text: text}).fault(); (fault == "") != good {
				t.Errorf("%q: %q", text, fault)
			}
		})
	}
	for text, good := range map[string]bool{
		"Run it again.":      true,
		`Run "bellwire".`:    true,
		"run it again.":      false,
		"Run it again":       false,
		"There is no other.": false,
	} {
		t.Run(text, func(t *testing.T) {
			if fault := (message{text: text, hint: true}).fault(); (fault == "") != good {
				t.Errorf("hint %q: %q", text, fault)
			}
		})
	}
}

// message is a text of an error. What is not a constant of it is left out.
type message struct {
	text    string
	hint    bool
	vendors bool // it is of a vendor's API, and may begin as that one's
	at      token.Pos
}

var (
	goVerb     = regexp.MustCompile(`%[+#]?v|%[0-9.]*g|\[%[sdq]\]`)
	fullStop   = regexp.MustCompile(`\.\s`)
	expletive  = regexp.MustCompile(`(?i)^(it|there (is|are)) `)
	otherVoice = regexp.MustCompile(`^(json|sql|http|time|strconv): `)
	properName = regexp.MustCompile(`^(PostgreSQL|SQLite|Bellwire|[A-Z][A-Z]+)\b`)
)

// fault says what is wrong with the style, empty if nothing is.
func (m message) fault() string {
	first, _ := utf8.DecodeRuneInString(m.text)
	switch {
	case m.text == "":
		return "is empty"
	case strings.TrimSpace(m.text) != m.text:
		return "begins or ends with a space"
	case expletive.MatchString(m.text):
		return "begins with a word that stands for nothing; name the subject"
	case goVerb.MatchString(m.text):
		return "writes a value as Go does; write it for people"
	case otherVoice.MatchString(m.text):
		return "speaks of a library"
	case m.hint && (!strings.HasSuffix(m.text, ".") || !unicode.IsUpper(first)):
		return "is a hint, which must be a sentence"
	case m.hint:
		return ""
	case strings.HasSuffix(m.text, "."):
		return "ends with a full stop"
	case fullStop.MatchString(m.text):
		return "has a full stop inside; use a semicolon, or a hint"
	case unicode.IsUpper(first) && !m.vendors && !properName.MatchString(m.text):
		return "begins with a capital letter"
	}
	return ""
}

// sourceFolders lists the folders of the repository that have Go files.
func sourceFolders(t *testing.T) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir():
			return nil
		case path != "../.." && strings.HasPrefix(entry.Name(), "."), entry.Name() == "testdata", entry.Name() == "node_modules":
			return filepath.SkipDir
		}
		folders = append(folders, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// collectTexts returns the messages and hints in a folder's files other than tests.
func collectTexts(t *testing.T, set *token.FileSet, dir string) []message {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	c := collector{constants: map[string]string{}}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
		c.addConstants(file)
	}
	for _, file := range files {
		c.own = file.Name.Name == "bellwire"
		ast.Inspect(file, func(n ast.Node) bool {
			c.visit(n)
			return true
		})
	}
	return c.found
}

type collector struct {
	constants map[string]string // of the package
	own       bool              // the package is bellwire itself
	found     []message
}

func (c *collector) addConstants(file *ast.File) {
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok || general.Tok != token.CONST {
			continue
		}
		for _, spec := range general.Specs {
			values := spec.(*ast.ValueSpec)
			for i, value := range values.Values {
				if text, ok := c.constant(value); ok {
					c.constants[values.Names[i].Name] = text
				}
			}
		}
	}
}

func (c *collector) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.CallExpr:
		name, ok := c.bellwires(n.Fun)
		if place, maker := makers[name]; ok && maker && len(n.Args) > place {
			c.add(n.Args[place], false)
		}
		if place, wrapper := wrappers[called(n.Fun)]; wrapper && len(n.Args) > place {
			c.add(n.Args[place], false)
		}
	case *ast.CompositeLit:
		if name, ok := c.bellwires(n.Type); ok && name == "Error" {
			for _, element := range n.Elts {
				if member, ok := element.(*ast.KeyValueExpr); ok {
					c.addMember(member)
				}
			}
		}
	case *ast.AssignStmt:
		c.addAssigned(n)
	case *ast.FuncDecl:
		if n.Name.Name == "classify" || strings.HasSuffix(n.Name.Name, "Cause") {
			c.addReturned(n)
		}
	case *ast.ValueSpec:
		for i, value := range n.Values {
			if c.own && strings.HasPrefix(n.Names[i].Name, "Reason") {
				c.add(value, false)
			}
		}
	}
}

// addAssigned adds what is assigned to a hint of an error, or to the error of an attempt.
func (c *collector) addAssigned(n *ast.AssignStmt) {
	if len(n.Lhs) != len(n.Rhs) {
		return
	}
	for i, left := range n.Lhs {
		if selector, ok := left.(*ast.SelectorExpr); ok && (selector.Sel.Name == "Hint" || selector.Sel.Name == "Error") {
			c.add(n.Rhs[i], selector.Sel.Name == "Hint")
		}
	}
}

// addReturned adds the last result of a function, which says why an attempt failed, unless it is empty.
func (c *collector) addReturned(function *ast.FuncDecl) {
	ast.Inspect(function, func(n ast.Node) bool {
		if n, ok := n.(*ast.ReturnStmt); ok && len(n.Results) > 0 {
			cause := n.Results[len(n.Results)-1]
			if text, ok := c.constant(cause); !ok || text != "" {
				c.add(cause, false)
			}
		}
		return true
	})
}

func (c *collector) addMember(member *ast.KeyValueExpr) {
	switch name, _ := member.Key.(*ast.Ident); name.Name {
	case "Message":
		c.add(member.Value, false)
	case "Hint":
		c.add(member.Value, true)
	}
}

// bellwires returns the name of what an expression takes of package bellwire.
func (c *collector) bellwires(e ast.Expr) (name string, ok bool) {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		pkg, isName := e.X.(*ast.Ident)
		return e.Sel.Name, isName && pkg.Name == "bellwire"
	case *ast.Ident:
		return e.Name, c.own
	}
	return "", false
}

// called returns the name of the function or method that is called, without its package.
func called(fun ast.Expr) string {
	switch fun := fun.(type) {
	case *ast.SelectorExpr:
		return fun.Sel.Name
	case *ast.Ident:
		return fun.Name
	}
	return ""
}

func (c *collector) add(e ast.Expr, hint bool) {
	if call, ok := e.(*ast.CallExpr); ok && len(call.Args) > 0 {
		if fun, ok := call.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "Sprintf" {
			e = call.Args[0]
		}
	}
	if text, ok := c.constant(e); ok && text != "%s" {
		c.found = append(c.found, message{text: text, hint: hint, at: e.Pos()})
	}
}

// constant returns the text of an expression of literals and constants. What else it has counts as a lower-case letter.
func (c *collector) constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		text, ok := c.constants[e.Name]
		return text, ok
	case *ast.BinaryExpr:
		left, leftOK := c.constant(e.X)
		right, rightOK := c.constant(e.Y)
		if !leftOK {
			left = "x"
		}
		if !rightOK {
			right = "x"
		}
		return left + right, e.Op == token.ADD && (leftOK || rightOK)
	}
	return "", false
}
