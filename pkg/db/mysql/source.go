package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Source reads from a MySQL or MariaDB server.
type Source struct {
	*server
	reading atomic.Bool // an open stream uses the configured server id
	// What sessions have in the log is remembered from stream to stream, for temporary tables, see binlog.Sessions.
	sessions binlog.Sessions
	sourceID atomic.Uint32 // the server's id in its log, when it was asked for
	spooling atomic.Bool   // the spool is being written
}

// OpenSource connects to a server as the source of a move.
func OpenSource(ctx context.Context, cfg Config) (*Source, error) {
	s, err := openServer(ctx, cfg, wire.Reading)
	if err != nil {
		return nil, err
	}
	return &Source{server: s}, nil
}

// Reached tells whether everything up to goal is contained in at.
func (s *Source) Reached(at, goal db.Position) (bool, error) { return binlog.Reached(at, goal) }

// Stream opens the log after pos.
func (s *Source) Stream(
	ctx context.Context, pos db.Position, routes []*route.Route, since db.Since,
) (db.Stream, error) {
	return s.openLog(ctx, pos, binlog.Config{Routes: routes, Since: since})
}

// SchemaChanges implements db.Log. It reads the log a second time, beside the stream that is applied, and passes over
// rows.
func (s *Source) SchemaChanges(
	ctx context.Context, after, until db.Position, tables []schema.Name,
) (found []*db.DDL, err error) {
	stream, err := s.openLog(ctx, after, binlog.Config{Schema: slices.Concat([]schema.Name{}, tables)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	for {
		if reached, err := s.Reached(stream.Position(), until); err != nil || reached {
			return found, err
		}
		part, err := stream.Next(ctx, logWait)
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if part != nil && part.DDL != nil {
			found = append(found, part.DDL)
		}
	}
}

// logWait is how long to wait for more of a log that is known to have it.
const logWait = 100 * time.Millisecond

// openLog opens the log after a position. cfg tells what matters in it.
func (s *Source) openLog(ctx context.Context, after db.Position, cfg binlog.Config) (db.Stream, error) {
	from, err := binlog.ParsePosition(after)
	if err != nil {
		return nil, err
	}
	// A server ends the older of two readers with one server id, so only the first has the configured one.
	serverID, release := s.cfg.ServerID, func() {}
	if s.reading.CompareAndSwap(false, true) {
		release = func() { s.reading.Store(false) }
	} else {
		serverID = 0
	}
	cfg.Dialer, cfg.ServerID, cfg.Flavor, cfg.Tag = s.dialer, serverID, s.flavor, s.tag
	cfg.From, cfg.SpoolDir, cfg.Follows = from, s.cfg.SpoolDir, s.cfg.Follows
	cfg.Decode, cfg.Sessions = s.decodeStatement, &s.sessions
	if cfg.SourceID, err = s.idInLog(ctx); err != nil {
		release()
		return nil, err
	}
	opened, err := binlog.Open(ctx, cfg)
	if err != nil {
		release()
		return nil, err
	}
	return &releasing{opened, sync.OnceFunc(release)}, nil
}

// idInLog returns the server's id in its log. Events with another id came from a primary or another member of the
// group.
func (s *Source) idInLog(ctx context.Context) (uint32, error) {
	if id := s.sourceID.Load(); id != 0 {
		return id, nil
	}
	text, err := s.variable(ctx, "server_id")
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("read @@server_id: %w", err)
	}
	s.sourceID.Store(uint32(id))
	return uint32(id), nil
}

// releasing is a stream that gives back its server id.
type releasing struct {
	db.Stream
	release func()
}

func (r *releasing) Close() error {
	defer r.release()
	return r.Stream.Close()
}
