package share

import "context"

type roomKey struct{}

// WithRoom returns a context for a caller whose answer needs room. full returns an error while the caller's share has none left.
func WithRoom(ctx context.Context, full func() error) context.Context {
	return context.WithValue(ctx, roomKey{}, full)
}

// Room returns an error if the context's caller has no room left for an answer, so that none is prepared in vain.
func Room(ctx context.Context) error {
	full, ok := ctx.Value(roomKey{}).(func() error)
	if !ok {
		return nil
	}
	return full()
}
