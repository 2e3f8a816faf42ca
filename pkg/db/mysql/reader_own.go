package mysql

import (
	"io"

	"wherry/pkg/db"
	"wherry/pkg/db/canon"
	"wherry/pkg/route"
)

// ownRange returns how the relation's rows are read, and a range as the server has it.
func ownRange(rel *route.Relation, r db.Range) (*canon.Reading, db.Range, error) {
	reading, err := canon.NewReading(rel)
	if err != nil {
		return nil, r, err
	}
	own, err := reading.OwnRange(r)
	return reading, own, err
}

// noRows is the answer to a question for keys that the server can have none of.
type noRows struct{}

// Next returns that there is none.
func (noRows) Next() (db.Row, error) { return nil, io.EOF }

// Close does nothing.
func (noRows) Close() error { return nil }
