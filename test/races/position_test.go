package races

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

const (
	committers = 8
	readings   = 300 // at most: on MariaDB a position takes longer the fuller the log file is
	fewest     = 5
	looking    = 3 * time.Second
	apart      = 2 * time.Millisecond
)

// place is where a position is in the log of one server.
type place struct {
	gtids  []span // MySQL: numbers of this server's transactions; MariaDB: one span from 1
	file   string
	offset uint64
}

type span struct{ first, last uint64 }

var (
	filePart  = regexp.MustCompile(`\bfile=([^ :]+):(\d+)`)
	mysqlGTID = regexp.MustCompile(`([0-9a-f]{8}-[0-9a-f-]{27})((?::\d+(?:-\d+)?)+)`)
	mariaGTID = regexp.MustCompile(`\b(\d+)-(\d+)-(\d+)`)
	intervals = regexp.MustCompile(`:(\d+)(?:-(\d+))?`)
)

// parsePlace reads what these tests need to know of a position, apart from wherry's own reading. id is the server's
// UUID, or MariaDB's server number.
func parsePlace(t *testing.T, pos db.Position, id string) (p place) {
	t.Helper()
	if m := filePart.FindStringSubmatch(pos.String()); m != nil {
		p.file, p.offset = m[1], parseUint(t, m[2])
	}
	for _, m := range mysqlGTID.FindAllStringSubmatch(pos.String(), -1) {
		for _, i := range intervals.FindAllStringSubmatch(m[2], -1) {
			if m[1] == id {
				s := span{parseUint(t, i[1]), parseUint(t, i[1])}
				if i[2] != "" {
					s.last = parseUint(t, i[2])
				}
				p.gtids = append(p.gtids, s)
			}
		}
	}
	if p.gtids == nil {
		gtid, _, _ := strings.Cut(pos.String(), " ")
		for _, m := range mariaGTID.FindAllStringSubmatch(gtid, -1) {
			// numbers of other domains, which other tests may have used, say nothing of these
			if m[1] == "0" && m[2] == id {
				p.gtids = append(p.gtids, span{1, parseUint(t, m[3])})
			}
		}
	}
	return p
}

func parseUint(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	require.NoError(t, err)
	return n
}

func (p place) holds(number uint64) bool {
	for _, s := range p.gtids {
		if s.first <= number && number <= s.last {
			return true
		}
	}
	return false
}

// contains tells whether a transaction is at or before the place, by its number if the place has numbers, else by the
// file.
func (p place) contains(tx logged) bool {
	if len(p.gtids) > 0 && tx.number > 0 {
		return p.holds(tx.number)
	}
	return p.reaches(tx.file, tx.offset)
}

func (p place) reaches(file string, offset uint64) bool {
	return p.file > file || p.file == file && p.offset >= offset
}

// logged is one transaction of the application, with its place in the log.
type logged struct {
	client, n int
	number    uint64
	file      string
	offset    uint64
}

// reading is a position and what a read saw that was made right after it, or right before.
type reading struct {
	at  place
	saw [committers]int
}

// TestSafePosition looks for transactions that are at or before a position and not visible to a read after it. A safe
// position has none; the end of the log has, which is counted, because it shows that the test could have seen some.
func TestSafePosition(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		w := newWorld(t, source, target, "CREATE TABLE t (client INT PRIMARY KEY, n INT NOT NULL)")
		for i := range committers {
			w.app.Exec(t, fmt.Sprintf("INSERT t VALUES (%d, 0)", i))
		}
		query, end := "SELECT @@server_uuid", "SHOW BINARY LOG STATUS"
		if source.Flavor == lab.MariaDB {
			query, end = "SELECT @@server_id", "SHOW MASTER STATUS"
		}
		var id string
		require.NoError(t, w.app.DB.QueryRowContext(w.ctx, query).Scan(&id))
		begin, err := w.source.SafePosition(w.ctx)
		require.NoError(t, err)

		var safe, naive, heads []reading
		w.committing(func() {
			for began := time.Now(); len(heads) < readings && time.Since(began) < looking; {
				pos, err := w.source.SafePosition(w.ctx)
				require.NoError(t, err)
				safe = append(safe, reading{parsePlace(t, pos, id), w.visible()})
				time.Sleep(apart)

				at := w.end(end)
				naive = append(naive, reading{at, w.visible()})
				time.Sleep(apart)

				saw := w.visible()
				head, err := w.source.Head(w.ctx)
				require.NoError(t, err)
				heads = append(heads, reading{parsePlace(t, head, id), saw})
			}
		})

		log := w.log(begin, id)
		require.Greater(t, len(log), 2*len(heads), "transactions of the application in the log")
		require.GreaterOrEqual(t, len(heads), fewest, "readings")
		committed := 0
		for _, n := range w.visible() {
			committed += n
		}
		require.LessOrEqual(t, len(log), committed, "the log tells each transaction once")
		var held, missed, late, unseen int
		for _, tx := range log {
			for _, r := range safe {
				if !r.at.contains(tx) {
					continue
				}
				held++
				if r.saw[tx.client] < tx.n {
					missed++
					if missed < 5 {
						t.Logf("missed: %+v at or before %+v, which saw %v", tx, r.at, r.saw)
					}
				}
			}
			for _, r := range naive {
				if r.at.reaches(tx.file, tx.offset) && r.saw[tx.client] < tx.n {
					late++
				}
			}
			for _, r := range heads {
				if r.saw[tx.client] >= tx.n && !r.at.contains(tx) {
					unseen++
				}
			}
		}
		assert.Positive(t, held, "transactions at or before a safe position")
		assert.Zero(t, missed, "transactions at or before a safe position that a later read missed")
		assert.Zero(t, unseen, "transactions that a read had seen and the head, asked for later, did not hold")
		t.Logf("%d transactions, %d readings: missed after a safe position %d, after the end of the log %d; seen "+
			"before a head and not in it %d",
			len(log), len(heads), missed, late, unseen)
	})
}

