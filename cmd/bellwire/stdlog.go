package main

import (
	"io"
	"log"
	"log/slog"
)

// silenceLibraries keeps what libraries write to the standard library's logger away from standard error. net/http writes
// there what receivers sent, which may be a credential that they were sent.
func silenceLibraries() { log.SetOutput(io.Discard) }

// noteLibraries has libraries' messages noted at level debug, without their text.
func noteLibraries(logger *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(withheld{logger})
}

type withheld struct{ log *slog.Logger }

func (w withheld) Write(message []byte) (int, error) {
	w.log.Debug("a library logged a message, whose text is withheld: it may hold what a receiver sent", "bytes", len(message))
	return len(message), nil
}
