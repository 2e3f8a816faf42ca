package binlog

import (
	"context"
	"fmt"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"
	"github.com/klauspost/compress/zstd"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// assembler turns events into parts of transactions. It is used by the stream's goroutine alone. In the log a
// transaction is a run of events, which never mixes with another one:
//
//	GTID, Query "BEGIN", Table_map, Write_rows, Table_map, Update_rows, .., Xid
type assembler struct {
	cfg     *Config
	ctx     context.Context //nolint:containedctx // the goroutine's, for a push that blocks deep in an event
	queue   *streamQueue
	mariadb bool
	maxPart int
	routes  map[string]*route.Route // by name, database and table parted by a zero byte
	since   map[*route.Route]Position
	server  string // the tag of the server that the log is read from
	queries *queries
	texts   StatementDecoder

	at    place // the end of the event being handled
	floor place // the file position that the stream started from: marks do not go back behind it
	skip  bool  // drop events until floor
	seeks bool  // opened by GTIDs, and nothing that they lack was seen yet: where the file is read from says nothing

	idSize   int                           // bytes of a table number
	maps     []openMap                     // table maps of the statement
	tables   map[*route.Route]*decodeTable // decoders, kept while their maps stay the same
	known    bool                          // the position's set of transactions is whole
	before   GTIDs                         // all transactions before those of this file; nil when it does not say
	group    group
	prepared map[string]preparedGroup // XA transactions whose outcome was not seen yet, by name
	part     *db.Part
	decoder  decoder
	partial  partialImages
	unzip    *zstd.Decoder
	inner    []byte // an event within a compressed transaction
}

// place is an offset in a file. Offsets are 64 bits here, though headers have 32.
type place struct {
	file   string
	offset uint64
}

// openMap is a table number in force; table is nil when it is not routed. Rows events name their table by number only.
// A number is valid until the statement ends, and may then stand for another table.
type openMap struct {
	id    uint64
	table *decodeTable
}

// group is the events that commit together. It is the zero value between transactions.
type group struct {
	open       bool   // its first event was seen
	from       place  // where that is
	begun      bool   // it ends with a commit; else the first statement is all of it
	anonymous  bool   // it has no GTID though it could have one
	permanent  string // a changed table whose engine cannot roll back
	alter      uint64 // flags of a two-phase ALTER TABLE (MariaDB 10.8, MDEV-11675)
	run        GTIDRun
	hasRun     bool
	time       time.Time
	changes    int                   // how many changes of routed tables it has so far
	passed     map[*route.Route]bool // tables whose rows hold it already, or not, as far as asked
	sent       bool                  // a part of it was handed over
	savepoints map[string]int
}

// newAssembler prepares an assembler for the place where the log is opened. What it knows of sessions' temporary
// tables comes from the position: without it, a restart would take their TRUNCATE for one of a real table.
func newAssembler(ctx context.Context, cfg *Config, queue *streamQueue) *assembler {
	a := &assembler{
		cfg: cfg, ctx: ctx, queue: queue, mariadb: cfg.Flavor.Family == schema.MariaDB, maxPart: cfg.part(),
		routes: make(map[string]*route.Route, len(cfg.Routes)), tables: make(map[*route.Route]*decodeTable),
		queries: newQueries(cfg.names(), cfg.Follows, cfg.Flavor), idSize: 6,
		since: cfg.since, server: cfg.Tag, texts: cfg.Decode,
	}
	a.queries.temporary, a.queries.server, a.queries.since = cfg.From.temporary, cfg.SourceID, cfg.Sessions.since()
	for _, r := range cfg.Routes {
		name := r.Source.Name()
		a.routes[name.Database+"\x00"+name.Table] = r
	}
	if cfg.From.File != "" && (cfg.From.Server == cfg.Tag || cfg.From.Server == "") {
		a.floor = place{cfg.From.File, cfg.From.Offset}
	}
	a.known = cfg.From.GTIDs != nil && !cfg.From.GTIDs.Empty()
	a.seeks = !cfg.byFile()
	// The dump command has 32 bits for the offset. Beyond that the file is read from its start, and events are
	// dropped.
	a.skip = cfg.byFile() && cfg.From.Offset > 1<<32-1
	return a
}

// close gives up what the assembler holds besides memory.
func (a *assembler) close() {
	if a.unzip != nil {
		a.unzip.Close()
	}
}

// handle takes one event.
func (a *assembler) handle(e *logEvent) error {
	a.advance(e)
	if a.skip && a.skipped(e) {
		return nil
	}
	switch e.kind {
	case replication.ROTATE_EVENT:
		return a.rotate(e)
	case replication.FORMAT_DESCRIPTION_EVENT:
		return a.format(e)
	case replication.HEARTBEAT_EVENT, replication.HEARTBEAT_LOG_EVENT_V2:
		return a.heartbeat(e)
	case replication.PREVIOUS_GTIDS_EVENT, replication.MARIADB_GTID_LIST_EVENT:
		return a.previous(e)
	case replication.GTID_EVENT, replication.ANONYMOUS_GTID_EVENT, replication.GTID_TAGGED_LOG_EVENT,
		replication.MARIADB_GTID_EVENT:
		return a.begin(e)
	case replication.TRANSACTION_PAYLOAD_EVENT:
		return a.payload(e)
	default:
		return a.change(e)
	}
}

// change takes an event that may be part of a transaction's payload. An event type that is not known is an error,
// unless the server marks it as one that a reader may ignore: guessing could lose rows.
func (a *assembler) change(e *logEvent) error {
	switch e.kind {
	case replication.TABLE_MAP_EVENT:
		return a.tableMap(e)
	case replication.WRITE_ROWS_EVENTv0, replication.UPDATE_ROWS_EVENTv0, replication.DELETE_ROWS_EVENTv0,
		replication.WRITE_ROWS_EVENTv1, replication.UPDATE_ROWS_EVENTv1, replication.DELETE_ROWS_EVENTv1,
		replication.WRITE_ROWS_EVENTv2, replication.UPDATE_ROWS_EVENTv2, replication.DELETE_ROWS_EVENTv2,
		replication.PARTIAL_UPDATE_ROWS_EVENT, replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1,
		replication.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1, replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1:
		return a.rows(e)
	case replication.QUERY_EVENT, replication.MARIADB_QUERY_COMPRESSED_EVENT, replication.EXECUTE_LOAD_QUERY_EVENT:
		return a.query(e)
	case replication.XID_EVENT:
		return a.end(false)
	case replication.XA_PREPARE_LOG_EVENT:
		return a.prepare(e)
	case replication.INCIDENT_EVENT:
		return fmt.Errorf("%w: the source logged an incident, events may be lost", db.ErrUnsupported)
	case replication.STOP_EVENT, replication.INTVAR_EVENT, replication.RAND_EVENT, replication.USER_VAR_EVENT,
		replication.BEGIN_LOAD_QUERY_EVENT, replication.APPEND_BLOCK_EVENT, replication.DELETE_FILE_EVENT,
		replication.IGNORABLE_EVENT, replication.ROWS_QUERY_EVENT, replication.TRANSACTION_CONTEXT_EVENT,
		replication.VIEW_CHANGE_EVENT, replication.MARIADB_ANNOTATE_ROWS_EVENT,
		replication.MARIADB_BINLOG_CHECKPOINT_EVENT,
		replication.MARIADB_START_ENCRYPTION_EVENT:
	default:
		if e.flags&replication.LOG_EVENT_IGNORABLE_F == 0 {
			return fmt.Errorf("%w: event type %d is unknown to this version", db.ErrUnsupported, e.kind)
		}
	}
	a.pass(nil)
	return nil
}
