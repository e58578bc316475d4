package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/api"
)

// description is the OpenAPI description.
var description = sync.OnceValues(func() (doc object, err error) {
	err = json.Unmarshal(get(api.New(nil, api.Options{}), "/openapi.json").Body.Bytes(), &doc)
	return doc, err
})

// checkNulls checks that the description of an answer allows each null in it.
func checkNulls(t *testing.T, method, path string, status int, answer any) {
	t.Helper()
	doc, err := description()
	if err != nil {
		t.Fatal(err)
	}
	path, _, _ = strings.Cut("/api/v1"+path, "?")
	for template, item := range doc["paths"].(object) {
		op, ok := item.(object)[strings.ToLower(method)].(object)
		if !ok || !fits(template, path) {
			continue
		}
		if response, ok := op["responses"].(object)[fmt.Sprint(status)].(object); ok && response["content"] != nil {
			schema, _ := response["content"].(object)["application/json"].(object)["schema"].(object)
			for _, at := range forbiddenNulls(doc, schema, answer, "") {
				t.Errorf("%s %s answers null for %s, which the description does not allow", method, template, at)
			}
		}
	}
}

// fits reports whether a path is one of a template's.
func fits(template, path string) bool {
	one, other := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(one, other, func(want, got string) bool { return strings.HasPrefix(want, "{") || want == got })
}

// forbiddenNulls returns where a value is null against its schema.
func forbiddenNulls(doc, schema object, value any, at string) (found []string) {
	if ref, ok := schema["$ref"].(string); ok {
		name := ref[strings.LastIndexByte(ref, '/')+1:]
		return forbiddenNulls(doc, doc["components"].(object)["schemas"].(object)[name].(object), value, at)
	}
	if either, ok := schema["anyOf"].([]any); ok {
		if value == nil && slices.ContainsFunc(either, func(s any) bool { return s.(object)["type"] == "null" }) {
			return nil
		}
		return forbiddenNulls(doc, either[0].(object), value, at)
	}
	switch value := value.(type) {
	case nil:
		types, several := schema["type"].([]any)
		if schema["type"] == nil || several && slices.Contains(types, any("null")) && (schema["enum"] == nil || slices.Contains(schema["enum"].([]any), nil)) {
			return nil
		}
		return []string{at}
	case object:
		members, _ := schema["properties"].(object)
		for name, member := range value {
			if of, ok := members[name].(object); ok {
				found = append(found, forbiddenNulls(doc, of, member, at+"."+name)...)
			}
		}
	case []any:
		if of, ok := schema["items"].(object); ok {
			for _, item := range value {
				found = append(found, forbiddenNulls(doc, of, item, at+"[]")...)
			}
		}
	}
	return found
}
