package binlog

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"

	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
)

// binlogReader reads the events of a log from a connection.
type binlogReader struct {
	cfg      *Config
	wire     *wire.Conn
	checksum bool // events end with a CRC32
}

// newReader connects as a reader of the log.
func newReader(ctx context.Context, cfg Config) (*binlogReader, error) {
	cfg.heartbeat = cmp.Or(cfg.heartbeat, streamHeartbeat)
	if cfg.ServerID == 0 {
		cfg.ServerID = PickServerID()
	}
	w, err := cfg.Dialer.Dial(ctx, wire.Streaming)
	return &binlogReader{cfg: &cfg, wire: w}, err
}

// PickServerID returns an id that no replica is likely to have: people number their servers from 1, or by addresses. A
// second reader with the same id would end the first.
func PickServerID() uint32 { return 1<<30 + rand.Uint32N(1<<30) }

// start asks the server for its log, as a replica does: variables of the session say what the reader understands, then
// comes the dump command. Variables have an old and a new name (master, source); a server reads the one that it knows.
func (r *binlogReader) start(ctx context.Context) error {
	beat := r.cfg.heartbeat.Nanoseconds()
	statements := []string{
		// Aware of checksums: the server sends events as they are in the file.
		"SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum",
		fmt.Sprintf("SET @master_heartbeat_period = %d, @source_heartbeat_period = %d", beat, beat),
	}
	if r.cfg.Flavor.Family == schema.MariaDB {
		// 4: understands GTID events (MariaDB sql/log_event.h, MARIA_SLAVE_CAPABILITY_GTID).
		statements = append(statements, "SET @mariadb_slave_capability = 4")
		if r.byGTID() {
			// Strict: a position that the log does not have is an error, not a guess.
			statements = append(statements,
				"SET @slave_connect_state = '"+r.cfg.From.GTIDs.String()+"'", "SET @slave_gtid_strict_mode = 1")
		}
	} else {
		var id [16]byte
		if _, err := crand.Read(id[:]); err != nil {
			return err
		}
		uuid := string(gtidAppendUUID(nil, id))
		statements = append(statements, "SET @slave_uuid = '"+uuid+"', @replica_uuid = '"+uuid+"'")
	}
	for _, statement := range statements {
		if _, err := r.wire.Exec(ctx, statement); err != nil {
			return err
		}
	}
	r.checksum = true // of artificial events before the first format description, where their own sum decides
	return r.wire.Dump(r.dumpCommand())
}

// byGTID tells whether the log is to be found by transactions: on another server than the position was read from, or
// when it has no file. The file is exact, and found at once: by GTIDs a server reads its log from the start of a
// file.
func (r *binlogReader) byGTID() bool { return !r.cfg.byFile() }

// Flags of the dump commands.
const (
	dumpHeartbeatV2 = 1 << 1 // MySQL: heartbeats carry 64-bit offsets
	dumpAnnotate    = 1 << 1 // MariaDB: send annotations too, so that sizes of events add up to offsets
)

// dumpCommand is COM_BINLOG_DUMP: offset (4 bytes), flags (2), server id (4), file; or COM_BINLOG_DUMP_GTID: flags
// (2), server id (4), length of the file name (4), offset (8), length of the set (4), the set. MariaDB has only the
// first, and takes GTIDs from @slave_connect_state.
func (r *binlogReader) dumpCommand() []byte {
	b := make([]byte, 4, 64)
	if set, ok := r.cfg.From.GTIDs.(*GTIDSet); ok && r.byGTID() {
		encoded := set.encode()
		b = binary.LittleEndian.AppendUint16(append(b, protocol.COM_BINLOG_DUMP_GTID), dumpHeartbeatV2)
		b = binary.LittleEndian.AppendUint32(b, r.cfg.ServerID)
		b = binary.LittleEndian.AppendUint32(b, 0) // length of a file name
		b = binary.LittleEndian.AppendUint64(b, 4)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(encoded))) //nolint:gosec // far below 4 GiB
		return append(b, encoded...)
	}
	file, offset := r.cfg.From.File, max(r.cfg.From.Offset, 4) // a file begins with a magic number of 4 bytes
	if r.byGTID() {
		file, offset = "", 4
	}
	if offset > math.MaxUint32 { // the command has no room for it: read the file from its start and drop what is before
		offset = 4
	}
	b = append(b, protocol.COM_BINLOG_DUMP)
	b = binary.LittleEndian.AppendUint32(b, uint32(offset)) //nolint:gosec // checked above
	flags := uint16(dumpHeartbeatV2)
	if r.cfg.Flavor.Family == schema.MariaDB {
		flags = dumpAnnotate
	}
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = binary.LittleEndian.AppendUint32(b, r.cfg.ServerID)
	return append(b, file...)
}

