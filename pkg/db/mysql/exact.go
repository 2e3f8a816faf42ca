package mysql

import (
	"fmt"
	"io"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// plainRows are the rows until one that LOAD DATA would change or refuse. That row and what follows are left to
// INSERT, which can carry it: see appendDocument and blanks.
type plainRows struct {
	db.Rows
	rel       *route.Relation
	documents []int  // positions of JSON values
	signless  []int  // see Target.signless
	blank     []int  // see blanks
	left      db.Row // the row at which it ended; nil: all were plain
}

func (t *Target) plainRows(rel *route.Relation, rows db.Rows) *plainRows {
	p := &plainRows{Rows: rows, rel: rel, signless: t.signless(rel), blank: blanks(rel)}
	for i := range rel.Columns {
		if rel.Written(i) && rel.Column(i).Type.Kind == schema.JSON {
			p.documents = append(p.documents, i)
		}
	}
	return p
}

// Next returns io.EOF also before a row that is not plain, which is then left.
func (p *plainRows) Next() (db.Row, error) {
	row, err := p.Rows.Next()
	if err != nil {
		return nil, err
	}
	plain := countBlanks(p.blank, row) == 0
	for _, i := range p.documents {
		plain = plain && plainDocument(row[i])
	}
	if !plain {
		p.left = row
		return nil, io.EOF
	}
	return row, negativeZero(p.rel, p.signless, row)
}

// remainingRows are what plainRows left.
type remainingRows struct {
	db.Rows
	first db.Row
}

// Next returns the row that was left, then the others.
func (h *remainingRows) Next() (db.Row, error) {
	if row := h.first; row != nil {
		h.first = nil
		return row, nil
	}
	return h.Rows.Next()
}

// signless returns the positions of values whose zero has no sign on the target: MariaDB stores -0 as 0.
func (t *Target) signless(rel *route.Relation) (positions []int) {
	if t.flavor.HasNegativeZero() {
		return nil
	}
	for i := range rel.Columns {
		if kind := rel.Column(i).Type.Kind; rel.Written(i) && (kind == schema.Float || kind == schema.Double) {
			positions = append(positions, i)
		}
	}
	return positions
}

// negativeZero refuses a row that has the negative zero in one of the positions.
func negativeZero(rel *route.Relation, positions []int, row db.Row) error {
	for _, i := range positions {
		if string(row[i]) == "-0" {
			return fmt.Errorf("write row to %s: column %s is the negative zero (-0), which MariaDB stores as 0; "+
				"allow it as 0 (schema.allow_losses: [negative-zero]): %w",
				rel.Name(), rel.Column(i).Name, db.ErrUnsupported)
		}
	}
	return nil
}

// Misfits returns what finds the negative zero, where the target has none. All other values of a planned column fit.
func (t *Target) Misfits(r *route.Route) (db.Misfits, error) {
	signless := t.signless(&r.Target)
	if len(signless) == 0 {
		return nil, nil //nolint:nilnil // nil: the target holds whatever the source can
	}
	return func(row db.Row, found []db.Misfit) []db.Misfit {
		for _, i := range signless {
			if string(row[i]) == "-0" {
				found = append(found, db.Misfit{
					Value: i, Why: "is the negative zero (-0), which MariaDB stores as 0",
					Fix: "allow it as 0: schema.allow_losses: [negative-zero]",
				})
			}
		}
		return found
	}, nil
}
