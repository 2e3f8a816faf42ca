package postgres

import "wherry/pkg/db"

// asOf returns a statement that gives rows which are there the values that they got on the source at a moment.
func asOf(statement string, _ *db.Moment) string { return statement }
