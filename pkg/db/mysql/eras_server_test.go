package mysql

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
	play "github.com/go-mysql-org/go-mysql/server"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// eraKnows is what not every server knows: since which version a family does, 0 being never, and until before which.
// A server that does not know it refuses the statement with the number.
var eraKnows = []struct {
	sql            string
	mysql, mariadb int
	number         uint16
	gone           int // of MySQL; 0: still there
}{
	{`^SHOW MASTER STATUS`, 50000, 50000, 1064, 80400},         // MySQL 8.4.0 release notes
	{`^SHOW SLAVE (STATUS|HOSTS)`, 50000, 50000, 1064, 80400},  // MySQL 8.4.0 release notes
	{`^SHOW BINARY LOG STATUS`, 80200, 0, 1064, 0},             // MySQL 8.2.0 release notes
	{`^SHOW BINLOG STATUS`, 0, 100502, 1064, 0},                // MDEV-21743
	{`^SHOW REPLICA STATUS`, 80022, 100501, 1064, 0},           // MySQL 8.0.22 release notes, MDEV-20601
	{`^SHOW REPLICAS`, 80022, 0, 1064, 0},                      // MySQL 8.0.22 release notes
	{`^SHOW REPLICA HOSTS`, 0, 100501, 1064, 0},                // MDEV-20601
	{`^SHOW ALL (SLAVES|REPLICAS) STATUS`, 0, 100001, 1064, 0}, // MariaDB 10.0.1 release notes, multi-source
	{`CURRENT_ROLE\(`, 80000, 100005, 1305, 0},                 // MySQL 8.0.0, MariaDB 10.0.5 release notes
	{`^SHOW GRANTS .*USING`, 80000, 0, 1064, 0},                // MySQL 8.0.0 release notes
	{`CHECK_CONSTRAINTS`, 80016, 100210, 1109, 0},              // MySQL 8.0.16 release notes, MDEV-14474
	{`ST_GEOMETRY_COLUMNS|SRS_ID`, 80001, 0, 1054, 0},          // MySQL 8.0.1 and 8.0.3 release notes
	// MySQL 8.0.0 release notes, information_schema.STATISTICS
	{`IS_VISIBLE`, 80000, 0, 1054, 0},
	// MySQL 8.0.13 release notes, information_schema.STATISTICS
	{`\bEXPRESSION\b`, 80013, 0, 1054, 0},
	{`FULL_COLLATION_NAME`, 0, 101001, 1054, 0}, // MDEV-27009
	// MySQL 8.0.1 and 8.0.2, MariaDB 10.2.0 and 10.2.1 release notes
	{`^WITH |\bOVER ?\(`, 80002, 100201, 1064, 0},
	// MySQL 8.0.19 release notes (MariaDB 10.3.3 has VALUES only)
	{`^VALUES|^TABLE |\bAS new\b`, 80019, 0, 1064, 0},
	{`\b(INTERSECT|EXCEPT)\b`, 80031, 100300, 1064, 0},         // MySQL 8.0.31, MariaDB 10.3.0 release notes
	{`\bLATERAL\b`, 80014, 0, 1064, 0},                         // MySQL 8.0.14 release notes
	{`JSON_TABLE`, 80004, 100601, 1064, 0},                     // MySQL 8.0.4 release notes, MDEV-17399
	{`JSON_(ARRAY|EXTRACT|REPLACE)\(`, 50708, 100203, 1305, 0}, // MySQL 5.7.8, MariaDB 10.2.3 release notes
	{`SKIP LOCKED`, 80001, 100600, 1064, 0},                    // MySQL 8.0.1 release notes, MDEV-13115
	{`FOR SHARE`, 80001, 0, 1064, 0},                           // MySQL 8.0.1 release notes
	{`LOCK INSTANCE`, 80000, 0, 1064, 0},                       // MySQL 8.0.0 release notes
	{`BACKUP (STAGE|LOCK)`, 0, 100401, 1064, 0},                // MDEV-5336
	{`REGEXP_(REPLACE|SUBSTR|INSTR)`, 80004, 100005, 1305, 0},  // MySQL 8.0.4, MariaDB 10.0.5 release notes
	{`UUID_TO_BIN|BIN_TO_UUID|IS_UUID`, 80000, 0, 1305, 0},     // MySQL 8.0.0 release notes
	{`GTID_(SUBSET|SUBTRACT)`, 50605, 0, 1305, 0},              // MySQL 5.6.5 release notes
	{`BINLOG_GTID_POS`, 0, 100002, 1305, 0},                    // MariaDB 10.0.2 release notes
	{`^SET STATEMENT`, 0, 100102, 1064, 0},                     // MDEV-5231
	{`NOT ATOMIC`, 0, 100101, 1064, 0},                         // MDEV-5317
	{`\bTYPE OF\b`, 0, 100300, 1064, 0},                        // MDEV-12461
	{`next_not_cached_value`, 0, 100300, 1054, 0},              // MDEV-10139
	// MySQL 5.6.5 release notes: access mode beside the level
	{`^SET (SESSION|GLOBAL) TRANSACTION.*,`, 50605, 100001, 1064, 0},
}

