package ddl

import (
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/sqltext"
)

// database is CREATE, ALTER and DROP DATABASE. Which tables are dropped along with a database the caller must know.
// What matters here is the character set of the tables that are created in it later.
type database struct {
	name      string
	creates   bool
	replaces  bool // OR REPLACE (MariaDB)
	optional  bool // IF NOT EXISTS
	drops     bool
	charset   string // as said, "" when nothing is; DEFAULT is the server's
	collation string
}

func (*database) tables() []schema.Name { return nil }

// apply returns the collation that new tables in the database have by default from here on; "" after DROP DATABASE.
func (s *database) apply(w *world) ([]Effect, error) {
	effect := Effect{Kind: Database, Name: schema.Name{Database: s.name}}
	_, before := w.database(s.name)
	switch {
	case s.drops:
	case s.creates && s.optional && before != "":
		return nil, nil // it is there already
	// A collation implies its character set, so it counts alone when both are given.
	case s.collation != "" && s.collation != "default":
		effect.Collation = mysql.Modern(s.collation)
	case s.charset != "" && s.charset != "default":
		effect.Collation = w.cat.Collations.Standard(s.charset)
	// Nothing was said, or DEFAULT: the server's default as the session had it.
	case s.creates || s.charset != "" || s.collation != "":
		effect.Collation = mysql.Modern(w.cat.Collations.Numbers[w.ctx.ServerCollation])
	default: // ALTER DATABASE of something else
		return nil, nil
	}
	return []Effect{effect}, nil
}

// alterDatabase reads ALTER DATABASE behind these words. `ALTER DATABASE CHARACTER SET utf8mb4` has no name and is
// about the session's database.
func (p *parser) alterDatabase() statement {
	s := &database{name: p.ctx.Database}
	if !p.databaseOption(s) {
		s.name = p.ident()
	}
	p.databaseOptions(s)
	return s
}

// databaseOptions reads the options of a database, and passes over those that tables do not depend on.
func (p *parser) databaseOptions(s *database) {
	// Encryption, comments and READ ONLY change no table.
	for p.Peek().Kind != sqltext.End {
		if !p.databaseOption(s) {
			p.Next()
		}
	}
}

// databaseOption reads one option that tables depend on, and returns whether there was one.
func (p *parser) databaseOption(s *database) bool {
	switch {
	case p.Accept("DEFAULT CHARACTER SET"), p.Accept("CHARACTER SET"), p.Accept("DEFAULT CHARSET"), p.Accept("CHARSET"),
		p.Accept("CHAR SET"), p.Accept("DEFAULT CHAR SET"):
		p.AcceptMark("=")
		s.charset = strings.ToLower(p.charsetName())
	case p.Accept("DEFAULT COLLATE"), p.Accept("COLLATE"):
		p.AcceptMark("=")
		s.collation = strings.ToLower(p.charsetName())
	default:
		return false
	}
	return true
}
