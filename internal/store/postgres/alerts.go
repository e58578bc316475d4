package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlOpenAddresses = `SELECT address FROM bellwire.alert_addresses a
		WHERE NOT EXISTS (SELECT FROM bellwire.alerts WHERE address = a.address OFFSET $1 LIMIT 1) LIMIT $2`
	sqlKeepAlerts = `INSERT INTO bellwire.alerts (address, type, at, data)
		SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[])`
	sqlForgetAlerts = `DELETE FROM bellwire.alerts a
		USING (SELECT address FROM bellwire.alert_addresses WHERE address <> ALL ($1)) gone WHERE a.address = gone.address`
	sqlEndAddresses = "DELETE FROM bellwire.alert_addresses WHERE address <> ALL ($1)"
	sqlAddAddresses = "INSERT INTO bellwire.alert_addresses (address) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"

	sqlAlertAddresses = `SELECT a.address, oldest.at, a.sent_at FROM bellwire.alert_addresses a
		CROSS JOIN LATERAL (SELECT at FROM bellwire.alerts WHERE address = a.address ORDER BY n LIMIT 1) oldest ORDER BY a.address LIMIT $1`
	sqlAlerts    = "SELECT n, type, data FROM bellwire.alerts WHERE address = $1 ORDER BY n"
	sqlEndAlerts = "DELETE FROM bellwire.alerts WHERE address = $1 AND n = ANY ($2)"
	sqlSent      = "UPDATE bellwire.alert_addresses SET sent_at = $1 WHERE address = $2"
)

// keptAlert is an alert for an address.
type keptAlert struct {
	address, eventType string
	at                 time.Time
	data               []byte
}

// readAddresses reads the addresses that further alerts are kept for.
func (a *announcement) readAddresses(batch *pgx.Batch) {
	batch.Queue(sqlOpenAddresses, bellwire.MaxAlerts-1, bellwire.MaxAlertAddresses).Query(func(rows pgx.Rows) (err error) {
		a.audience.Addresses, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
}

// alert makes the alerts that tell addresses of news.
func (a *announcement) alert(subject *rules.Subject, n *rules.News) error {
	addresses := a.audience.Mails(n, subject)
	if len(addresses) == 0 {
		return nil
	}
	data, err := n.AlertData(subject)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		a.alerts = append(a.alerts, keptAlert{address, n.Type, n.At, data})
	}
	return nil
}

// keepAlerts stores the alerts that were collected.
func (a *announcement) keepAlerts() error {
	if len(a.alerts) == 0 {
		return nil
	}
	var (
		addresses, types []string
		at               []time.Time
		data             [][]byte
	)
	for _, k := range a.alerts {
		addresses, types = append(addresses, k.address), append(types, k.eventType)
		at, data = append(at, k.at), append(data, k.data)
	}
	return a.tx.exec(sqlKeepAlerts, addresses, types, at, data)
}

// SetAlertAddresses sets the addresses that alerts are kept for.
func (s *Store) SetAlertAddresses(ctx context.Context, addresses []string) error {
	addresses = append([]string{}, addresses...) // not nil, which would be NULL
	slices.Sort(addresses)                       // the same order of locks on all nodes
	return s.write(ctx, func(tx *tx) error {
		batch := new(pgx.Batch)
		batch.Queue(sqlForgetAlerts, addresses)
		batch.Queue(sqlEndAddresses, addresses)
		batch.Queue(sqlAddAddresses, addresses)
		return tx.send(batch)
	})
}

// AlertAddresses returns the addresses for which alerts wait.
func (s *Store) AlertAddresses(ctx context.Context) (addresses []bellwire.AlertAddress, err error) {
	err = s.read(ctx, func(tx *tx) error {
		var (
			address string
			since   time.Time
			sent    *time.Time
		)
		rows := tx.query(sqlAlertAddresses, bellwire.MaxAlertAddresses)
		_, err := pgx.ForEachRow(rows, []any{&address, &since, &sent}, func() error {
			a := bellwire.AlertAddress{Address: address, Since: since.UTC()}
			if sent != nil {
				a.SentAt = sent.UTC()
			}
			addresses = append(addresses, a)
			return nil
		})
		return err
	})
	return addresses, err
}

// Alerts returns the alerts that wait for an address.
func (s *Store) Alerts(ctx context.Context, address string) (alerts []*bellwire.Alert, err error) {
	err = s.read(ctx, func(tx *tx) error {
		rows := tx.query(sqlAlerts, address)
		defer rows.Close()
		for rows.Next() {
			a := new(bellwire.Alert)
			if err := rows.Scan(&a.Number, &a.Type, &a.Data); err != nil {
				return err
			}
			alerts = append(alerts, a)
		}
		return rows.Err()
	})
	return alerts, err
}

// EndAlerts forgets alerts that were sent.
func (s *Store) EndAlerts(ctx context.Context, address string, numbers []int64, at time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		batch := new(pgx.Batch)
		batch.Queue(sqlEndAlerts, address, numbers)
		batch.Queue(sqlSent, at, address)
		return tx.send(batch)
	})
}