// eraVariables is since which versions the variables are there that may be read or set by name (manuals, "Server
// System Variables").
var eraVariables = map[string][2]int{
	"autocommit": {50000, 50000}, "sql_mode": {50000, 50000}, "time_zone": {50000, 50000}, "net_write_timeout": {
		50000,
		50000,
	},
	"wait_timeout": {50000, 50000}, "sql_select_limit": {50000, 50000}, "sql_big_selects": {50000, 50000},
	"lock_wait_timeout":  {50503, 50503},
	"max_execution_time": {50708, 0}, "information_schema_stats_expiry": {80003, 0}, "max_statement_time": {0, 100101},
	"range_optimizer_max_mem_size": {50709, 0}, "hostname": {50038, 50038},
	"port": {50000, 50000}, "server_id": {50000, 50000}, "server_uuid": {50600, 0}, "lower_case_table_names": {
		50000,
		50000,
	},
	"max_allowed_packet": {50000, 50000}, "character_set_client": {50000, 50000}, "character_set_results": {
		50000,
		50000,
	},
	"gtid_executed": {50605, 0}, "gtid_owned": {50605, 0}, "gtid_purged": {50605, 0}, "gtid_binlog_pos": {0, 100002},
	"gtid_binlog_state": {0, 100002},
	"gtid_slave_pos":    {0, 100002}, "binlog_checksum": {50602, 50300}, "read_only": {50000, 50000},
	"super_read_only":       {50708, 0},
	"transaction_isolation": {50720, 110101}, "sql_generate_invisible_primary_key": {80030, 0},
	"innodb_ddl_threads":     {80027, 0},
	"innodb_ddl_buffer_size": {80027, 0}, "binlog_row_metadata": {80001, 100500}, "binlog_expire_logs_seconds": {
		80001,
		100601,
	},
	"tx_isolation": {50000, 50000}, "tx_read_only": {50605, 100001}, "transaction_read_only": {50720, 110101},
	"completion_type":          {50003, 50003},
	"innodb_lock_wait_timeout": {50000, 50000}, "collation_connection": {50000, 50000}, "old_mode": {0, 100001},
	"sql_if_exists":    {0, 100501},
	"query_cache_type": {50000, 50000}, "idle_transaction_timeout": {0, 100300}, "show_old_temporals": {50624, 0},
	"foreign_key_checks":              {50000, 50000},
	"explicit_defaults_for_timestamp": {50606, 100108}, "note_verbosity": {0, 100606}, "tmp_disk_table_size": {
		0,
		100207,
	},
	"max_session_mem_used": {0, 100121}, "gtid_mode": {50605, 0},
}

// eraServer plays a server of a version.
type eraServer struct {
	era
	flavor  dialect.Flavor
	port    int
	mu      sync.Mutex
	set     map[string]string // global variables
	grants  []string
	replica bool
	refused []string
	all     []string // statements
}

func playEra(t *testing.T, e era) *eraServer {
	t.Helper()
	flavor, err := dialect.ParseFlavor(e.version)
	require.NoError(t, err)
	f := &eraServer{era: e, flavor: flavor, grants: e.grants, set: map[string]string{
		"log_bin": "ON", "binlog_format": "ROW", "binlog_row_image": "FULL", "server_id": "1", "read_only": "OFF",
	}}
	for name, value := range e.variables {
		f.set[name] = value
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f.port = listener.Addr().(*net.TCPAddr).Port
	played := play.NewServer(e.version, protocol.DEFAULT_COLLATION_ID, protocol.AUTH_NATIVE_PASSWORD, nil, nil)
	var group sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); group.Wait() })
	group.Go(func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { f.serve(played, nc) })
		}
	})
	return f
}

