package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/ddl"
	"wherry/pkg/schema"
)

// Effects tells what a statement of the log does to tables. The server is asked only for what its text does not say:
// the defaults of new tables, and what the server's own time zone was at the moment of the statement. (SYSTEM would
// mean another zone on the target.)
func (s *Source) Effects(ctx context.Context, change *db.DDL, known []*schema.Table) ([]schema.Effect, error) {
	parsed, ok := change.Parsed.(*ddl.Change)
	if !ok {
		var err error
		if parsed, err = ddl.Parse(change.Statement, change.Context); err != nil {
			return nil, err
		}
		change.Parsed = parsed
	}
	parsed = parsed.Under(change.Context)
	var dropped []schema.Effect
	if parsed.Database() != "" { // DROP DATABASE: the stream has found which tables were in it
		for _, name := range change.Tables {
			dropped = append(dropped, schema.Effect{Kind: schema.Dropped, Name: name})
		}
	}
	var zoneErr error
	utc := func(local string) (utc string, ok bool) {
		utc, err := s.utc(ctx, change.Context.TimeZone, local)
		zoneErr = errors.Join(zoneErr, err)
		return utc, utc != ""
	}
	var err error
	if strings.EqualFold(change.Moment.TimeZone, "SYSTEM") {
		if change.Moment.TimeZone, err = s.systemZone(ctx, change.Moment.Time); err != nil {
			return nil, err
		}
	}
	databases := map[string][2]string{}
	if change.Context.Databases == nil {
		if databases, err = s.databases(ctx); err != nil {
			return nil, err
		}
	}
	tables, children := map[schema.Name]*schema.Table{}, map[schema.Name][]*schema.Table{}
	for _, t := range known {
		tables[t.Name] = t
		for i := range t.ForeignKeys {
			children[t.ForeignKeys[i].Parent] = append(children[t.ForeignKeys[i].Parent], t)
		}
	}
	table := func(n schema.Name) *schema.Table { return tables[n] }
	of := func(n schema.Name) []*schema.Table { return children[n] }
	effects, err := parsed.Apply(ddl.Catalog{
		Table: table, Children: of,
		Collations: s.collations.Within(change.Context.Collations), UTC: utc,
		Database: func(name string) (string, string) {
			return databases[strings.ToLower(name)][0], databases[strings.ToLower(name)][1]
		},
	})
	if zoneErr != nil {
		return nil, zoneErr
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", schema.ErrUnknownStatement, err)
	}
	for i := range effects {
		if effects[i].After, err = s.encodedLabels(ctx, effects[i].After); err != nil {
			return nil, err
		}
	}
	return append(dropped, effects...), nil
}

// utc converts a local time of a statement to UTC, by a time zone of this server. It is "" when the server does not
// know the zone, or when the zone has no such time because clocks were put forward over it: the way back from UTC then
// gives another time.
func (s *Source) utc(ctx context.Context, zone, local string) (utc string, err error) {
	if zone == "" {
		return "", nil
	}
	found, err := s.within(ctx, zone,
		fmt.Sprintf("SELECT UNIX_TIMESTAMP('%s'), FROM_UNIXTIME(UNIX_TIMESTAMP('%[1]s')) = '%[1]s'", local))
	if wire.Number(err) == wire.TimeZone || err == nil && string(found[1]) != "1" {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	seconds, err := strconv.ParseFloat(string(found[0]), 64) // MariaDB gives it six digits of fraction
	return time.Unix(int64(seconds), 0).UTC().Format(time.DateTime), err
}

// within returns the only row of a query in a session of the time zone.
func (s *Source) within(ctx context.Context, zone, query string) (row db.Row, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("ask %s in time zone %s: %w", s.cfg.Address(), zone, wire.Classify(err))
		}
	}()
	w, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if _, err := w.Exec(ctx, "SET SESSION time_zone = "+wire.Quoted(zone)); err != nil {
		return nil, err
	}
	rows, err := w.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// systemZone returns how far the server's own time zone was ahead of UTC at a moment, as +02:00. An offset, and not a
// name: the target may not know the name.
func (s *Source) systemZone(ctx context.Context, at time.Time) (zone string, err error) {
	found, err := s.within(ctx, "SYSTEM", fmt.Sprintf("SELECT TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', "+
		"FROM_UNIXTIME(%d)) - %[1]d", at.Unix()))
	if err != nil {
		return "", err
	}
	seconds, err := strconv.Atoi(string(found[0]))
	if err != nil {
		return "", err
	}
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("%c%02d:%02d", sign, seconds/3600, seconds/60%60), nil
}

// Databases implements db.Source.
func (s *Source) Databases(ctx context.Context) (map[string]string, error) {
	found, err := s.databases(ctx)
	collations := make(map[string]string, len(found))
	for name, standard := range found {
		collations[name] = standard[1]
	}
	return collations, err
}

// databases returns the default character set and collation of each database, by its name in lower case.
func (s *server) databases(ctx context.Context) (map[string][2]string, error) {
	rows, err := s.rows(ctx, "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM "+
		"information_schema.SCHEMATA")
	if err != nil {
		return nil, fmt.Errorf("read databases of %s: %w", s.cfg.Address(), err)
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, fmt.Errorf("read databases of %s: %w", s.cfg.Address(), err)
	}
	databases := make(map[string][2]string, len(found))
	for _, row := range found {
		databases[strings.ToLower(string(row[0]))] = [2]string{string(row[1]), string(row[2])}
	}
	return databases, nil
}
