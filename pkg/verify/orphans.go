package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

const (
	mostOrphans = 1000        // counting stops there
	orphanTries = 3           // counts of both ends before the target's surplus is called wrong
	orphanPause = time.Second // between tries: an application may just be adding or removing such rows
)

// References proves the foreign keys of the target, which were added unchecked: every row that references another one
// finds it there. If the source has as many such rows (foreign_key_checks=0 makes them), they are logged; if the target
// has more, it is ErrOrphans. It reads every table that has a foreign key once, with one index lookup per row.
func References(ctx context.Context, source, target db.Reader, routes []*route.Route, log zerolog.Logger) error {
	byName := make(map[schema.Name]*route.Route, len(routes))
	for _, r := range routes {
		byName[r.Source.Name()] = r
	}
	var wrong []error
	for _, child := range routes {
		for _, key := range child.Source.Table.ForeignKeys {
			parent := byName[key.Parent]
			if parent == nil {
				continue
			}
			err := references(ctx, source, target, child, parent, key, log)
			if err != nil && !errors.Is(err, ErrOrphans) {
				return err
			}
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// ErrOrphans is rows of the target whose foreign key references nothing, unlike on the source.
var ErrOrphans = errors.New("rows on the target reference rows that are not there")

func references(ctx context.Context, source, target db.Reader, child, parent *route.Route, key schema.ForeignKey,
	log zerolog.Logger,
) error {
	for look := 1; ; look++ {
		there, err := target.Orphans(ctx, &child.Target, &parent.Target, key, mostOrphans)
		if err != nil || there == 0 {
			return err
		}
		here, err := source.Orphans(ctx, &child.Source, &parent.Source, key, mostOrphans)
		if err != nil {
			return err
		}
		switch {
		case there <= here:
			log.Warn().Stringer("table", child.Source.Name()).Str("foreign_key", key.Name).Int64("rows", here).
				Msg("rows reference rows that are not there, on the source too: they were written with " +
					"foreign_key_checks=0")
			return nil
		case look == orphanTries:
			return fmt.Errorf("%w: %s of %s by foreign key %s (%d on the source): run verify --repair", ErrOrphans,
				count.Of(there, "row"), child.Target.Name(), key.Name, here)
		}
		if err := db.Pause(ctx, orphanPause); err != nil {
			return err
		}
	}
}