func (f *eraServer) serve(played *play.Server, nc net.Conn) {
	defer nc.Close()
	accounts := play.NewInMemoryAuthenticationHandler(protocol.AUTH_NATIVE_PASSWORD)
	err := accounts.AddUser("wherry", "secret")
	var conn *play.Conn
	session := &eraSession{eraServer: f}
	if err == nil {
		conn, err = played.NewCustomizedConn(nc, accounts, session)
	}
	if err == nil {
		session.id = conn.ConnectionID()
	}
	for err == nil {
		err = conn.HandleCommand()
	}
}

// eraSession is one connection.
type eraSession struct {
	*eraServer
	id uint32
}

// HandleQuery implements server.Handler.
func (s *eraSession) HandleQuery(query string) (*protocol.Result, error) {
	if strings.HasPrefix(query, "SELECT CONNECTION_ID()") {
		set, err := protocol.BuildSimpleTextResultset([]string{"id"}, [][]any{{uint64(s.id) + uint64(s.behind)}})
		return protocol.NewResult(set), err
	}
	return s.eraServer.HandleQuery(query)
}

func (f *eraServer) config() Config {
	return Config{
		Host: "127.0.0.1", Port: f.port, User: "wherry", Password: "secret", ConnectTimeout: 10 * time.Second,
		ServerID: 77,
	}
}

func (f *eraServer) grant(lines ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.grants = lines
}

func (f *eraServer) replicate(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replica = on
}

// heard are all statements.
func (f *eraServer) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all
}

// complaints are statements that were refused.
func (f *eraServer) complaints() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused
}

func (f *eraServer) gtid() string {
	if f.flavor.Family == schema.MariaDB {
		return "0-1-5"
	}
	return eraUUID + ":1-5"
}

func (f *eraServer) nextGTID() string {
	if f.flavor.Family == schema.MariaDB {
		return "0-1-6"
	}
	return eraUUID + ":1-6"
}

const eraUUID = "11111111-2222-3333-4444-555555555555"

var (
	eraComment  = regexp.MustCompile(`(?s)/\*(M?)!(\d+) (.*?)\*/`)
	eraString   = regexp.MustCompile(`'[^']*'`)
	eraRead     = regexp.MustCompile(`(?i)@@(?:GLOBAL\.|SESSION\.)?(\w+)`)
	eraAssigned = regexp.MustCompile(`(?:^|[^@\w.])([a-z_]+) ?=`)
	eraGlobal   = regexp.MustCompile(`^SET GLOBAL (\w+) = '?(\w+)'?$`)
	eraAsked    = regexp.MustCompile(`^SHOW GLOBAL VARIABLES LIKE '(.*)'$`)
)

// uncomment does what versioned comments say: MariaDB passes over those of MySQL 5.7 and later (MDEV-4954), MySQL
// over MariaDB's.
func (f *eraServer) uncomment(sql string) string {
	return eraComment.ReplaceAllStringFunc(sql, func(comment string) string {
		m := eraComment.FindStringSubmatch(comment)
		version, _ := strconv.Atoi(m[2])
		if m[1] == "M" && f.flavor.Family == schema.MySQL || version > f.flavor.Version ||
			m[1] == "" && f.flavor.Family == schema.MariaDB &&
				version >= 50700 {
			return ""
		}
		return m[3]
	})
}

// unknown returns the error of what this version does not know.
func (f *eraServer) unknown(sql string) error {
	bare := eraString.ReplaceAllString(sql, "''")
	for _, k := range eraKnows {
		since := k.mysql
		if f.flavor.Family == schema.MariaDB {
			since = k.mariadb
		}
		gone := f.flavor.Family == schema.MySQL && k.gone != 0 && f.flavor.Version >= k.gone
		if (since == 0 || f.flavor.Version < since || gone) && regexp.MustCompile(`(?i)`+k.sql).MatchString(bare) {
			return protocol.NewError(k.number, "unknown to "+f.version+": "+k.sql)
		}
	}
	names := eraRead.FindAllStringSubmatch(bare, -1)
	if strings.HasPrefix(bare, "SET ") && !strings.HasPrefix(bare, "SET NAMES") {
		names = append(names, eraAssigned.FindAllStringSubmatch(bare, -1)...)
	}
	for _, name := range names {
		since := eraVariables[strings.ToLower(name[1])][map[bool]int{true: 1}[f.flavor.Family == schema.MariaDB]]
		if since == 0 || f.flavor.Version < since {
			return protocol.NewError(1193, "Unknown system variable '"+name[1]+"'")
		}
	}
	return nil
}

