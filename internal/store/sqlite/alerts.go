package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlOpenAddresses = `SELECT address FROM alert_addresses a
		WHERE a.address > '' AND NOT EXISTS (SELECT 1 FROM alerts WHERE address = a.address LIMIT 1 OFFSET ?) LIMIT +?`
	sqlKeepAlert    = "INSERT INTO alerts (address, type, at, data) VALUES (?, ?, ?, ?)"
	sqlAddresses    = "SELECT address FROM alert_addresses WHERE address > '' LIMIT +?"
	sqlAddAddress   = "INSERT INTO alert_addresses (address) VALUES (?)"
	sqlEndAddress   = "DELETE FROM alert_addresses WHERE address = ?"
	sqlForgetAlerts = "DELETE FROM alerts WHERE address = ?"

	sqlAlertAddresses = `SELECT address, (SELECT at FROM alerts WHERE address = a.address ORDER BY n LIMIT 1), sent_at
		FROM alert_addresses a
		WHERE a.address > '' AND EXISTS (SELECT 1 FROM alerts WHERE address = a.address) ORDER BY address LIMIT +?`
	sqlAlerts   = "SELECT n, type, data FROM alerts WHERE address = ? ORDER BY n"
	sqlEndAlert = "DELETE FROM alerts WHERE address = ? AND n = ?"
	sqlSent     = "UPDATE alert_addresses SET sent_at = ? WHERE address = ?"
)

// openAddresses returns the addresses that further alerts are kept for.
func (w *writer) openAddresses() ([]string, error) {
	return w.texts(w.query(sqlOpenAddresses).int(bellwire.MaxAlerts - 1).int(bellwire.MaxAlertAddresses))
}

func (w *writer) texts(q *query) (texts []string, err error) {
	for q.next() {
		texts = append(texts, q.getText())
	}
	return texts, q.err
}

// alert keeps an alert that tells addresses of news.
func (w *writer) alert(addresses []string, subject *rules.Subject, n *rules.News) error {
	if len(addresses) == 0 {
		return nil
	}
	data, err := n.AlertData(subject)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		if err := w.query(sqlKeepAlert).text(address).text(n.Type).time(n.At).blob(data).exec(); err != nil {
			return err
		}
	}
	return nil
}

// SetAlertAddresses sets the addresses that alerts are kept for.
func (s *Store) SetAlertAddresses(ctx context.Context, addresses []string) error {
	return s.write(ctx, func(w *writer) error {
		before, err := w.texts(w.query(sqlAddresses).int(bellwire.MaxAlertAddresses))
		if err != nil {
			return err
		}
		for _, address := range before {
			if slices.Contains(addresses, address) {
				continue
			}
			if err := firstError(w.query(sqlForgetAlerts).text(address).exec(), w.query(sqlEndAddress).text(address).exec()); err != nil {
				return err
			}
		}
		for _, address := range addresses {
			if slices.Contains(before, address) {
				continue
			}
			if err := w.query(sqlAddAddress).text(address).exec(); err != nil {
				return err
			}
		}
		return nil
	})
}

// AlertAddresses returns the addresses for which alerts wait.
func (s *Store) AlertAddresses(ctx context.Context) (addresses []bellwire.AlertAddress, err error) {
	err = s.read(ctx, func(c *db) error {
		q := c.query(sqlAlertAddresses).int(bellwire.MaxAlertAddresses)
		for q.next() {
			addresses = append(addresses, bellwire.AlertAddress{Address: q.getText(), Since: q.getTime(), SentAt: q.getTimeOrZero()})
		}
		return q.err
	})
	return addresses, err
}

// Alerts returns the alerts that wait for an address.
func (s *Store) Alerts(ctx context.Context, address string) (alerts []*bellwire.Alert, err error) {
	err = s.read(ctx, func(c *db) error {
		q := c.query(sqlAlerts).text(address)
		for q.next() {
			alerts = append(alerts, &bellwire.Alert{Number: q.getInt(), Type: q.getText(), Data: q.getBlob()})
		}
		return q.err
	})
	return alerts, err
}

// EndAlerts forgets alerts that were sent.
func (s *Store) EndAlerts(ctx context.Context, address string, numbers []int64, at time.Time) error {
	return s.write(ctx, func(w *writer) error {
		for _, n := range numbers {
			if err := w.query(sqlEndAlert).text(address).int(n).exec(); err != nil {
				return err
			}
		}
		return w.query(sqlSent).time(at).text(address).exec()
	})
}
