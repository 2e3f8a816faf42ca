package dbtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// The databases that the suite uses. A harness makes the first on the source and sees to it that the second is absent
// on the target (the suite makes it by the dialect's statements). Source and target may be one server: names must not
// collide.
const (
	SourceDatabase = "dbtest_source"
	TargetDatabase = "dbtest_target"
)

// Harness is how the suite reaches an engine. Whatever is opened ends with t.
type Harness struct {
	// Source opens a source whose SourceDatabase is there and empty, and a writer to it, which must have a connection
	// of its own: what it writes must not be visible to the source before it commits.
	Source func(t *testing.T) (db.Source, Writer)
	// Target opens a target without TargetDatabase and without bookkeeping of the move. What an earlier run left is
	// removed.
	Target func(t *testing.T) db.Target
	// Reopen opens the same target and move once more, as another process would, and changes nothing.
	Reopen func(t *testing.T) db.Target
	// Purge removes the source's log up to now; nil where a test must not, because others use the server.
	Purge func(t *testing.T)
	// Fences are the kinds to try.
	Fences []db.FenceKind
	// NoZero tells that the target's text does not hold the character 0x00: the suite sees it refused.
	NoZero bool
	// NoTriggers tells that the target takes no triggers of the source's language.
	NoTriggers bool
	// Large is how many rows of about 100 bytes make a transaction that is streamed in several parts; 0: 1,000. A real
	// engine has parts of megabytes and needs more.
	Large int
}

// Spec is a table in no language. A harness's Writer turns it into a CREATE TABLE of its engine. It has only what
// every engine has: types and attributes of one engine are tested beside that engine.
type Spec struct {
	Name      schema.Name
	Columns   []ColumnSpec
	Key       []string // the primary key; empty: none
	Unique    []string // columns with a unique index each
	Index     []string // columns with a plain index each
	Parent    schema.Name
	ParentKey string // when Parent is given: a foreign key of the column of that name, to the same in Parent
}

// ColumnSpec is a column: Integer (64 bits), Varchar (200 characters of Unicode) or Varbinary (300 bytes).
type ColumnSpec struct {
	Name      string
	Kind      schema.Kind
	Null      bool
	Automatic bool
	Charset   string // of a Varchar; empty: one that has all of Unicode. What is written is UTF-8 all the same
}

// Write is the insert (Before nil), update or delete (After nil) of one whole row, in the order of the table's
// columns. Without a key, Before tells which row: one that is equal to it.
type Write struct {
	Table         schema.Name
	Before, After db.Row
}

// Writer is the application whose writes are followed. It is safe for concurrent use. It is no part of the engine
// under test: the suite compares what the engine reads with what was written here.
type Writer interface {
	Create(ctx context.Context, spec Spec) error
	// AddColumn adds a nullable integer column at the end.
	AddColumn(ctx context.Context, table schema.Name, column string) error
	// CreateView makes a view that shows every column of a table.
	CreateView(ctx context.Context, view, table schema.Name) error
	Begin(ctx context.Context) (WriteTx, error)
}

// WriteTx is a transaction of a Writer. Its writes are refused or wait when a fence is up, and then end with their
// ctx. What ended with an error is rolled back at the latest when its ctx is over: a transaction that stays open
// would hold up every later case.
type WriteTx interface {
	Write(ctx context.Context, w ...Write) error
	Commit(ctx context.Context) error
	Rollback() error
}