// committing runs f while clients commit without a pause.
func (w *world) committing(f func()) {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.ctx)
	defer stop()
	var group errgroup.Group
	for client := range committers {
		group.Go(func() error {
			conn, err := w.app.DB.Conn(ctx)
			if err != nil {
				return err
			}
			defer conn.Close()
			for ctx.Err() == nil {
				_, err := conn.ExecContext(ctx, fmt.Sprintf("BEGIN; UPDATE t SET n = n + 1 WHERE client = %d; COMMIT",
					client))
				if err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
	f()
	stop()
	require.NoError(w.t, group.Wait())
}

// visible returns how far each client's commits are visible now.
func (w *world) visible() (saw [committers]int) {
	w.t.Helper()
	rows, err := w.app.DB.QueryContext(w.ctx, "SELECT client, n FROM t")
	require.NoError(w.t, err)
	defer rows.Close()
	clients := 0
	for ; rows.Next(); clients++ {
		var client, n int
		require.NoError(w.t, rows.Scan(&client, &n))
		saw[client] = n
	}
	require.NoError(w.t, rows.Err())
	require.Equal(w.t, committers, clients, "rows of the table")
	return saw
}

// end returns the end of the log, as an administrator would ask for it.
func (w *world) end(statement string) (p place) {
	w.t.Helper()
	rows, err := w.app.DB.QueryContext(w.ctx, statement)
	require.NoError(w.t, err)
	defer rows.Close()
	require.True(w.t, rows.Next())
	columns, err := rows.Columns()
	require.NoError(w.t, err)
	rest := make([]any, len(columns))
	for i := range rest {
		rest[i] = new(sql.RawBytes)
	}
	rest[0], rest[1] = &p.file, &p.offset
	require.NoError(w.t, rows.Scan(rest...))
	require.NoError(w.t, rows.Err())
	return p
}

// log returns the application's transactions since a position. Numbers of transactions grow in the order of the log.
func (w *world) log(begin db.Position, id string) (all []logged) {
	w.t.Helper()
	goal, err := w.source.Head(w.ctx)
	require.NoError(w.t, err)
	stream, err := w.source.Stream(w.ctx, begin, w.routes, nil)
	require.NoError(w.t, err)
	defer stream.Close()
	for {
		part, err := stream.Next(w.ctx, time.Second)
		require.NoError(w.t, err)
		if part != nil {
			require.True(w.t, part.End, "small transactions come whole")
			at := parsePlace(w.t, stream.Position(), id)
			var number uint64
			if n := len(at.gtids); n > 0 {
				number = at.gtids[n-1].last
			}
			for _, c := range part.Changes {
				if c.Route.Source.Name().Table == "t" {
					all = append(all, logged{
						client: int(parseUint(w.t, string(c.After[0]))), n: int(parseUint(w.t, string(c.After[1]))),
						number: number, file: at.file, offset: at.offset,
					})
				}
			}
		}
		reached, err := w.source.Reached(stream.Position(), goal)
		require.NoError(w.t, err)
		if reached {
			return all
		}
	}
}