// HandleQuery implements server.Handler.
func (f *eraServer) HandleQuery(query string) (*protocol.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sql := strings.Join(strings.Fields(f.uncomment(strings.Clone(query))), " ")
	f.all = append(f.all, sql)
	names, rows, err := []string(nil), [][]any(nil), f.unknown(sql)
	if err == nil {
		names, rows, err = f.answer(sql)
	}
	if err != nil {
		f.refused = append(f.refused, fmt.Sprintf("%s: %v", sql, err))
		return nil, err
	}
	if names == nil {
		return nil, nil
	}
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i] = slices.Clone(rows[i])
		for j, value := range rows[i] {
			rows[i][j] = append([]byte{}, value.(string)...) // an empty string would be sent as NULL
		}
	}
	set, err := protocol.BuildSimpleTextResultset(names, rows)
	return protocol.NewResult(set), err
}

// answer tells rows and the names of their columns, which are nil for a statement without rows. What it has no answer
// to is an error: every statement of a source passes through here.
func (f *eraServer) answer(sql string) (names []string, rows [][]any, err error) {
	if m := eraGlobal.FindStringSubmatch(sql); m != nil {
		f.assign(m[1], map[string]string{"1": "ON", "0": "OFF"}[m[2]]+strings.Trim(m[2], "01"))
		return nil, nil, nil
	}
	if sql == "SHOW SESSION VARIABLES" {
		for name := range eraVariables {
			if f.unknown("SELECT @@"+name) == nil {
				rows = append(rows, []any{name, "1"})
			}
		}
		for name, value := range f.shown {
			rows = append(rows, []any{name, value})
		}
		return []string{"Variable_name", "Value"}, append(rows, []any{"max_allowed_packet", "16777216"}), nil
	}
	if m := eraAsked.FindStringSubmatch(sql); m != nil {
		name := strings.ReplaceAll(m[1], `\_`, "_")
		if value, known := f.set[name]; known {
			rows = append(rows, []any{name, value})
		}
		return []string{"Variable_name", "Value"}, rows, nil
	}
	for _, silent := range []string{"SET ", "START TRANSACTION", "LOCK TABLES", "UNLOCK TABLES", "FLUSH BINARY LOGS"} {
		if strings.HasPrefix(sql, silent) {
			return nil, nil, nil
		}
	}
	for _, a := range f.answers() {
		if strings.Contains(sql, a.part) {
			return a.names, a.rows, nil
		}
	}
	return nil, nil, protocol.NewError(1064, "no answer is known")
}

// flag is a variable as an expression has it.
func (f *eraServer) flag(name string) string {
	return map[string]string{"ON": "1"}[f.set[name]] + map[string]string{"OFF": "0"}[f.set[name]]
}

// assign sets a variable. super_read_only sets read_only too, and read_only OFF lifts it (MySQL manual,
// "super_read_only").
func (f *eraServer) assign(name, value string) {
	f.set[name] = value
	_, super := f.set["super_read_only"]
	switch {
	case name == "super_read_only" && value == "ON":
		f.set["read_only"] = "ON"
	case name == "read_only" && value == "OFF" && super:
		f.set["super_read_only"] = "OFF"
	}
}

// eraAnswer is the answer to statements that contain part.
type eraAnswer struct {
	part  string
	names []string
	rows  [][]any
}

// reply is an answer whose columns have no names of importance.
func reply(part string, rows ...[]any) eraAnswer {
	names := make([]string, 12)
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	if len(rows) > 0 {
		names = names[:len(rows[0])]
	}
	return eraAnswer{part, names, rows}
}

