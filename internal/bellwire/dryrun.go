package bellwire

import "context"

type dryRunKey struct{}

// ErrDryRun is the error of a write with the context of a dry run.
var ErrDryRun error = Errorf(CodeUnavailable, "the request is only checked, and changes nothing")

// DryRun returns a context with which a Store refuses every write before it changes anything, with ErrDryRun. A request that is
// refused anyway is made with it to find what else is wrong.
func DryRun(ctx context.Context) context.Context {
	return context.WithValue(ctx, dryRunKey{}, true)
}

// IsDryRun reports whether the context, or one that it is made of, is that of a dry run.
func IsDryRun(ctx context.Context) bool {
	return ctx.Value(dryRunKey{}) != nil
}
