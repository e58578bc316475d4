// Package client calls the native API of a Bellwire server. It needs the standard library only.
//
//	c, err := client.New("http://127.0.0.1:8080", key)
//	…
//	receipt, err := c.Publish(ctx, "acme", client.Publication{Type: "invoice.paid", Data: data})
//
// Every call takes a context that ends it. What the server refuses is an *Error with a stable Code.
// Publish and PublishBatch repeat what may not have arrived, under the same idempotency id, so that an
// event is stored once however often it was sent.
package client
