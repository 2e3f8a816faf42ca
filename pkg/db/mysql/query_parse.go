package mysql

import "github.com/pingcap/tidb/pkg/parser/ast"

// queryChanges returns the tables that a statement changes, and the database that it drops. ok is false for a statement
// that is not known here.
func queryChanges(statement ast.StmtNode) (tables []*ast.TableName, database string, ok bool) {
	switch s := statement.(type) {
	case *ast.CreateTableStmt:
		if s.TemporaryKeyword == ast.TemporaryNone {
			tables = append(tables, s.Table)
		}
	case *ast.AlterTableStmt:
		tables = append(tables, s.Table)
		for _, spec := range s.Specs {
			if spec.NewTable != nil { // RENAME TO, EXCHANGE PARTITION
				tables = append(tables, spec.NewTable)
			}
		}
	case *ast.DropTableStmt:
		if s.TemporaryKeyword == ast.TemporaryNone && !s.IsView {
			tables = s.Tables
		}
	case *ast.RenameTableStmt:
		for _, pair := range s.TableToTables {
			tables = append(tables, pair.OldTable, pair.NewTable)
		}
	case *ast.TruncateTableStmt:
		tables = append(tables, s.Table)
	case *ast.CreateIndexStmt:
		tables = append(tables, s.Table)
	case *ast.DropIndexStmt:
		tables = append(tables, s.Table)
	case *ast.DropDatabaseStmt:
		database = s.Name.O
	case *ast.InsertStmt:
		tables = queryTables(s.Table)
	case *ast.LoadDataStmt:
		tables = append(tables, s.Table)
	case *ast.UpdateStmt: // any of the tables may be changed
		tables = queryTables(s.TableRefs)
	case *ast.DeleteStmt:
		tables = queryTables(s.TableRefs)
	default:
		return nil, "", false
	}
	return tables, database, true
}

// queryTables returns the tables of a join.
func queryTables(refs *ast.TableRefsClause) []*ast.TableName {
	if refs == nil || refs.TableRefs == nil {
		return nil
	}
	v := &queryVisitor{}
	refs.TableRefs.Accept(v)
	return v.tables
}

type queryVisitor struct{ tables []*ast.TableName }

// Enter implements ast.Visitor.
func (v *queryVisitor) Enter(n ast.Node) (ast.Node, bool) {
	if t, ok := n.(*ast.TableName); ok {
		v.tables = append(v.tables, t)
	}
	return n, false
}

// Leave implements ast.Visitor.
func (v *queryVisitor) Leave(n ast.Node) (ast.Node, bool) { return n, true }
