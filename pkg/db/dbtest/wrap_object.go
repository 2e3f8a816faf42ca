package dbtest

import (
	"context"

	"wherry/pkg/schema"
)

// What the wrappers do about objects: a dry run prints them, a fault meets them as "objects", "execute" and "try_trigger".

func (t *dryTarget) ExecuteIn(ctx context.Context, _ schema.Session, statement string) error {
	return t.Execute(ctx, statement)
}

func (t *dryTarget) TryTrigger(context.Context, *schema.Object) error { return nil }

func (r faultyReader) Objects(ctx context.Context, match func(schema.Name) bool) ([]*schema.Object, error) {
	return get(r.f, "objects", func() ([]*schema.Object, error) { return r.Reader.Objects(ctx, match) })
}

func (t *faultyTarget) ExecuteIn(ctx context.Context, in schema.Session, statement string) error {
	return t.f.run("execute", func() error { return t.target.ExecuteIn(ctx, in, statement) })
}

func (t *faultyTarget) TryTrigger(ctx context.Context, o *schema.Object) error {
	return t.f.run("try_trigger", func() error { return t.target.TryTrigger(ctx, o) })
}