// logEvent is one event of the log. Its body is valid until the next event is read.
type logEvent struct {
	kind   replication.EventType
	flags  uint16
	when   uint32 // seconds since 1970 by the source's clock
	server uint32 // the server that wrote it first
	size   uint32
	next   uint32 // offset of the following event, modulo 2^32; 0 when it is not given
	body   []byte
}

const (
	eventHeader   = 19
	eventChecksum = 4
)

// artificial tells an event that is not in the file.
func (e *logEvent) artificial() bool { return e.flags&replication.LOG_EVENT_ARTIFICIAL_F != 0 }

// parseEventHeader reads an event's header of 19 bytes: time (4), type (1), server id (4), size (4), offset of the
// next event (4), flags (2). It is false when the size is not that of the data.
func parseEventHeader(data []byte) (logEvent, bool) {
	if len(data) < eventHeader {
		return logEvent{}, false
	}
	e := logEvent{
		when: binary.LittleEndian.Uint32(data), kind: replication.EventType(data[4]),
		server: binary.LittleEndian.Uint32(data[5:]), size: binary.LittleEndian.Uint32(data[9:]),
		next:  binary.LittleEndian.Uint32(data[13:]),
		flags: binary.LittleEndian.Uint16(data[17:]), body: data[eventHeader:],
	}
	return e, int(e.size) == len(data)
}

// errEvent is an event that does not have the form of its kind.
var errEvent = errors.New("invalid event in the binary log")

// read hands every event to the assembler until an error ends the log.
func (r *binlogReader) read(a *assembler) error {
	for {
		event, err := r.next()
		if err != nil {
			return err
		}
		if err := a.handle(&event); err != nil {
			return fmt.Errorf("at %s:%d: %w", a.at.file, a.at.offset, err)
		}
	}
}

// next reads an event. Its body is valid until the following one is read. Ten heartbeats without a word count as a
// lost connection.
func (r *binlogReader) next() (event logEvent, err error) {
	data, err := r.wire.ReadEvent(10 * r.cfg.heartbeat)
	if err != nil {
		return event, err
	}
	event, ok := parseEventHeader(data)
	if !ok {
		return event, errEvent
	}
	return event, r.verify(&event, data)
}

// verify checks an event's CRC32 and cuts it off. Format descriptions always have one (servers since 5.6). Before the
// first of them it is not known whether others do, so an artificial rotation is taken to
// have one if its last four bytes are the right one.
func (r *binlogReader) verify(e *logEvent, data []byte) error {
	if len(e.body) < eventChecksum {
		if r.checksum && e.kind != replication.ROTATE_EVENT {
			return fmt.Errorf("%w: no checksum", errEvent)
		}
		return nil
	}
	upto := len(data) - eventChecksum
	intact := binary.LittleEndian.Uint32(data[upto:]) == crc32.ChecksumIEEE(data[:upto])
	body := e.body[:len(e.body)-eventChecksum]
	switch {
	case e.kind == replication.FORMAT_DESCRIPTION_EVENT:
		r.checksum = len(body) > 0 && body[len(body)-1] == byte(replication.BINLOG_CHECKSUM_ALG_CRC32)
	case e.kind == replication.ROTATE_EVENT && e.artificial() && !intact:
		return nil
	case !r.checksum:
		if e.kind != replication.ROTATE_EVENT || !intact {
			return nil
		}
	}
	if r.checksum && !intact {
		return fmt.Errorf("%w: checksum of event type %d is wrong", errEvent, e.kind)
	}
	e.body = body
	return nil
}
