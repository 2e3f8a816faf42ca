package binlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

const (
	// streamHeartbeat is how often an idle server says where its log ends. After ten of them without a word the
	// connection counts as lost.
	streamHeartbeat = time.Second
	// streamPart bounds a part, in bytes: large enough that handing it over costs nothing, small enough to hold
	// several.
	streamPart = 4 << 20
	// streamParts bounds how many full parts wait for the consumer.
	streamParts = 4
	// streamBig is how much of a buffer is kept from one event to the next; a larger one is given back.
	streamBig = 4 << 20
)

// Config says where to read a log from, and of what.
type Config struct {
	Dialer   *wire.Dialer
	ServerID uint32 // as which the log is read; 0 picks one, for a server ends the older of two readers with one id
	Flavor   dialect.Flavor
	Tag      string // identity of the server, for the file and offset of positions
	From     Position
	SpoolDir string // where the log may have been kept, see WriteSpool; empty: nowhere

	Routes   []*route.Route
	Follows  func(schema.Name) bool // further names whose schema changes matter; nil: none
	Schema   []schema.Name          // not nil: of these tables too, and nothing but schema changes is read
	Since    db.Since               // what the rows of a route hold already
	Decode   StatementDecoder       // of statements in other character sets; nil: they are read as they are
	SourceID uint32                 // the server's id in its log
	Sessions *Sessions              // nil: of none is known whether it is older than the reading

	since     map[*route.Route]Position // Since, read by Open
	heartbeat time.Duration             // 0: streamHeartbeat
	maxPart   int                       // bytes of a part; 0: streamPart
}

// names are the tables whose changes matter: those of routes, and those that were asked for.
func (c *Config) names() []schema.Name {
	names := slices.Clone(c.Schema)
	for _, r := range c.Routes {
		names = append(names, r.Source.Name())
	}
	return names
}

// byFile tells whether the log is to be opened at the position's file and offset.
func (c *Config) byFile() bool {
	// A position without a server's name is one that a user typed: it is taken to be of this server.
	here := c.From.File != "" && (c.From.Server == c.Tag || c.From.Server == "")
	return here || c.From.GTIDs == nil || c.From.GTIDs.Empty()
}

// stream is an open binary log. One goroutine reads and decodes; it starts in openStream and is gone after Close.
type stream struct {
	queue  *streamQueue
	cancel context.CancelCauseFunc
	done   chan struct{}
	once   sync.Once
}

// errStreamClosed ends the goroutine of a closed stream.
var errStreamClosed = errors.New("stream is closed")

// Open reads the log after a position, from the spool as far as that has it. The stream ends with ctx, or with Close.
// ErrPositionGone: the server has no longer what follows the position.
func Open(ctx context.Context, cfg Config) (db.Stream, error) {
	var err error
	if cfg.since, err = parseSince(cfg.Since); err != nil {
		return nil, err
	}
	spooled, err := openSpooled(ctx, cfg)
	if err != nil || spooled != nil {
		return spooled, err
	}
	return openStream(ctx, cfg)
}

// openStream starts to read the log from the server.
func openStream(ctx context.Context, cfg Config) (db.Stream, error) {
	if cfg.From.IsZero() {
		return nil, errors.New("open binary log: no position to start from")
	}
	r, err := newReader(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open binary log: %w", err)
	}
	// Sessions with a higher number than this connection begin later, so all that they do is read.
	r.cfg.Sessions.reach(r.wire.ID)
	if err := r.start(ctx); err != nil {
		err = fmt.Errorf("open binary log of %s at %s: %w", cfg.Dialer.Address, cfg.From, streamError(err))
		return nil, errors.Join(err, r.wire.Close())
	}
	s := &stream{queue: newStreamQueue(cfg.From, cfg.Tag, streamParts*r.cfg.part()), done: make(chan struct{})}
	ctx, s.cancel = context.WithCancelCause(ctx)
	go s.run(ctx, r)
	return s, nil
}

// part is how many bytes a part has.
func (c *Config) part() int { return cmp.Or(c.maxPart, streamPart) }

// run reads until the log or ctx ends. The error waits in the queue behind the parts that were decoded before it:
// they are good.
func (s *stream) run(ctx context.Context, r *binlogReader) {
	defer close(s.done)
	// Closed, not given a deadline: the reader sets deadlines itself and would undo it.
	stop := context.AfterFunc(ctx, r.wire.Abort)
	a := newAssembler(ctx, r.cfg, s.queue)
	defer a.close()
	err := r.read(a)
	if !stop() {
		err = context.Cause(ctx)
	}
	r.wire.Abort()
	s.queue.fail(fmt.Errorf("read binary log of %s: %w", r.cfg.Dialer.Address, streamError(err)))
}

// Next implements db.Stream. Without a part the position moves over what was passed over: tables that are not routed,
// for hours perhaps.
func (s *stream) Next(ctx context.Context, wait time.Duration) (*db.Part, error) {
	part, err := s.await(ctx, wait)
	if part == nil {
		s.queue.idle()
	}
	return part, err
}

// await takes a part, or nil when there is none within wait.
func (s *stream) await(ctx context.Context, wait time.Duration) (*db.Part, error) {
	part, err := s.queue.next()
	if part != nil || err != nil || wait <= 0 {
		return part, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-timer.C:
			return s.queue.next()
		case <-s.queue.ready:
			if part, err := s.queue.next(); part != nil || err != nil {
				return part, err
			}
		}
	}
}

// Position implements db.Stream.
func (s *stream) Position() db.Position { return db.Position(s.queue.position()) }

// Close implements db.Stream. It may be called twice and by another goroutine than Next's.
func (s *stream) Close() error {
	s.once.Do(func() { s.cancel(errStreamClosed) })
	<-s.done
	return nil
}

// streamError tells a log that no longer reaches back from other errors of reading it. The server has one number for
// all (1236, ER_MASTER_FATAL_ERROR_READING_BINLOG), so its text must be read. The texts are those of all versions of
// both families. An unknown text is no kind: to copy everything anew on a misunderstanding would be worse than to stop.
func streamError(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, db.ErrUnsupported), errors.Is(err, db.ErrPositionGone):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: nothing heard from the server: %w", db.ErrConnection, err)
	case wire.Number(err) != wire.FatalBinlog:
		return wire.Classify(err)
	}
	text := strings.ToLower(err.Error())
	for _, gone := range []string{
		"purged", "could not find first log", "missing", "impossible position", "more gtids", "position > file size",
		"not in the master's binlog", "could not find gtid", "could not open log file", "no such file",
	} {
		if strings.Contains(text, gone) {
			return fmt.Errorf("%w: %w", db.ErrPositionGone, err)
		}
	}
	if strings.Contains(text, "same server_uuid") || strings.Contains(text, "same server_id") {
		return fmt.Errorf("%w: %w", db.ErrConnection, err)
	}
	return err
}
