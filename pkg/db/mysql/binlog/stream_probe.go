package binlog

import (
	"context"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"
)

// Probe proves that a server finds a position in its log: it opens the log and reads until the server has found the
// place. ErrPositionGone: the server says that it cannot.
func Probe(ctx context.Context, cfg Config) error {
	cfg.heartbeat = 100 * time.Millisecond
	r, err := newReader(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = r.wire.Close() }()
	done := r.wire.Guard(ctx)
	return done(streamError(r.probe(ctx)))
}

// probe reads until the server has found the place: the first transaction comes, or a heartbeat, which an idle server
// sends when it is at the end of its log. Errors come before either.
func (r *binlogReader) probe(ctx context.Context) error {
	if err := r.start(ctx); err != nil {
		return err
	}
	for {
		data, err := r.wire.ReadEvent(0)
		if err != nil {
			return err
		}
		event, ok := parseEventHeader(data)
		if !ok {
			return errEvent
		}
		if event.kind == replication.MARIADB_GTID_EVENT || event.kind == replication.HEARTBEAT_EVENT {
			return nil
		}
	}
}
