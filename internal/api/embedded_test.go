package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestEmbeddedFieldsAreDescribed looks for structs whose fields would be missing in /openapi.json: huma leaves out
// embedded structs that are not exported.
func TestEmbeddedFieldsAreDescribed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*ast.StructType{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					structs[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	for name, s := range structs {
		for _, field := range s.Fields.List {
			embedded, ok := field.Type.(*ast.Ident)
			if !ok || len(field.Names) > 0 || embedded.IsExported() || !hasFields(structs[embedded.Name]) {
				continue
			}
			t.Errorf("%s embeds %s, whose fields /openapi.json leaves out: export it", name, embedded.Name)
		}
	}
	if len(structs) < 50 {
		t.Errorf("only %d structs were found", len(structs))
	}
}

// hasFields reports whether a struct has fields with JSON names.
func hasFields(s *ast.StructType) bool {
	if s == nil {
		return false
	}
	for _, field := range s.Fields.List {
		if field.Tag != nil && strings.Contains(field.Tag.Value, `json:"`) {
			return true
		}
	}
	return false
}