// Run is the conformance suite: what phases rely on, of any engine. Every case is independent of the others and makes
// its own tables, so one can be run alone.
func Run(t *testing.T, h Harness) {
	if h.Large == 0 {
		h.Large = 1000
	}
	for _, c := range []struct {
		name string
		test func(b *bench)
	}{
		{"tables are described", testTables},
		{"reads agree with each other and with what was written", testReads},
		{"text in another character set", testCharsets},
		{"empty table", testEmptyTable},
		{"table without key", testKeyless},
		{"stream has transactions in order with full images", testStream},
		{"stream resumes after every transaction", testResume},
		{"stream passes over what is not routed", testPassedOver},
		{"large transaction comes in parts", testLarge},
		{"rolled back transaction leaves nothing", testRolledBack},
		{"safe position is visible", testSafePosition},
		{"position is not ahead of an open transaction", testOpenTransaction},
		{"schema change is reported", testStreamDDL},
		{"purged log is reported", testPurged},
		{"ledger facts", testFacts},
		{"ledger chunks", testChunks},
		{"ledger records", testRecords},
		{"tables of others are left alone", testNotOwned},
		{"begin", testBegin},
		{"seal", testSeal},
		{"load is atomic", testLoad},
		{"load refuses what is there", testLoadDuplicate},
		{"load displaces unique values", testLoadDisplaces},
		{"load displaces by two indexes", testLoadDisplacesTwice},
		{"load by several", testLoadConcurrent},
		{"snapshot of the source", testSourceSnapshot},
		{"snapshot of the source is exact while others commit", testSourceSnapshotExact},
		{"snapshot of the target", testTargetSnapshot},
		{"load from a snapshot", testLoadSnapshot},
		{"apply", testApply},
		{"apply without key", testApplyKeyless},
		{"apply without key goes by bytes", testKeylessBytes},
		{"apply without key to many copies", testKeylessCopies},
		{"apply without key refuses what is lacking", testKeylessLacking},
		{"apply without key in pieces", testKeylessPieces},
		{"apply without key hands unique values on", testKeylessUnique},
		{"apply moves unique values", testApplyUnique},
		{"rows that reference others are found", testReferencing},
		{"rows that reference others are found some at a time", testReferencingMany},
		{"rows that reference nothing are counted", testOrphans},
		{"applier lock", testApplierLock},
		{"no commit after seal", testApplySealed},
		{"no commit after seal by several workers", testApplySealedWorkers},
		{"repair beside an applier", testRepair},
		{"tables are created, indexed and compared", testCreate},
		{"tables are altered", testAlter},
		{"objects are listed, made and dropped", testObjects},
		{"statements are tried in scratch databases", testScratch},
		{"fence", testFence},
		{"fence survives a restart", testFenceRestart},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(newBench(t, h)) })
	}
}

// patience is how long the suite waits for something that does not move. A busy machine makes everything slow, so it
// is long: it ends a test that hangs, and measures nothing.
const patience = 2 * time.Minute

// bench is what one case works with. The source and target are opened when first asked for: a case of one end needs
// no other.
type bench struct {
	*testing.T
	h   Harness
	ctx context.Context
	src db.Source
	w   Writer
	tgt db.Target
}

func newBench(t *testing.T, h Harness) *bench {
	return &bench{T: t, h: h, ctx: t.Context()}
}

func (b *bench) source() db.Source {
	if b.src == nil {
		b.src, b.w = b.h.Source(b.T)
	}
	return b.src
}

func (b *bench) target() db.Target {
	if b.tgt == nil {
		b.tgt = b.h.Target(b.T)
	}
	return b.tgt
}

// create makes a table on the source and returns its route to itself, for tests that only read.
func (b *bench) create(spec Spec) *route.Route {
	b.Helper()
	b.source()
	require.NoError(b, b.w.Create(b.ctx, spec))
	table := b.describe(b.src, spec.Name)
	r, err := route.New(table, table, "")
	require.NoError(b, err)
	return r
}

// move makes a table on both ends and returns the route from one to the other. The target's has no indexes but what
// it was created with; foreign keys are left out.
func (b *bench) move(spec Spec) *route.Route {
	b.Helper()
	source := b.create(spec).Source.Table
	to := targetName(spec.Name)
	plan := b.plan(source)
	require.NoError(b, b.target().Ledger().Create(b.ctx))
	b.execute(b.tgt.Dialect().CreateDatabase(to.Database, ""))
	b.execute(b.tgt.Dialect().CreateTable(plan, false)...)
	return b.route(source)
}

