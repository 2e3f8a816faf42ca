package mysql

import (
	"context"
	"fmt"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// logsCascades tells whether rows that a foreign key's action changes are in the log. Since MySQL 9.6 the server carries actions out
// itself, and logs them, unless innodb_native_foreign_keys is on; before, InnoDB does, without a word.
func (s *server) logsCascades(ctx context.Context) (bool, error) {
	if !s.flavor.LogsCascades() {
		return false, nil
	}
	native, err := s.variable(ctx, "innodb_native_foreign_keys")
	return !strings.EqualFold(native, "ON"), err
}

// cascades refuses foreign keys whose actions are not in the log and cannot be told from what is.
func (l *sourceChecks) cascades(ctx context.Context, plan db.Plan) error {
	cascades := route.NewCascades(plan.Routes)
	if cascades.Empty() {
		return nil
	}
	logged, err := l.s.logsCascades(ctx)
	if err != nil {
		return err
	}
	if logged {
		l.ok("cascade", "what foreign keys change is in the source's log")
		return nil
	}
	carried := 0
	for _, ref := range cascades.All() {
		if ref.Obstacle == "" {
			carried++
			continue
		}
		l.add(db.Fail, "cascade", ref.Child.Source.Name().String()+"."+ref.Name, "changes rows when "+ref.Parent.Source.Name().String()+
			" changes, this server does not log that, and it cannot be carried out on the target: "+ref.Obstacle,
			"drop the foreign key's action for the time of the move, or exclude the table")
	}
	if carried > 0 {
		l.ok("cascade", fmt.Sprintf("the source does not log what %d foreign keys change; wherry carries that out on the target", carried))
	}
	return nil
}
