package main

import (
	"io"
	"log"
	"log/slog"
)

// silenceLibraries discards what libraries write to the standard library's logger. net/http logs bytes from receivers
// there, which may echo credentials.
func silenceLibraries() { log.SetOutput(io.Discard) }

// noteLibraries logs at level debug that a library wrote a message, without its text.
func noteLibraries(logger *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(withheld{logger})
}

type withheld struct{ log *slog.Logger }

func (w withheld) Write(message []byte) (int, error) {
	w.log.Debug("library message withheld: it may contain bytes from a receiver", "bytes", len(message))
	return len(message), nil
}