func (f *eraServer) answers() []eraAnswer {
	utf8 := "utf8"
	if f.flavor.HasUtf8mb3Names() {
		utf8 = "utf8mb3"
	}
	var grants [][]any
	for _, line := range f.grants {
		grants = append(grants, []any{line})
	}
	row := []any{"7", "ab", "1.50", "200", "1.5", f.document, "2024", "2023-11-14 22:13:20"}
	all := []eraAnswer{
		reply("SELECT VERSION()", []any{f.version}),
		reply("information_schema.COLLATIONS", []any{utf8 + "_general_ci", utf8, "Yes", "33"},
			[]any{utf8 + "_unicode_ci", utf8, "", "192"},
			[]any{"utf8mb4_bin", "utf8mb4", "", "46"}, []any{f.collation(), "utf8mb4", "Yes", "45"}),
		reply("SELECT @@server_uuid", []any{eraUUID}), reply("CONCAT(@@hostname", []any{"old:3306:1"}),
		reply("Ssl_cipher", []any{"Ssl_cipher", ""}),
		reply("SYSDATE(6)", []any{
			strconv.FormatInt(time.Now().UnixMicro(), 10), "lower_case_table_names=0",
			"16777216",
		}),
		reply("FROM information_schema.TABLES JOIN", []any{"shop", "orders", "BASE TABLE", "InnoDB", f.collation()}),
		reply("COALESCE(TABLE_ROWS", []any{"shop", "orders", "1", "16384", "2"}),
		reply("SHOW CREATE TABLE `shop`.`orders`", []any{"orders", strings.NewReplacer(f.print...).Replace(eraCreate)}),
		{
			"SHOW MASTER STATUS",
			[]string{"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"},
			[][]any{{"mysql-bin.000002", "700", "", ""}},
		},
		{"SHOW BINARY LOGS", []string{"Log_name", "File_size"}, [][]any{{"mysql-bin.000002", "700"}}},
		reply("SELECT @@GLOBAL.gtid_mode", []any{"ON"}), reply("SELECT @@GLOBAL.read_only", []any{f.flag("read_only")}),
		reply("SELECT @@GLOBAL.super_read_only", []any{f.flag("super_read_only")}),
		reply("SELECT @@GLOBAL.gtid_executed", []any{f.gtid()}), reply("SELECT @@GLOBAL.gtid_owned", []any{""}),
		reply("GTID_SUBSET(", []any{"1"}), reply("GTID_SUBTRACT('"+f.gtid()+"'", []any{""}), reply("GTID_SUBTRACT(",
			[]any{eraUUID + ":6"}),
		reply("@@GLOBAL.gtid_binlog_state, @@GLOBAL.gtid_binlog_pos", []any{"0-2-3,0-1-5", f.gtid()}),
		reply("@@GLOBAL.gtid_binlog_pos", []any{f.gtid()}), reply("gtid_slave_pos", []any{"0-9-4"}),
		reply("BINLOG_GTID_POS(", []any{f.gtid()}),
		reply(`binlog\_snapshot\_%`, []any{"Binlog_snapshot_file", "mysql-bin.000002"},
			[]any{"Binlog_snapshot_position", "700"}),
		f.replicaStatus(),
		reply("SHOW SLAVE HOSTS"),
		reply("SHOW REPLICAS"),
		reply("SELECT CURRENT_ROLE()", []any{"NONE"}), reply("SELECT CURRENT_USER()", []any{"wherry@%"}),
		reply("SHOW GRANTS", grants...), reply("XA RECOVER"),
		reply("@@SESSION.character_set_client", []any{"ALLOW_INVALID_DATES", "+00:00", "binary", "binary"}),
		reply("SELECT COUNT(*), COALESCE(SUM(COALESCE(CAST(CONV(LEFT(SHA2(CONCAT(", []any{"1", "42"}),
		reply("AS orphans", []any{"0"}),
		reply("SELECT `id` FROM `shop`.`orders` FORCE INDEX", []any{"7"}), reply("SELECT `id`, `name`", row),
		reply("LIMIT 0"),
		reply("replication_group_members", f.group), reply("SELECT 1", []any{"1"}),
	}
	return append(all, eraObjects...)
}

func (f *eraServer) collation() string {
	if f.flavor.Family == schema.MySQL && f.flavor.Version >= 80000 {
		return "utf8mb4_0900_ai_ci"
	}
	return "utf8mb4_general_ci"
}

// replicaStatus is the status of replication in the words of the version (MySQL 8.0.22 release notes).
func (f *eraServer) replicaStatus() eraAnswer {
	a := eraAnswer{"SLAVE STATUS", []string{
		"Master_Host", "Master_Port", "Slave_IO_Running", "Slave_SQL_Running",
		"Retrieved_Gtid_Set", "Last_IO_Error", "Last_SQL_Error",
	}, nil}
	received := eraUUID + ":1-5"
	switch {
	case f.flavor.Family == schema.MariaDB:
		a.part, a.names[4] = "SHOW ALL SLAVES STATUS", "Gtid_IO_Pos"
		received = "0-9-4"
	case f.flavor.Version >= 80022:
		a.part = "SHOW REPLICA STATUS"
		for i, name := range a.names {
			a.names[i] = strings.NewReplacer("Master", "Source", "Slave", "Replica").Replace(name)
		}
	}
	if f.replica {
		a.rows = [][]any{{"10.0.0.9", "3306", "Yes", "Yes", received, "", ""}}
	}
	return a
}

