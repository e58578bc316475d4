package share

import "context"

type roomKey struct{}

// WithRoom returns a context for a caller whose responses need room. has reports whether the caller's share has room for a large one.
func WithRoom(ctx context.Context, has func() bool) context.Context {
	return context.WithValue(ctx, roomKey{}, has)
}

// HasRoom reports whether the context's caller has room for a large response, so that none is prepared in vain.
func HasRoom(ctx context.Context) bool {
	has, ok := ctx.Value(roomKey{}).(func() bool)
	return !ok || has()
}
