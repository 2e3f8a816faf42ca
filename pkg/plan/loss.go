package plan

import (
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// loss adds the finding for something that the target cannot hold as the source has it. Only a lossy one that is not
// allowed, and a fatal one, fail. A rare one is a note even if it is not allowed: most tables have no such row, and the
// first one that comes stops the move.
func (b *builder) loss(l *schema.Loss) {
	table := l.Table.String()
	subject, part := table, "table"
	if l.Column != "" {
		subject, part = table+"."+l.Column, "column"
	}
	switch {
	case l.Grade == schema.Note, l.Grade == schema.Rare && !l.Allowed:
		b.add(db.OK, "note:"+l.Name, subject, l.What, "")
	case l.Grade != schema.Fatal && l.Allowed:
		b.add(db.Warn, "loss:"+l.Name, subject, l.What+" (allowed)",
			"nothing, if that is meant: schema.allow_losses allows it")
	case l.Grade == schema.Lossy:
		b.fail("loss:"+l.Name, subject, l.What, fmt.Sprintf("to accept this, write allow_losses: [%q] under schema "+
			"in the configuration, or [%s] for all tables; "+
			"or change the %s, or exclude the table", l.Name+"@"+table, l.Name, part))
	default:
		b.fail("loss:"+l.Name, subject, l.What, "change the "+part+", or exclude the table")
	}
}