// eraObjects are objects as all these versions print them.
var eraObjects = []eraAnswer{
	reply("information_schema.VIEWS", []any{
		"view", "shop", "v", "", "", "", "utf8mb4", "utf8mb4_general_ci", "", "",
		"", "0",
	}),
	reply("information_schema.TRIGGERS", []any{
		"trigger", "shop", "tr", "shop", "orders", "", "utf8", "utf8_general_ci",
		"utf8mb4_general_ci", "", "", "0",
	}),
	reply("information_schema.ROUTINES", []any{
		"procedure", "shop", "pr", "", "", "", "utf8", "utf8_general_ci",
		"utf8mb4_general_ci", "", "SQL", "0",
	}),
	reply("information_schema.EVENTS", []any{
		"event", "shop", "ev", "", "", "", "utf8", "utf8_general_ci",
		"utf8mb4_general_ci", "SYSTEM", "", "0",
	}),
	reply("TABLE_TYPE = 'SEQUENCE'"),
	reply("SHOW CREATE VIEW", []any{
		"v", "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `shop`.`v` AS select " +
			"`shop`.`orders`.`id` AS `id` from `shop`.`orders`",
		"utf8mb4", "utf8mb4_general_ci",
	}),
	reply("SHOW CREATE TRIGGER", []any{"tr", "", "CREATE DEFINER=`root`@`localhost` TRIGGER tr BEFORE INSERT ON " +
		"orders FOR EACH ROW SET NEW.flags = 1", "utf8", "utf8_general_ci", "utf8mb4_general_ci"}),
	reply("SHOW CREATE PROCEDURE", []any{
		"pr", "", "CREATE DEFINER=`root`@`localhost` PROCEDURE `pr`()\nSELECT 1",
		"utf8", "utf8_general_ci", "utf8mb4_general_ci",
	}),
	reply("SHOW CREATE EVENT", []any{
		"ev", "", "SYSTEM", "CREATE DEFINER=`root`@`localhost` EVENT `ev` ON SCHEDULE EVERY 1 DAY STARTS '2024-01-01 " +
			"00:00:00' ON COMPLETION NOT PRESERVE ENABLE DO SELECT 1",
		"utf8", "utf8_general_ci", "utf8mb4_general_ci",
	}),
	reply("SHOW COLUMNS FROM `shop`.`v`", []any{"id", "int(11)", "NO", "", "0", ""}),
}

// HandleBinlogDump implements server.ReplicationHandler.
func (f *eraServer) HandleBinlogDump(protocol.Position) (*replication.BinlogStreamer, error) {
	events := replication.NewBinlogStreamer()
	for _, raw := range f.log() {
		if err := events.AddEventToStreamer(&replication.BinlogEvent{RawData: raw}); err != nil {
			return nil, err
		}
	}
	time.AfterFunc(time.Second, func() { events.AddErrorToStreamer(replication.ErrSyncClosed) })
	return events, nil
}

// HandleBinlogDumpGTID implements server.ReplicationHandler.
func (f *eraServer) HandleBinlogDumpGTID(*protocol.MysqlGTIDSet) (*replication.BinlogStreamer, error) {
	return f.HandleBinlogDump(protocol.Position{})
}

func (f *eraServer) HandleRegisterSlave([]byte) error { return f.other("COM_REGISTER_SLAVE") }
func (f *eraServer) UseDB(string) error               { return f.other("COM_INIT_DB") }
func (f *eraServer) HandleFieldList(string, string) ([]*protocol.Field, error) {
	return nil, f.other("COM_FIELD_LIST")
}

func (f *eraServer) HandleStmtPrepare(query string) (params, columns int, in any, err error) {
	return 0, 0, nil, f.other("prepare " + query)
}

func (f *eraServer) HandleStmtExecute(any, string, []any) (*protocol.Result, error) {
	return nil, f.other("COM_STMT_EXECUTE")
}
func (f *eraServer) HandleStmtClose(any) error { return f.other("COM_STMT_CLOSE") }
func (f *eraServer) HandleOtherCommand(command byte, _ []byte) error {
	return f.other(fmt.Sprintf("command %d", command))
}

// other refuses a command that no source is expected to send.
func (f *eraServer) other(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused = append(f.refused, what)
	return protocol.NewError(1047, "Unknown command: "+what)
}
