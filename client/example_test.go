package client_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/bellwire/bellwire/client"
)

// newServer returns a server that stands in for Bellwire in the examples.
func newServer() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/tenants/acme/events", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"id":"evt_0198c7a3f2e47d0a9b1c2d3e4f506172","type":"invoice.paid","deliveries":2,"duplicate":false}`)
	})
	mux.HandleFunc("POST /api/v1/tenants/acme/endpoints", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
		w.Write(append(body[:len(body)-1], `,"id":"ep_0198c7a3f2e47d0a9b1c2d3e4f506172","status":"enabled"}`...))
	})
	mux.HandleFunc("GET /api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":[{"id":"globex"},{"id":"acme"}],"next_cursor":null}`)
	})
	mux.HandleFunc("GET /api/v1/tenants/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"status":404,"code":"not_found","detail":"tenant \"initech\" does not exist"}`)
	})
	return httptest.NewServer(mux)
}

// Publish an event to a tenant's endpoints.
func Example() {
	server := newServer()
	defer server.Close()

	c, err := client.New(server.URL, "your-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := c.Publish(context.Background(), "acme", client.Publication{
		Type: "invoice.paid",
		Data: json.RawMessage(`{"invoice": "in_123", "total": 1.50}`),
		ID:   "in_123-paid",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(receipt.Deliveries, "endpoints get", receipt.Type)
	// Output: 2 endpoints get invoice.paid
}

// Publish an event in a transaction of your own: it is delivered if and only if the transaction commits. The database is
// the PostgreSQL of Bellwire, and the role of db may execute the function bellwire.publish.
func Example_transaction() {
	payInvoice := func(ctx context.Context, db *sql.DB, tenant, invoice string) error {
		data, err := json.Marshal(map[string]string{"invoice": invoice})
		if err != nil {
			return err
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // has no effect after Commit
		if _, err := tx.ExecContext(ctx, "UPDATE invoices SET paid = true WHERE id = $1", invoice); err != nil {
			return err
		}
		var event string
		publish := "SELECT bellwire.publish($1, $2, $3, $4)"
		if err := tx.QueryRowContext(ctx, publish, tenant, "invoice.paid", string(data), invoice+"-paid").Scan(&event); err != nil {
			return err
		}
		return tx.Commit()
	}
	_ = payInvoice
}

// Create an endpoint that gets its deliveries in order and retries for a day.
func ExampleClient_CreateEndpoint() {
	server := newServer()
	defer server.Close()

	c, err := client.New(server.URL, "your-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	endpoint, err := c.CreateEndpoint(context.Background(), "acme", client.EndpointInput{
		URL:      client.Ptr("https://example.com/webhooks"),
		Events:   []string{"invoice.*"},
		Ordering: client.Ptr(client.OrderingFIFO),
		Retry:    &client.RetryPolicy{Interval: time.Hour, Count: 24},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(endpoint.URL, endpoint.Status, endpoint.Retry.Interval)
	// Output: https://example.com/webhooks enabled 1h0m0s
}

// Read all tenants, page by page.
func ExampleAll() {
	server := newServer()
	defer server.Close()

	c, err := client.New(server.URL, "your-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	for tenant, err := range client.All(context.Background(), c.Tenants) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(tenant.ID)
	}
	// Output:
	// globex
	// acme
}

// Handle an error by its code.
func ExampleError() {
	server := newServer()
	defer server.Close()

	c, err := client.New(server.URL, "your-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.Tenant(context.Background(), "initech")
	var refusal *client.Error
	if errors.As(err, &refusal) && refusal.Code == client.CodeNotFound {
		fmt.Println(refusal.Detail)
	}
	// Output: tenant "initech" does not exist
}
