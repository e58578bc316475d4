// Package web serves the pages of the console, below /console, and of the portal, below /portal. Each is one application of static
// files, which uses the native API like any other client.
package web

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Config configures a Web.
type Config struct {
	// Files has console.html and portal.html, the shells of the two applications; portal.js, the script for pages that contain the
	// portal; and in the folder assets what the shells load, under names that change with their content.
	Files     fs.FS
	PublicURL string // where browsers reach this server; its path may be a prefix that a proxy adds
	// Origins returns the origins of the pages that may frame the portal for a session.
	Origins func(ctx context.Context, session string) ([]string, error)
	Logger  *slog.Logger
}

// Web is the handler of both applications.
type Web struct {
	assets  map[string]*file
	script  *file // nil: the build has no pages
	shells  map[string][]byte
	origins func(ctx context.Context, session string) ([]string, error)
	log     *slog.Logger
}

// The applications.
const (
	console = "console"
	portal  = "portal"
)

// Prefixes are the first segments of the paths that a Web serves.
var Prefixes = []string{console, portal, portalScript}

const portalScript = "portal.js"

// New returns a Web. A build without pages has one that says so.
func New(c Config) (*Web, error) {
	w := &Web{origins: c.Origins, log: c.Logger, shells: make(map[string][]byte)}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	public, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimRight(public.EscapedPath(), "/")
	for _, app := range []string{console, portal} {
		shell, err := fs.ReadFile(c.Files, app+".html")
		if errors.Is(err, fs.ErrNotExist) {
			return w, nil
		}
		if err == nil {
			w.shells[app], err = withBase(shell, prefix+"/"+app+"/")
		}
		if err != nil {
			return nil, err
		}
	}
	if w.script, err = readFile(c.Files, portalScript); err != nil {
		return nil, err
	}
	w.assets, err = readAssets(c.Files)
	return w, err
}

// ServeHTTP serves files and shells. A path below an application that is not a file's is one of the application's own pages.
func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		rw.Header().Set("Allow", "GET, HEAD")
		w.refuse(rw, http.StatusMethodNotAllowed, "only GET and HEAD are allowed here")
		return
	}
	app, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	name, isAsset := strings.CutPrefix(rest, "assets/")
	switch {
	case w.shells[console] == nil:
		w.refuse(rw, http.StatusNotFound, "this build has no console and no portal; run make web, and build again")
	case app == portalScript && rest == "":
		w.script.serve(rw, r, script)
	case isAsset:
		w.asset(rw, r, name)
	case w.shells[app] == nil:
		w.refuse(rw, http.StatusNotFound, "this page does not exist")
	default:
		w.shell(rw, r, app)
	}
}

// asset serves a file of the folder assets. One that does not exist is probably of an older build, whose page is still open.
func (w *Web) asset(rw http.ResponseWriter, r *http.Request, name string) {
	f := w.assets[path.Clean(name)]
	if f == nil {
		rw.Header().Set("Cache-Control", "no-store")
		w.refuse(rw, http.StatusNotFound, "this file does not exist in the present build; load the page again")
		return
	}
	f.serve(rw, r, asset)
}

// shell serves the page that loads an application.
func (w *Web) shell(rw http.ResponseWriter, r *http.Request, app string) {
	ancestors := "'none'"
	if app == portal {
		origins, err := w.origins(r.Context(), r.URL.Query().Get("s"))
		if err != nil {
			w.log.LogAttrs(r.Context(), slog.LevelWarn, "origins of a portal session not read", slog.Any("error", err))
			rw.Header().Set("Retry-After", "1")
			w.refuse(rw, http.StatusServiceUnavailable, "the portal is temporarily unavailable; try again shortly")
			return
		}
		if len(origins) > 0 {
			ancestors = strings.Join(origins, " ")
		}
	}
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", contentSecurityPolicy+"; frame-ancestors "+ancestors)
	if app == console {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
	} else {
		h.Set("Cross-Origin-Resource-Policy", "cross-origin") // pages of other origins may frame it
	}
	harden(h)
	_, _ = rw.Write(w.shells[app]) // the browser may be gone
}

// contentSecurityPolicy lets pages load only files of this server, and run nothing that stands in the page itself.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"base-uri 'self'; form-action 'self'"

// harden sets the headers that all answers have.
func harden(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

func (w *Web) refuse(rw http.ResponseWriter, status int, message string) {
	h := rw.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	harden(h)
	rw.WriteHeader(status)
	_, _ = rw.Write([]byte(message + "\n"))
}

// UnderPrefix returns a handler that also serves paths with the prefix of a public URL, as they arrive from a proxy that does not
// strip it. It strips it before paths that begin with one of the given segments: other ones could belong to a dialect.
func UnderPrefix(publicURL string, next http.Handler, segments ...string) http.Handler {
	public, err := url.Parse(publicURL)
	if err != nil {
		return next
	}
	prefix := strings.TrimRight(public.EscapedPath(), "/")
	if prefix == "" {
		return next
	}
	stripped := http.StripPrefix(prefix, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), prefix+"/"); ok && slices.Contains(segments, firstSegment(rest)) {
			stripped.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func firstSegment(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}
