package mysql

// privilegeSince is the version since which a family knows a privilege; 0 is never. One that is not listed is known to
// all servers. (MySQL 8.0.11 to 8.2.0 release notes, "Dynamic Privileges"; MDEV-21743, which split SUPER.)
var privilegeSince = map[string]struct{ mysql, mariadb int }{
	"SYSTEM_VARIABLES_ADMIN":  {80000, 0},
	"SESSION_VARIABLES_ADMIN": {80014, 0},
	"CONNECTION_ADMIN":        {80000, 0}, // MariaDB's has a space
	"XA_RECOVER_ADMIN":        {80000, 0},
	"SHOW_ROUTINE":            {80020, 0},
	"SET_USER_ID":             {80000, 0},
	"SET_ANY_DEFINER":         {80200, 0},
	"BINLOG MONITOR":          {0, 100502},
	"BINLOG ADMIN":            {0, 100502},
	"READ_ONLY ADMIN":         {0, 100502},
	"SET USER":                {0, 100502},
	"SLAVE MONITOR":           {0, 100509}, // MDEV-23610
}

// Privileges returns those that the server knows, in their order: GRANT of another is a syntax error.
func (f Flavor) Privileges(names ...string) []string {
	known := make([]string, 0, len(names))
	for _, name := range names {
		if since, listed := privilegeSince[name]; !listed || f.since(since.mysql, since.mariadb) {
			known = append(known, name)
		}
	}
	return known
}

// HasDataDictionary returns whether routines are kept where no account can read them, instead of in mysql.proc (MySQL
// 8.0.0 release notes).
func (f Flavor) HasDataDictionary() bool { return f.since(80000, 0) }
