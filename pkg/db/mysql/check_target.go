package mysql

import (
	"context"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"

	"wherry/pkg/db"
)

// Check returns what is right and wrong with the target.
func (t *Target) Check(ctx context.Context, plan db.Plan) ([]db.Finding, error) {
	l := &targetChecks{checklist: checklist{s: t.server, end: "target"}, t: t}
	return l.each(ctx, plan,
		named{l.product, atFirst}, named{l.sessionSettings, everyPhase}, named{l.sessionVariables, everyPhase},
		named{l.writable, atFirst}, named{l.load, untilCopy}, named{l.packet, untilCopy}, named{l.log, whileWrite},
		named{l.primaryKeys, atFirst},
		named{l.foreignKeys, untilCopy}, named{l.disk, atFirst}, named{l.privileges, atFirst},
		named{l.bookkeeping, atFirst}, named{l.objects, adviceOnly})
}

type targetChecks struct {
	checklist
	t *Target
}

// writable refuses a target that is protected against writes.
func (l *targetChecks) writable(ctx context.Context, _ db.Plan) error {
	for _, name := range []string{"read_only", "super_read_only", "innodb_read_only"} {
		value, err := l.s.variable(ctx, name)
		if err != nil {
			return err
		}
		if value != "" && value != "OFF" {
			l.add(db.Fail, "read_only", "@@"+name, "is "+value, "SET GLOBAL "+name+" = OFF on the target")
			return nil
		}
	}
	l.ok("read_only", "the target takes writes")
	return nil
}

// bookkeeping refuses a database of the bookkeeping's name that is not this move's: cleanup will drop it.
func (l *targetChecks) bookkeeping(ctx context.Context, plan db.Plan) error {
	database := Bookkeeping(plan.Bookkeeping)
	const fix = "give the move another name, or lead the tables to another database"
	for _, r := range plan.Routes {
		if strings.EqualFold(r.Target.Name().Database, database) {
			l.add(db.Fail, "bookkeeping", r.Target.Name().String(), "goes to the database "+database+
				", which the move keeps for itself", fix)
			return nil
		}
	}
	foreign, err := l.t.foreignIn(ctx, database)
	if err != nil {
		return err
	}
	if foreign != "" {
		l.add(db.Fail, "bookkeeping", database, "is a database that this move did not make: it holds "+foreign,
			fix+", or rename it")
		return nil
	}
	l.ok("bookkeeping", database+" is the move's own")
	return nil
}

// load reports how rows will be loaded. INSERT works everywhere and takes longer, so only a configuration that
// demands LOAD DATA is refused.
func (l *targetChecks) load(_ context.Context, plan db.Plan) error {
	switch {
	case plan.LoadMethod == "insert":
		l.ok("local_infile", "not used: copy.load is insert")
	case l.t.localInfile.Load():
		l.ok("local_infile", "rows are loaded by LOAD DATA LOCAL")
	case plan.LoadMethod == "load_data":
		l.add(db.Fail, "local_infile", "@@local_infile", "is OFF, and copy.load is load_data",
			"SET GLOBAL local_infile = ON, or copy.load: auto")
	default:
		l.add(db.Warn, "local_infile", "@@local_infile", "is OFF: rows are copied by INSERT, which is slower",
			"SET GLOBAL local_infile = ON")
	}
	return nil
}

// packet warns of small packets. Whether rows of the source may be larger is another check, which compares both ends.
func (l *targetChecks) packet(_ context.Context, _ db.Plan) error {
	const enough = 16 << 20
	if l.t.maxPacket < enough {
		l.add(db.Warn, "max_allowed_packet", "@@max_allowed_packet", fmt.Sprintf("is %d: statements stay small",
			l.t.maxPacket), "SET GLOBAL max_allowed_packet = 67108864, at least what the source has")
		return nil
	}
	l.ok("max_allowed_packet", fmt.Sprintf("is %d", l.t.maxPacket))
	return nil
}

// log refuses a target whose log cannot take what wherry writes: InnoDB refuses writes in READ COMMITTED, in which
// sessions here write, when binlog_format is STATEMENT.
func (l *targetChecks) log(ctx context.Context, plan db.Plan) error {
	enabled, err := l.s.variable(ctx, "log_bin")
	if err != nil {
		return err
	}
	if enabled == "ON" {
		if err := l.is(ctx, db.Fail, "binlog_format", "SET GLOBAL binlog_format = 'ROW' on the target", "ROW",
			"MIXED"); err != nil {
			return err
		}
	}
	if !plan.BinlogOnWrite && enabled == "ON" {
		l.add(db.Warn, "binlog_on_target", "copy.binlog_on_target", "is false: replicas of the target do not get the "+
			"copied rows",
			"keep it only when the target has no replicas yet")
	}
	return nil
}

// primaryKeys refuses a target that takes no tables without a primary key, where the move has some.
func (l *targetChecks) primaryKeys(ctx context.Context, plan db.Plan) error {
	for _, name := range []string{"sql_require_primary_key", "innodb_force_primary_key"} {
		value, err := l.s.variable(ctx, name)
		if err != nil {
			return err
		}
		for _, r := range plan.Routes {
			if value == "ON" && r.Target.Table.Primary == nil {
				l.add(db.Fail, "primary_key", r.Target.Name().String(), "has no primary key, and the target's @@"+name+
					" is ON",
					"SET GLOBAL "+name+" = OFF on the target for the time of the move, or exclude the table")
			}
		}
	}
	return nil
}

// disk looks at the free space of a target on this machine. SQL does not tell the free space of another one.
func (l *targetChecks) disk(ctx context.Context, plan db.Plan) error {
	// A forwarded port on localhost leads to another machine. Then the datadir is not here, or it is another
	// server's, and the finding is no worse than a wrong number.
	local := l.s.cfg.Socket != "" || l.s.cfg.Host == "localhost"
	if ip := net.ParseIP(l.s.cfg.Host); ip != nil && ip.IsLoopback() {
		local = true
	}
	dir, err := l.s.variable(ctx, "datadir")
	if err != nil {
		return err
	}
	var fs unix.Statfs_t
	if !local || unix.Statfs(dir, &fs) != nil {
		l.ok("disk_space", "not known: look at the target's machine by hand")
		return nil
	}
	var need int64
	for _, r := range plan.Routes {
		need += r.Source.Table.Bytes
	}
	free := int64(fs.Bavail) * fs.Bsize //nolint:gosec // below 2^63
	if free < need*2 {                  // data, and as much again for the log and for building indexes
		level := db.Warn
		if free < need {
			level = db.Fail
		}
		l.add(level, "disk_space", dir, fmt.Sprintf("%d MiB free, the tables have %d MiB and log and index builds "+
			"need as much again",
			free>>20, need>>20), "free space, or set copy.binlog_on_target: false where the target has no replicas")
		return nil
	}
	l.ok("disk_space", fmt.Sprintf("%d MiB free for %d MiB of tables", free>>20, need>>20))
	return nil
}
