package declared

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFiles is the maximum number of files in a folder.
const maxFiles = 64

//go:embed files/*.yaml
var files embed.FS

// Shipped returns the dialects whose files this program contains, by name.
func Shipped() ([]*Dialect, error) {
	entries, err := files.ReadDir("files")
	if err != nil {
		return nil, err
	}
	var list []*Dialect
	for _, entry := range entries {
		text, err := files.ReadFile("files/" + entry.Name())
		if err != nil {
			return nil, err
		}
		d, err := Parse(entry.Name(), text)
		if err != nil {
			return nil, err
		}
		d.file = ""
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b *Dialect) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// ShippedNames returns the names of the dialects of Shipped, which are those of the files.
func ShippedNames() []string {
	entries, err := files.ReadDir("files")
	if err != nil {
		return nil // the program contains the folder
	}
	list := make([]string, len(entries))
	for i, entry := range entries {
		list[i] = strings.TrimSuffix(entry.Name(), ".yaml")
	}
	slices.Sort(list)
	return list
}

// Load returns the dialects of all files in a folder whose names end with .yaml or .yml, by name. The names in taken are those of
// other dialects. If the error is a Faults, it has all faults of all files.
func Load(folder string, taken []string) ([]*Dialect, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, entry := range entries {
		extension := filepath.Ext(entry.Name())
		if (extension == ".yaml" || extension == ".yml") && !strings.HasPrefix(entry.Name(), ".") {
			paths = append(paths, filepath.Join(folder, entry.Name()))
		}
	}
	if len(paths) > maxFiles {
		return nil, fmt.Errorf("%s has %d files; at most %d can be loaded", folder, len(paths), maxFiles)
	}
	return LoadFiles(paths, taken)
}

// LoadFiles returns the dialects of files, by name.
func LoadFiles(paths, taken []string) ([]*Dialect, error) {
	var (
		list   []*Dialect
		faults Faults
	)
	for _, path := range paths {
		text, err := readFile(path)
		if err != nil {
			faults = append(faults, Fault{File: path, Message: err.Error()})
			continue
		}
		d, err := Parse(path, text)
		if bad, ok := errors.AsType[Faults](err); ok {
			faults = append(faults, bad...)
			continue
		}
		if err != nil {
			return nil, err
		}
		same := slices.IndexFunc(list, func(other *Dialect) bool { return other.name == d.name })
		switch {
		case slices.Contains(taken, d.name):
			faults = append(faults, Fault{File: path, Message: fmt.Sprintf("dialect must have another name than %s, which is built in", d.name)})
		case same >= 0:
			faults = append(faults, Fault{File: path, Message: fmt.Sprintf("dialect must have another name than %s, which is that of %s", d.name, list[same].file)})
		default:
			list = append(list, d)
		}
	}
	if err := faults.asError(); err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b *Dialect) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// readFile reads a file up to a little more than the most that Parse accepts.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("must be a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return text, withoutPath(err)
}

// withoutPath returns the cause of an error of the file system, whose path stands before it.
func withoutPath(err error) error {
	if at, ok := errors.AsType[*os.PathError](err); ok {
		return at.Err
	}
	return err
}

// ServerAt returns the server at a URL.
func ServerAt(address string) Server {
	address = strings.TrimRight(address, "/")
	s := Server{URL: address}
	if u, err := url.Parse(address); err == nil {
		s.Host = u.Hostname()
	}
	return s
}
