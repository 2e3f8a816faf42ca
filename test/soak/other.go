package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/test/internal/lab"
)

// Somebody else's tables are in the databases that the target gets. Their names begin with others, which no table of
// the move does.
const others = "other "

// makeOthers makes tables on the target that are not the move's, and notes what is in them.
func (e *episode) makeOthers(ctx context.Context) error {
	if !e.plan.others {
		return nil
	}
	for _, d := range e.plan.databases {
		d = quote(e.plan.target(d))
		if err := e.target.try(ctx, "CREATE DATABASE IF NOT EXISTS "+d,
			"CREATE TABLE "+d+".`other one` (id BIGINT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20) UNIQUE, t "+
				"TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))",
			"CREATE TABLE "+d+
				".`other two` (one BIGINT, INDEX (one), CONSTRAINT other_fk FOREIGN KEY (one) REFERENCES "+d+
				".`other one` (id) ON DELETE CASCADE) COMMENT 'no key'",
			"INSERT INTO "+d+".`other one` (v) VALUES ('a'), ('b'), ('ü'), (NULL)",
			"INSERT INTO "+d+".`other two` VALUES (1), (1), (NULL)"); err != nil {
			return err
		}
	}
	var err error
	e.others, err = e.listOthers(ctx)
	return err
}

// listOthers returns the definition, the rows and the time of creation of each.
func (e *episode) listOthers(ctx context.Context) (all []string, err error) {
	for _, d := range e.plan.databases {
		d = e.plan.target(d)
		made, err := e.target.list(ctx, "SELECT CONCAT_WS(' ', table_name, auto_increment, create_time, "+
			"table_comment) FROM information_schema.tables WHERE table_schema = ? AND table_name LIKE '"+others+
			"%' ORDER BY table_name", d)
		if err != nil {
			return nil, err
		}
		for _, query := range []string{
			"SELECT CONCAT_WS(' ', id, v, t) FROM " + quote(d) + ".`other one` ORDER BY id",
			"SELECT CONCAT_WS(' ', 'is', one) FROM " + quote(d) + ".`other two` ORDER BY one",
		} {
			rows, err := e.target.list(ctx, query)
			if err != nil {
				return nil, err
			}
			made = append(made, rows...)
		}
		all = append(all, made...)
	}
	return all, nil
}

// othersUntouched compares them with what they were.
func (e *episode) othersUntouched(ctx context.Context) error {
	if !e.plan.others {
		return nil
	}
	now, err := e.listOthers(ctx)
	if err == nil && !slices.Equal(now, e.others) {
		return fmt.Errorf("tables of somebody else on the target have changed:\n  were %q\n  are  %q", e.others, now)
	}
	return err
}

// globals are server-wide values that every session begins with which does not say otherwise, as administrators set
// them. Left out is what would break the simulation's own sessions, such as a limit of rows.
var globals = []string{
	"sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,IGNORE_SPACE,HIGH_NOT_PRECEDENCE," +
		"NO_ZERO_DATE,NO_ZERO_IN_DATE,STRICT_TRANS_TABLES'",
	"sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,REAL_AS_FLOAT,ALLOW_INVALID_DATES,NO_UNSIGNED_SUBTRACTION'", "sql_mode = ''",
	"time_zone = '-11:00'", "time_zone = '+13:00'", "div_precision_increment = 0", "div_precision_increment = 30",
	"group_concat_max_len = 4",
	"lc_time_names = 'de_DE'", "default_week_format = 6", "character_set_server = latin1",
	"collation_connection = latin1_bin",
	"updatable_views_with_limit = NO", "unique_checks = OFF", "max_error_count = 0", "sql_quote_show_create = OFF",
	"old_mode = ''",
	"sort_buffer_size = 32768", "sql_warnings = ON", "low_priority_updates = ON", "max_seeks_for_key = 1",
}

// setGlobals has both servers begin each session with values that are not theirs. They are put back by restoreGlobals.
func (e *episode) setGlobals(ctx context.Context) error {
	r := stream(e.plan.seed, streamGlobals)
	if !e.plan.globals {
		return nil
	}
	for _, s := range []*server{e.source, e.target} {
		for range 1 + r.IntN(5) {
			setting := globals[r.IntN(len(globals))]
			name, _, _ := strings.Cut(setting, " = ")
			known, err := s.list(ctx, "SELECT variable_name FROM "+map[string]string{
				lab.MySQL:   "performance_schema",
				lab.MariaDB: "information_schema",
			}[s.Flavor]+".global_variables WHERE variable_name = ?", name)
			if err != nil {
				return err
			}
			if len(known) == 0 {
				continue // the other family's
			}
			was, err := s.list(ctx, "SELECT CONCAT('', @@GLOBAL."+name+")")
			if err != nil {
				return err
			}
			if err := s.try(ctx, "SET GLOBAL "+setting); err != nil {
				return err
			}
			e.note("%s: global %s, was %s", s.Name, setting, was)
			if _, set := e.globals[s.Name+" "+name]; !set {
				e.globals[s.Name+" "+name] = was[0]
			}
		}
	}
	return nil
}

// restoreGlobals puts back what setGlobals found.
func (e *episode) restoreGlobals(ctx context.Context) error {
	for _, s := range []*server{e.source, e.target} {
		for what, was := range e.globals {
			on, name, _ := strings.Cut(what, " ")
			if on != s.Name {
				continue
			}
			if strings.Trim(was, "-0123456789.") != "" || was == "" || name == "time_zone" {
				was = "'" + was + "'"
			}
			if err := s.try(ctx, "SET GLOBAL "+name+" = "+was); err != nil {
				return err
			}
		}
	}
	return nil
}
