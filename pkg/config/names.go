package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// splitName splits db.table (either part may be a glob) and refuses what cannot name a table.
func splitName(text string) (db, table string, err error) {
	db, table, ok := strings.Cut(text, ".")
	switch {
	case !ok || db == "" || table == "":
		return "", "", fmt.Errorf("%q does not fit, expected db.table", text)
	case strings.Contains(table, "."):
		return "", "", fmt.Errorf("%q has more than one dot, expected db.table (? stands for a dot inside a name)",
			text)
	case strings.ContainsAny(text, "`\x00") || strings.TrimSpace(db) != db || strings.TrimSpace(table) != table:
		return "", "", fmt.Errorf("%q does not fit, expected db.table without quotes or blanks around the names", text)
	}
	return db, table, nil
}

// isGlob tells whether a part of a name may stand for several names.
func isGlob(part string) bool { return strings.ContainsAny(part, "*?") }

// checkTables requires tables.include: "everything" as a default would move databases that nobody meant.
func (c *Config) checkTables(p *problems) {
	if len(c.Tables.Include) == 0 {
		p.addf(`tables.include: required, a list of db.table globs such as "shop.*"`)
	}
	checkGlobs(p, "tables.include", c.Tables.Include)
	checkGlobs(p, "tables.exclude", c.Tables.Exclude)
}

// checkGlobs reports globs that cannot name a table, and repeated ones, which are mostly a slip of copy and paste.
func checkGlobs(p *problems, key string, list []string) {
	for i, g := range list {
		if _, _, err := splitName(g); err != nil {
			p.addf("%s[%d]: %w", key, i, err)
		} else if slices.Index(list, g) < i {
			p.addf("%s[%d]: %q given twice", key, i, g)
		}
	}
}

// checkRoutes reports routes that cannot work whatever tables there are. A route from several tables to one name is
// refused here; two routes whose tables meet in one name are for the plan to find.
func (c *Config) checkRoutes(p *problems) {
	seen := map[string]bool{}
	for i, r := range c.Routes {
		key := fmt.Sprintf("routes[%d]", i)
		if seen[r.From] {
			p.addf("%s.from: %q given twice", key, r.From)
		}
		seen[r.From] = true
		fromDB, fromTable, err := splitName(r.From)
		if err != nil {
			p.addf("%s.from: %w", key, err)
			continue
		}
		toDB, toTable, err := splitName(r.To)
		if err != nil {
			p.addf("%s.to: %w", key, err)
			continue
		}
		if err := errors.Join(checkPart(fromDB, toDB), checkPart(fromTable, toTable)); err != nil {
			p.addf("%s.to: %q from %q: %w", key, r.To, r.From, err)
		} else if isGlob(fromTable) && !isGlob(toTable) {
			p.addf("%s.to: %q from %q would put several tables into one", key, r.To, r.From)
		}
	}
}

// checkPart holds for the database and the table part of a route alike.
func checkPart(from, to string) error {
	switch {
	case !isGlob(to):
		return nil
	case to != "*":
		return fmt.Errorf("%q does not fit, a * stands for the whole database or table name", to)
	case !isGlob(from):
		return fmt.Errorf("* needs a wildcard in the same place of from, write %q", from)
	}
	return nil
}

// checkFilters checks that a filter has a table and a condition. The condition itself is parsed by package route.
func (c *Config) checkFilters(p *problems) {
	seen := map[string]bool{}
	for i, f := range c.Filters {
		key := fmt.Sprintf("filters[%d]", i)
		if _, _, err := splitName(f.Table); err != nil {
			p.addf("%s.table: %w", key, err)
		}
		if seen[f.Table] {
			p.addf("%s.table: %q given twice", key, f.Table)
		}
		seen[f.Table] = true
		if strings.TrimSpace(f.Where) == "" {
			p.addf("%s.where: required, the condition that rows must meet", key)
		}
	}
}
