package mysql

import (
	"context"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// Effects tells what a statement of the log does to tables. The server is asked only for what new tables have by default.
func (s *Source) Effects(_ context.Context, change *db.DDL, _ func(schema.Name) *schema.Table) ([]schema.Effect, error) {
	return nil, fmt.Errorf("%w: %.200s", schema.ErrUnknownStatement, change.Statement)
}
