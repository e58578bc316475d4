// Package web is the console and the portal as npm built them. README.md says how to change them.
package web

import "embed"

// Dist is what "make web" has built: the pages console.html and portal.html, the script portal.js, and assets, whose names
// contain a hash of what is in them.
//
//go:embed all:dist
var Dist embed.FS
