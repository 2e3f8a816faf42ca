package races

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"wherry/pkg/copy"
	"wherry/pkg/replicate"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
	"wherry/test/internal/harness"
)

const (
	accounts = 200
	balance  = 1000
	writers  = 4
	under    = 1500 * time.Millisecond // load
)

// TestTransactionBoundaries transfers money between accounts on the source, in transactions of one to a few hundred
// changes, and reads the target all the while: the sum never changes there, and each account is what its journal says.
func TestTransactionBoundaries(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		for _, mode := range []struct {
			name string
			replicate.Options
		}{
			{"small batches", replicate.Options{BatchRows: 20, BatchBytes: 4 << 10}},
			{"large batches", replicate.Options{}},
		} {
			t.Run(mode.name, func(t *testing.T) {
				w := bank(t, source, target)
				w.copy(copy.Options{ChunkRows: 50})
				following, stop := context.WithCancel(w.ctx)
				defer stop()
				var group errgroup.Group
				var transactions int64
				o := mode.Options
				o.Report = func(p replicate.Progress) { transactions = p.Transactions }
				group.Go(func() error {
					if err := w.replicator(o).Run(following); !errors.Is(err, context.Canceled) {
						return err
					}
					return nil
				})
				looks := w.transfers(func() error { return w.sound(following) })
				stop()
				require.NoError(t, group.Wait())
				require.NoError(t, w.sound(w.ctx))
				w.follow(replicate.Options{})
				require.NoError(t, w.sound(w.ctx))
				w.same()
				t.Logf("%d source transactions applied while the target was read %d times", transactions, looks)
				assert.Positive(t, looks)
				assert.Positive(t, transactions)
			})
		}
	})
}

// TestCopyUnderTransfers copies while money is transferred: what the copy leaves behind is a state that the source had.
func TestCopyUnderTransfers(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		w := bank(t, source, target)
		w.transfers(func() error {
			if w.moments.chunk == 0 {
				w.copy(copy.Options{Workers: 1, ChunkRows: 5})
			}
			return w.sound(w.ctx)
		})
		w.follow(replicate.Options{})
		require.NoError(t, w.sound(w.ctx))
		w.same()
	})
}

func bank(t *testing.T, source, target *harness.Server) *world {
	t.Helper()
	w := newWorld(t, source, target,
		"CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL, slot INT NOT NULL, UNIQUE KEY slot (slot))",
		"CREATE TABLE journal (id BIGINT PRIMARY KEY AUTO_INCREMENT, account INT NOT NULL, amount INT NOT NULL, KEY "+
			"account (account))")
	for i := range accounts {
		w.app.Exec(t,
			fmt.Sprintf("INSERT account VALUES (%d, %d, %d); INSERT journal (account, amount) VALUES (%d, %d)", i,
				balance, i, i, balance))
	}
	return w
}

// transfers runs load for a while and look in a loop beside it. It returns how often it looked.
func (w *world) transfers(look func() error) (looks int) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, under)
	defer stop()
	var group errgroup.Group
	for i := range writers {
		random := rand.New(rand.NewPCG(uint64(i), 7))
		group.Go(func() error {
			for ctx.Err() == nil {
				_, err := w.app.DB.ExecContext(w.ctx, transfer(random))
				var refused *mysql.MySQLError
				// a deadlock rolls back all of it
				if err != nil && (!errors.As(err, &refused) || refused.Number != 1213) {
					return err
				}
			}
			return nil
		})
	}
	for ctx.Err() == nil {
		require.NoError(w.t, look())
		looks++
	}
	require.NoError(w.t, group.Wait())
	return looks
}

// transfer moves money between neighbours, in key order so that deadlocks are few, and lets two accounts of a pair
// exchange their slots, whose values are unique.
func transfer(random *rand.Rand) string {
	first := random.IntN(accounts / 2)
	n := 1
	if random.IntN(20) == 0 {
		n = accounts/2 - first
	}
	text := "BEGIN;"
	for pair := first; pair < first+n; pair++ {
		a, b, amount := 2*pair, 2*pair+1, 1+random.IntN(50)
		text += fmt.Sprintf("UPDATE account SET balance = balance - %d WHERE id = %d; UPDATE account SET balance = "+
			"balance + %d WHERE id = %d;"+
			"INSERT journal (account, amount) VALUES (%d, %d), (%d, %d);", amount, a, amount, b, a, -amount, b, amount)
		if random.IntN(3) == 0 {
			text += fmt.Sprintf("SELECT slot INTO @a FROM account WHERE id = %d; SELECT slot INTO @b FROM account "+
				"WHERE id = %d;"+
				"UPDATE account SET slot = -1 - id WHERE id = %d; UPDATE account SET slot = @a WHERE id = %d; UPDATE "+
				"account SET slot = @b WHERE id = %d;", a, b, a, b, a)
		}
	}
	return text + "COMMIT"
}

// sound reads the target in one snapshot and returns what no state of the source has ever been.
func (w *world) sound(ctx context.Context) error {
	conn, err := w.look.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT"); err != nil {
		return err
	}
	account, journal := dialect.Quoted(schema.Name{Database: targetName, Table: "account"}),
		dialect.Quoted(schema.Name{Database: targetName, Table: "journal"})
	for _, look := range []struct {
		query string
		want  int64
		what  string
	}{
		{"SELECT COALESCE(SUM(balance), 0) FROM " + account, accounts * balance, "sum of balances"},
		{"SELECT COUNT(*) FROM " + account, accounts, "accounts"},
		{"SELECT COUNT(DISTINCT slot) FROM " + account, accounts, "slots"},
		{"SELECT COUNT(*) FROM " + account + " WHERE slot < 0", 0, "slots within a transaction"},
		{"SELECT COALESCE(SUM(amount), 0) FROM " + journal, accounts * balance, "sum of the journal"},
		{"SELECT COUNT(*) FROM " + account + " a JOIN (SELECT account, SUM(amount) s FROM " + journal +
			" GROUP BY account) j ON j.account = a.id WHERE j.s <> a.balance", 0, "accounts unlike their journal"},
	} {
		var n int64
		if err := conn.QueryRowContext(ctx, look.query).Scan(&n); err != nil {
			return err
		}
		if n != look.want {
			return fmt.Errorf("%s on the target: %d, never other than %d on the source", look.what, n, look.want)
		}
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}
