package mysql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

const (
	// streamHeartbeat is how often an idle server says where its log ends.
	streamHeartbeat = time.Second
	// streamPart bounds a part: large enough to make the cost of handing over vanish, small enough to hold several.
	streamPart = 4 << 20
	// streamParts bounds how many full parts wait for the consumer.
	streamParts = 4
	// streamPatience is how long the server shall wait for a consumer that applies slowly, before it gives the
	// connection up: its own limit, net_write_timeout, is one minute.
	streamPatience = time.Hour
	// streamBig is the packet buffer that is kept from one packet to the next; a larger one is given back.
	streamBig = 4 << 20
)

// streamConfig says where to read a log from.
type streamConfig struct {
	server    *Config // how to connect; ServerID must be set
	mariadb   bool
	from      position
	routes    []*route.Route
	follows   func(schema.Name) bool // further names whose schema changes matter
	flavor    schema.Flavor
	since     map[*route.Route]position // what the rows of a route hold already
	heartbeat time.Duration             // 0: streamHeartbeat
	maxPart   int                       // bytes of a part; 0: streamPart
	serverTag string                    // identity of the server, for the file and offset of positions
}

// byFile tells whether the log is to be opened at the position's file and offset.
func (c *streamConfig) byFile() bool {
	here := c.from.file != "" && (c.from.server == c.serverTag || c.from.server == "")
	return here || c.from.gtid == nil || c.from.gtid.empty()
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

// openStream starts to read the log after a position. The stream ends with ctx, or with Close.
func openStream(ctx context.Context, cfg streamConfig) (db.Stream, error) {
	if cfg.heartbeat == 0 {
		cfg.heartbeat = streamHeartbeat
	}
	if cfg.maxPart == 0 {
		cfg.maxPart = streamPart
	}
	if cfg.from.IsZero() {
		return nil, errors.New("open binary log: no position to start from")
	}
	w, err := dialSame(ctx, cfg.server, cfg.mariadb, cfg.serverTag, "SET SESSION "+wholeSession())
	if err != nil {
		return nil, fmt.Errorf("open binary log: %w", err)
	}
	r := &binlogReader{cfg: &cfg, wire: w}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open binary log of %s at %s: %w", cfg.server.Address(), cfg.from, streamError(err)), w.close())
	}
	s := &stream{queue: newStreamQueue(cfg.from, cfg.serverTag, streamParts*cfg.maxPart), done: make(chan struct{})}
	ctx, s.cancel = context.WithCancelCause(ctx)
	go s.run(ctx, r)
	return s, nil
}

func (s *stream) run(ctx context.Context, r *binlogReader) {
	defer close(s.done)
	// Closed, not given a deadline: the reader sets deadlines itself and would undo it.
	stop := context.AfterFunc(ctx, func() { _ = r.wire.nc.Close() })
	a := newAssembler(ctx, r.cfg, s.queue)
	defer a.close()
	err := r.read(a)
	if !stop() {
		err = context.Cause(ctx)
	}
	_ = r.wire.nc.Close()
	s.queue.fail(fmt.Errorf("read binary log of %s: %w", r.cfg.server.Address(), streamError(err)))
}

// Next implements db.Stream.
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

// streamError tells a log that no longer reaches back from other errors of reading it. The server has one number for all
// (ER_MASTER_FATAL_ERROR_READING_BINLOG), so its text must be read.
func streamError(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, db.ErrUnsupported), errors.Is(err, db.ErrPositionGone):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: nothing heard from the server: %w", db.ErrConnection, err)
	case number(err) != errFatalBinlog:
		return classify(err)
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
