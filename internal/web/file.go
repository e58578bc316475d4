package web

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
)

// kind is how a file is cached, and who may load it.
type kind struct{ cache, resourcePolicy string }

var (
	// The name of an asset changes with its content.
	asset = kind{cache: "public, max-age=31536000, immutable", resourcePolicy: "same-origin"}
	// The script for pages that contain the portal has one name for ever.
	script = kind{cache: "public, max-age=300", resourcePolicy: "cross-origin"}
)

// file is a static file with its compressed forms.
type file struct {
	contentType string
	etag        string
	plain       []byte
	brotli      []byte        // nil: the build did not make it
	gzip        func() []byte // nil if the plain file is hardly larger
}

// readFile reads a file, with the compressed forms that stand beside it. Without a .gz, it is compressed when it is first asked for.
func readFile(files fs.FS, name string) (*file, error) {
	plain, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	f := &file{contentType: contentType(name), etag: `"` + hex.EncodeToString(sum[:8]) + `"`, plain: plain}
	if f.brotli, err = optional(files, name+".br"); err != nil {
		return nil, err
	}
	zipped, err := optional(files, name+".gz")
	if err != nil {
		return nil, err
	}
	f.gzip = sync.OnceValue(func() []byte {
		if zipped != nil {
			return zipped
		}
		return compressed(plain)
	})
	return f, nil
}

// contentType returns the media type of a file. Not every machine knows that of fonts.
func contentType(name string) string {
	extension := path.Ext(name)
	if extension == ".woff2" {
		return "font/woff2"
	}
	return cmp.Or(mime.TypeByExtension(extension), "application/octet-stream")
}

// optional reads a file, nil if it does not exist.
func optional(files fs.FS, name string) ([]byte, error) {
	data, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// compressed returns a file in gzip's form, nil if that is hardly smaller, as for images and fonts.
func compressed(plain []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil // only for an unknown level
	}
	if _, err = w.Write(plain); err != nil || w.Close() != nil || b.Len() > len(plain)*9/10 {
		return nil // a buffer fails only without memory
	}
	return b.Bytes()
}

// readAssets reads the files of the folder assets.
func readAssets(files fs.FS) (map[string]*file, error) {
	assets := make(map[string]*file)
	err := fs.WalkDir(files, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) == ".br" || path.Ext(name) == ".gz" {
			return err
		}
		assets[strings.TrimPrefix(name, "assets/")], err = readFile(files, name)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the pages have no folder assets: %w", err)
	}
	return assets, err
}

// serve writes the file in the smallest form that the client accepts.
func (f *file) serve(w http.ResponseWriter, r *http.Request, k kind) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", k.cache)
	h.Set("Cross-Origin-Resource-Policy", k.resourcePolicy)
	h.Set("ETag", f.etag)
	h.Set("Vary", "Accept-Encoding")
	harden(h)
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.plain
	switch accepted := r.Header.Get("Accept-Encoding"); {
	case f.brotli != nil && accepts(accepted, "br"):
		h.Set("Content-Encoding", "br")
		body = f.brotli
	case accepts(accepted, "gzip"):
		if zipped := f.gzip(); zipped != nil {
			h.Set("Content-Encoding", "gzip")
			body = zipped
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // the browser may be gone
}

// accepts reports whether an Accept-Encoding header names a coding, and does not exclude it.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, parameter, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			weight := strings.ReplaceAll(parameter, " ", "")
			return !strings.HasPrefix(weight, "q=0") || strings.Trim(weight, "q=0.") != ""
		}
	}
	return false
}

// base is the element of a shell that says where its paths begin.
var base = regexp.MustCompile(`<base href="/" ?/?>`)

// withBase returns a shell whose paths begin at the given one.
func withBase(shell []byte, at string) ([]byte, error) {
	if len(base.FindAllIndex(shell, 2)) != 1 {
		return nil, errors.New(`a shell must contain <base href="/"> once`)
	}
	return base.ReplaceAllLiteral(shell, fmt.Appendf(nil, `<base href="%s">`, html.EscapeString(at))), nil
}
