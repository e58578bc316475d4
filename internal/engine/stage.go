package engine

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// stage is a part of the engine's life.
type stage struct {
	name  string
	begin func(ctx context.Context) // is called when the stage starts; nil: nothing is to be done
	run   func(ctx context.Context) // runs in the background until ctx ends, or until stop lets it return; nil: nothing runs
	stop  func()                    // ends the stage once its work is done; nil: its context ends
	wait  func()                    // waits for what runs beside run; nil: nothing does

	ctx    context.Context // ends when the stage must give up its work
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (s *stage) start() {
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if s.begin != nil {
		s.begin(s.ctx)
	}
	if s.run != nil {
		s.done.Go(func() { s.run(s.ctx) })
	}
}

// end stops the stage and waits until it has ended.
func (s *stage) end() {
	defer s.cancel()
	if s.stop != nil {
		s.stop()
	} else {
		s.cancel()
	}
	s.done.Wait()
	if s.wait != nil {
		s.wait()
	}
}

// stages is a list of stages, which start in order and end in reverse.
type stages []*stage

func (list stages) start() {
	for _, s := range list {
		s.start()
	}
}

// end ends the stages. When ctx ends, all of them give up their work.
func (list stages) end(ctx context.Context, logger *slog.Logger) {
	for _, s := range list {
		defer context.AfterFunc(ctx, s.cancel)()
	}
	for _, s := range slices.Backward(list) {
		started := time.Now()
		s.end()
		logger.DebugContext(ctx, "engine stage ended", "stage", s.name, "took", time.Since(started))
	}
}
