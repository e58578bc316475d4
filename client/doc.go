// Package client calls the native API of a Bellwire server.
//
//	c, err := client.New("http://127.0.0.1:8080", key)
//	…
//	receipt, err := c.Publish(ctx, "acme", client.Publication{Type: "invoice.paid", Data: data})
//
// Every call ends when its context does. An answer that is not a success is an [*Error] with a stable Code.
//
// [Client.Publish] and [Client.PublishBatch] repeat requests that may not have arrived, with the same idempotency id, so
// that an event is stored once however often it was sent. Other calls are not repeated; [WithIdempotencyKey] makes it safe to
// repeat them.
package client
