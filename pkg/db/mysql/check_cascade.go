package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// logsCascades tells whether rows that a foreign key's action changes are in the log. Since MySQL 9.6 the server
// carries actions out itself, and logs them, unless innodb_native_foreign_keys is on. Before, and on MariaDB, InnoDB
// does, and the log has only the change of the parent. For example, DELETE of one customer removes 100 orders by ON
// DELETE CASCADE, and the log has one row.
func (s *server) logsCascades(ctx context.Context) (bool, error) {
	if !s.flavor.LogsCascades() {
		return false, nil
	}
	native, err := s.variable(ctx, "innodb_native_foreign_keys")
	return !strings.EqualFold(native, "ON"), err
}

// cascades refuses foreign keys whose actions are not in the log and cannot be worked out from what is there.
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
		l.add(db.Fail, "cascade", ref.Child.Source.Name().String()+"."+ref.Name,
			"changes rows when "+ref.Parent.Source.Name().String()+
				" changes, this server does not log that, and it cannot be carried out on the target: "+ref.Obstacle,
			"drop the foreign key's action for the time of the move, or exclude the table")
	}
	if carried > 0 {
		l.ok("cascade", fmt.Sprintf("the source does not log what %d foreign keys change; wherry carries that out on "+
			"the target", carried))
	}
	return nil
}

// foreignKeys refuses those that the target would not take: InnoDB lets a foreign key reference any index, MySQL
// since 8.4 only a whole unique one.
func (l *targetChecks) foreignKeys(ctx context.Context, plan db.Plan) error {
	if !l.s.flavor.HasStandardForeignKeys() {
		return nil
	}
	restricted, err := l.s.variable(ctx, "restrict_fk_on_non_standard_key")
	if err != nil || !strings.EqualFold(restricted, "ON") {
		return err
	}
	parents := map[schema.Name]*schema.Table{}
	for _, r := range plan.Routes {
		parents[r.Target.Name()] = r.Target.Table
	}
	for _, r := range plan.Routes {
		for _, f := range r.Target.Table.ForeignKeys {
			parent := parents[f.Parent]
			// A parent outside of the move is not checked: whether such a foreign key is made at all is decided
			// elsewhere.
			if parent == nil || slices.ContainsFunc(parent.UniqueIndexes(), func(x *schema.Index) bool {
				return covers(x, f.ParentColumns)
			}) {
				continue
			}
			l.add(db.Fail, "foreign_key", r.Source.Name().String()+"."+f.Name,
				fmt.Sprintf("references %s (%s), which is no whole unique key, and the target takes no such "+
					"foreign key",
					f.Parent, strings.Join(f.ParentColumns, ", ")),
				"SET GLOBAL restrict_fk_on_non_standard_key = OFF on the target, or make the key unique on the source")
		}
	}
	return nil
}

// covers tells whether an index is of exactly these columns, in whatever order.
func covers(index *schema.Index, columns []string) bool {
	if len(index.Parts) != len(columns) {
		return false
	}
	for _, part := range index.Parts {
		if part.Prefix != 0 || !slices.ContainsFunc(columns, func(c string) bool {
			return strings.EqualFold(c, part.Column)
		}) {
			return false
		}
	}
	return true
}
