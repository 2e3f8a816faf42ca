package move

import (
	"context"
	"errors"

	"wherry/pkg/db"
)

// unseenTarget is a target whose bookkeeping this account may not be allowed to read. check takes it for absent, and
// names the privilege that is missing.
type unseenTarget struct{ db.Target }

func (t unseenTarget) Ledger() db.Ledger { return unseenLedger{t.Target.Ledger()} }

// unseenLedger answers "nothing" where the account may not read. Other errors stay errors: a lost connection must not
// look like a move that has not begun.
type unseenLedger struct{ db.Ledger }

func (l unseenLedger) Get(ctx context.Context, name string) (string, error) {
	value, err := l.Ledger.Get(ctx, name)
	if errors.Is(err, db.ErrAccess) {
		return "", nil
	}
	return value, err
}

func (l unseenLedger) Records(ctx context.Context) ([]db.Record, error) {
	records, err := l.Ledger.Records(ctx)
	if errors.Is(err, db.ErrAccess) {
		return nil, nil
	}
	return records, err
}

func (l unseenLedger) Owned(ctx context.Context) (db.Owned, error) {
	owned, err := l.Ledger.Owned(ctx)
	if errors.Is(err, db.ErrAccess) {
		return nil, nil
	}
	return owned, err
}
