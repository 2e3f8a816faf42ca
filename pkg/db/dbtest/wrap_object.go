package dbtest

import (
	"context"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// The calls about objects are "objects", "execute" (ExecuteIn), "try_trigger", "try_view" and "scratch". What a scratch
// database does is not asked: nothing that counts happens there.

func (r faultyReader) Objects(ctx context.Context, match func(schema.Name) bool) ([]*schema.Object, error) {
	return get(r.f, "objects", func() ([]*schema.Object, error) { return r.Reader.Objects(ctx, match) })
}

func (t *faultyTarget) ExecuteIn(ctx context.Context, in schema.Session, statement string) error {
	return t.f.run("execute", func() error { return t.target.ExecuteIn(ctx, in, statement) })
}

func (t *faultyTarget) TryTrigger(ctx context.Context, o *schema.Object) error {
	return t.f.run("try_trigger", func() error { return t.target.TryTrigger(ctx, o) })
}

func (r faultyReader) TryView(ctx context.Context, view schema.Name, read bool) error {
	return r.f.run("try_view", func() error { return r.Reader.TryView(ctx, view, read) })
}

func (t *faultyTarget) Leftovers(ctx context.Context) ([]string, error) {
	return t.target.Leftovers(ctx)
}

func (t *faultyTarget) Scratch(ctx context.Context, plan db.ScratchPlan) (db.Scratch, error) {
	return get(t.f, "scratch", func() (db.Scratch, error) { return t.target.Scratch(ctx, plan) })
}
