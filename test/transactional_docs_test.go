package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// payOrder marks an order as paid and publishes that, both or neither.
func payOrder(ctx context.Context, db *pgxpool.Pool, order int64) (event string, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		var customer string
		err := tx.QueryRow(ctx, "UPDATE orders SET paid = true WHERE id = $1 RETURNING customer", order).Scan(&customer)
		if err != nil {
			return err
		}
		data, err := json.Marshal(map[string]int64{"order": order})
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT bellwire.publish($1, $2, $3, $4)",
			customer, "order.paid", string(data), fmt.Sprintf("order-%d-paid", order)).Scan(&event)
	})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "WH404" {
		return "", fmt.Errorf("the customer of order %d has no webhooks: %w", order, err)
	}
	return event, err
}

// What docs/transactional-publish.md shows is run here, in its order, as a role that has the rights which the page gives.
func TestTransactionalPublishDocs(t *testing.T) {
	t.Parallel()
	database, option := startPostgres(t)
	s := startServer(t, t.TempDir(), append([]string{option}, local...)...)
	receiver := startReceiver(t, 0)
	s.subscribe(receiver.url)
	s.addType("order.paid")
	s.addType("order.refunded")

	page := string(mustRead(t, "../docs/transactional-publish.md"))
	source, err := os.ReadFile("transactional_docs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range blocks(page, "go") {
		if !strings.Contains(string(source), shown) {
			t.Errorf("this is not what is tested here:\n%s", shown)
		}
	}
	run := func(conn *pgx.Conn, sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s\n%v", sql, err)
		}
	}
	owner, shop := connect(t, database), connect(t, database)
	run(owner, "CREATE ROLE shop LOGIN; GRANT CREATE ON SCHEMA public TO shop")
	rights := true
	for _, sql := range blocks(page, "sql")[1:] { // the first shows the signature
		if strings.Contains(sql, "CREATE ROLE") {
			run(owner, sql)
			run(shop, "SET ROLE shop")
			rights = false
			continue
		}
		if rights {
			t.Fatalf("the page gives no rights before\n%s", sql)
		}
		run(shop, sql)
	}
	run(shop, "UPDATE orders SET paid = false WHERE id = 8")
	run(shop, "INSERT INTO orders VALUES (9, 'acme', 1), (10, 'nobody', 1)")
	config, err := pgxpool.ParseConfig(strings.Replace(database.url, "postgres@", "shop@", 1))
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	event, err := payOrder(t.Context(), db, 9)
	if err != nil {
		t.Fatal(err)
	}
	receiver.await(t, []string{event})
	if _, err := payOrder(t.Context(), db, 10); err == nil || !strings.Contains(err.Error(), "has no webhooks") {
		t.Errorf("an order of nobody is answered %v", err)
	}

	want := map[string]bool{
		`order.paid {"order": 7, "amount": 99.90}`:   true,
		`order.paid {"order": 7}`:                    true,
		`order.paid {"order" : 8, "amount" : 10.00}`: true,
		`order.refunded {"order" : 8}`:               true,
		`order.paid {"order":9}`:                     true,
	}
	var events struct {
		Data []struct {
			Type string
			Data json.RawMessage
		}
	}
	eventually(t, "all are there", func() bool {
		s.call("GET", "/tenants/acme/events", "", &events)
		return len(events.Data) >= len(want)
	})
	for _, e := range events.Data {
		if text := e.Type + " " + string(e.Data); !want[text] {
			t.Errorf("there is %s", text)
		}
	}
	var paid int
	if err := owner.QueryRow(t.Context(), "SELECT count(*) FROM orders WHERE paid").Scan(&paid); err != nil || paid != 2 {
		t.Errorf("%d orders are paid: %v", paid, err)
	}
}

// blocks returns the code blocks of a page in a language.
func blocks(page, language string) (all []string) {
	for _, found := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(page, -1) {
		all = append(all, found[1])
	}
	return all
}
