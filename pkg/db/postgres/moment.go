package postgres

import (
	"fmt"
	"regexp"

	"wherry/pkg/db"
)

// timely finds a new column whose default is the time of the statement.
var timely = regexp.MustCompile(`ADD COLUMN "[^;]*DEFAULT[^;]*\b(CURRENT_|LOCALTIME|now\(|gen_random_uuid)`)

// fitsMoment refuses a statement that gives rows which are there values of its own moment: on the source they got those
// of another one, and no session of PostgreSQL has another clock.
func fitsMoment(statement string, at *db.Moment) error {
	if at == nil || at.Time.IsZero() || !timely.MatchString(statement) {
		return nil
	}
	return fmt.Errorf("%w: rows that are there would get the time of this statement, and on the source they got "+
		"that of "+
		"another one: copy the table again", db.ErrUnsupported)
}