// route leads a table to the target's as that is described. Which column is for which only the plan tells.
func (b *bench) route(source *schema.Table) *route.Route {
	b.Helper()
	plan, table := b.plan(source), b.describe(b.tgt, targetName(source.Name))
	for i := range plan.Columns {
		if at := table.Column(plan.Columns[i].Name); at >= 0 {
			table.Columns[at].From = plan.Columns[i].From
		}
	}
	r, err := route.New(source, table, "")
	require.NoError(b, err)
	return r
}

// plan is the table that a move would make for one of the source. A loss that cannot be allowed would be a fault of
// the suite.
func (b *bench) plan(source *schema.Table) *schema.Table {
	b.Helper()
	plan, losses, err := b.target().Dialect().Map(source, targetName(source.Name), targetName)
	require.NoError(b, err)
	for _, loss := range losses {
		require.NotEqual(b, schema.Fatal, loss.Grade, "%+v", loss)
	}
	return plan
}

// targetName is another name than the source's, so that a mix-up of the two ends is noticed.
func targetName(n schema.Name) schema.Name {
	return schema.Name{Database: TargetDatabase, Table: n.Table + "_moved"}
}

// describe reads one table, which must be there.
func (b *bench) describe(r db.Reader, name schema.Name) *schema.Table {
	b.Helper()
	tables, err := r.Tables(b.ctx, func(n schema.Name) bool { return n == name })
	require.NoError(b, err)
	require.Len(b, tables, 1, "table %s", name)
	return tables[0]
}

func (b *bench) execute(statements ...string) {
	b.Helper()
	for _, statement := range statements {
		require.NoError(b, b.target().Execute(b.ctx, statement))
	}
}

// write runs writes in one transaction.
func (b *bench) write(writes ...Write) {
	b.Helper()
	require.NoError(b, b.try(b.ctx, writes...))
}

// try runs writes in one transaction and returns its error: under a fence it is the error that is wanted.
func (b *bench) try(ctx context.Context, writes ...Write) error {
	tx, err := b.w.Begin(ctx)
	if err != nil {
		return err
	}
	if err = tx.Write(ctx, writes...); err == nil {
		err = tx.Commit(ctx)
	}
	if err != nil {
		_ = tx.Rollback() // the error before says why
	}
	return err
}

// insert writes rows into a table in one transaction.
func (b *bench) insert(table schema.Name, rows ...db.Row) {
	b.Helper()
	writes := make([]Write, len(rows))
	for i, row := range rows {
		writes[i] = Write{Table: table, After: row}
	}
	b.write(writes...)
}

// rows reads a range to its end.
func (b *bench) rows(r db.Reader, rel *route.Relation, rng db.Range) []db.Row {
	b.Helper()
	rows, err := r.Rows(b.ctx, rel, rng)
	require.NoError(b, err)
	all, err := db.ReadAll(rows)
	require.NoError(b, err)
	return all
}

// holds asserts that a table has exactly the rows, in whatever order.
func (b *bench) holds(r db.Reader, rel *route.Relation, want ...db.Row) {
	b.Helper()
	assert.ElementsMatch(b, texts(want), texts(b.rows(r, rel, db.Range{})), "rows of %s", rel.Name())
}

// texts makes rows comparable: ElementsMatch would take nil and the empty string for the same value.
func texts(rows []db.Row) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = show(row)
	}
	return out
}

func name(table string) schema.Name { return schema.Name{Database: SourceDatabase, Table: table} }

// items is a table with the usual integer key: id, label, code (unique, may be NULL). The unique column is what makes
// applying hard, the NULL is what leaves it.
func items() Spec {
	return Spec{
		Name: name("items"), Key: []string{"id"}, Unique: []string{"code"}, Index: []string{"label"},
		Columns: []ColumnSpec{
			{Name: "id", Kind: schema.Integer},
			{Name: "label", Kind: schema.Varchar, Null: true},
			{Name: "code", Kind: schema.Integer, Null: true},
		},
	}
}
