package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// RecordBackup records that a backup was made at a time, unless a later one is recorded.
func (s *Store) RecordBackup(ctx context.Context, at time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		return tx.exec(`INSERT INTO bellwire.meta (name, number) VALUES ('backup', $1)
			ON CONFLICT (name) DO UPDATE SET number = greatest(meta.number, excluded.number)`, at.UnixMicro())
	})
}

// LastBackup returns when the last backup was recorded. The zero time: none was.
func (s *Store) LastBackup(ctx context.Context) (at time.Time, err error) {
	err = s.read(ctx, func(tx *tx) error {
		var micros int64
		err := tx.row("SELECT number FROM bellwire.meta WHERE name = 'backup'").Scan(&micros)
		if errors.Is(err, pgx.ErrNoRows) {
			at = time.Time{}
			return nil
		}
		at = time.UnixMicro(micros).UTC()
		return err
	})
	return at, err
}
