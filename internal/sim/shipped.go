package sim

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
)

//go:embed scenarios/*.json
var shipped embed.FS

// Names returns the names of the scenarios that are a part of the program.
func Names() (names []string) {
	files, err := shipped.ReadDir("scenarios")
	if err != nil {
		panic(err) // they are a part of the program
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file.Name(), ".json"))
	}
	return names
}

// Text returns the file of a scenario that is a part of the program, or false if there is none of this name.
func Text(name string) ([]byte, bool) {
	text, err := shipped.ReadFile("scenarios/" + name + ".json")
	return text, err == nil
}

// Shipped returns a scenario that is a part of the program.
func Shipped(name string) (*Scenario, error) {
	text, ok := Text(name)
	if !ok {
		return nil, fmt.Errorf("%q is not a scenario; there are %s", name, strings.Join(Names(), ", "))
	}
	return Read(bytes.NewReader(text))
}
