package dbtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

func TestServer(t *testing.T) { conform(t, NewServer, NewServer) }

// TestFamilies has a target of the other family.
func TestFamilies(t *testing.T) { conform(t, NewServer, NewOther) }

func conform(t *testing.T, left, right func(name string) *Server) {
	source, target := left("source"), right("target")
	Run(t, Harness{
		Source: func(*testing.T) (db.Source, Writer) {
			source = left("source")
			return source.Source(), &memoryWriter{source}
		},
		Target: func(*testing.T) db.Target {
			target = right("target")
			return target.Target("suite")
		},
		Reopen: func(*testing.T) db.Target { return target.Target("suite") },
		Purge:  func(t *testing.T) { require.NoError(t, source.Truncate(position(source.head()))) },
		Fences: []db.FenceKind{db.FenceReadOnly, db.FenceLockTables},
	})
}

// memoryWriter is the suite's writer to a Server.
type memoryWriter struct{ s *Server }

func (w *memoryWriter) Create(_ context.Context, spec Spec) error {
	t := &schema.Table{Name: spec.Name}
	for _, c := range spec.Columns {
		column := schema.Column{Name: c.Name, Nullable: c.Null, AutoIncrement: c.Automatic}
		switch c.Kind {
		case schema.Integer:
			column.Type = schema.Type{Kind: c.Kind, Name: "bigint", Size: 8}
		case schema.Varchar:
			column.Type = schema.Type{Kind: c.Kind, Name: "varchar", Size: 200, Charset: cmp.Or(c.Charset, "utf8mb4")}
		case schema.Varbinary:
			column.Type = schema.Type{Kind: c.Kind, Name: "varbinary", Size: 300}
		default:
			return fmt.Errorf("no column of kind %d", c.Kind)
		}
		t.Columns = append(t.Columns, column)
	}
	index := func(name string, unique bool, columns ...string) schema.Index {
		i := schema.Index{Name: name, Unique: unique}
		for _, c := range columns {
			i.Parts = append(i.Parts, schema.Part{Column: c})
		}
		return i
	}
	if len(spec.Key) > 0 {
		primary := index("PRIMARY", true, spec.Key...)
		t.Primary = &primary
	}
	for _, c := range spec.Unique {
		t.Indexes = append(t.Indexes, index("u_"+c, true, c))
	}
	for _, c := range spec.Index {
		t.Indexes = append(t.Indexes, index("i_"+c, false, c))
	}
	statements := []string{CreateTable(t)}
	if spec.ParentKey != "" {
		t.ForeignKeys = []schema.ForeignKey{{
			Name: "f_" + spec.ParentKey, Columns: []string{spec.ParentKey},
			Parent: spec.Parent, ParentColumns: []string{spec.ParentKey},
		}}
		statements = append(statements, AddForeignKeys(t))
	}
	return w.s.DDL(db.DDL{Statement: "create"}, statements...)
}

func (w *memoryWriter) AddColumn(ctx context.Context, table schema.Name, column string) error {
	tables, err := w.s.Source().Tables(ctx, func(n schema.Name) bool { return n == table })
	if err != nil {
		return err
	}
	t := *tables[0]
	t.Columns = append(slices.Clone(t.Columns), schema.Column{
		Name: column, Nullable: true,
		Type: schema.Type{Kind: schema.Integer, Name: "bigint", Size: 8},
	})
	return w.s.DDL(db.DDL{Statement: "add " + column}, ReplaceTable(&t))
}

func (w *memoryWriter) CreateView(ctx context.Context, view, table schema.Name) error {
	tables, err := w.s.Source().Tables(ctx, func(n schema.Name) bool { return n == table })
	if err != nil {
		return err
	}
	o := &schema.Object{Kind: schema.ViewObject, Name: view}
	for _, c := range tables[0].Columns {
		o.Columns = append(o.Columns, c.Name)
	}
	return w.s.DDL(db.DDL{Statement: "create view"}, CreateObject(o))
}

func (w *memoryWriter) Begin(context.Context) (WriteTx, error) {
	return &memoryWriteTx{w.s.Begin()}, nil
}

type memoryWriteTx struct{ tx *Tx }

func (t *memoryWriteTx) Write(_ context.Context, writes ...Write) error {
	for _, w := range writes {
		var key db.Row
		err := t.tx.with(w.Table, func(o *overlay) error {
			if w.Before != nil {
				key = w.Before.Pick(o.keyColumns())
			}
			return nil
		})
		switch {
		case err != nil:
		case w.Before == nil:
			err = t.tx.Insert(w.Table, w.After)
		case w.After == nil:
			err = t.tx.Delete(w.Table, key)
		default:
			err = t.tx.Update(w.Table, key, w.After)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *memoryWriteTx) Commit(ctx context.Context) error { return t.tx.Commit(ctx) }

func (t *memoryWriteTx) Rollback() error { return nil }
