package postgres

import (
	"errors"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/codec"
	"wherry/pkg/route"
)

// Misfits returns what finds the values of a row that PostgreSQL does not hold: it is what writes them, without a
// server.
func (t *Target) Misfits(r *route.Route) (db.Misfits, error) {
	c, err := newColumns(&r.Target)
	if err != nil {
		return nil, err
	}
	var field []byte
	return func(row db.Row, found []db.Misfit) []db.Misfit {
		for _, i := range c.written {
			written, err := c.codecs[i].AppendField(field[:0], row[i])
			if err == nil {
				field = written
				continue
			}
			m := db.Misfit{Value: i, Why: "does not fit: " + err.Error()}
			var unfit *codec.ValueError
			if errors.As(err, &unfit) {
				m.Fix = helpFor(unfit)
			}
			found = append(found, m)
		}
		return found
	}, nil
}
