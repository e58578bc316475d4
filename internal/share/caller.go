package share

import "context"

// Caller identifies the owner that a request is charged to, and the queue within it: the tenant that an operator's request is about.
type Caller struct{ Owner, Queue string }

type callerKey struct{}

// WithCaller returns a context of a request. of returns its caller; the zero Caller stands for all callers that are not authenticated.
func WithCaller(ctx context.Context, of func() Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, of)
}

// CallerOf returns the caller of the context's request, and whether it is the context of one.
func CallerOf(ctx context.Context) (c Caller, ok bool) {
	of, ok := ctx.Value(callerKey{}).(func() Caller)
	if !ok {
		return Caller{}, false
	}
	return of(), true
}
