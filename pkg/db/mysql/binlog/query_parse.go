package binlog

import "github.com/pingcap/tidb/pkg/parser/ast"

// queryChanges returns the tables whose rows a statement changes; ok is false for a statement that is not known here.
// Schema changes are none: pkg/ddl reads them.
func queryChanges(statement ast.StmtNode) (tables []*ast.TableName, ok bool) {
	switch s := statement.(type) {
	case *ast.InsertStmt:
		return queryTables(s.Table), true
	case *ast.LoadDataStmt:
		return []*ast.TableName{s.Table}, true
	case *ast.UpdateStmt: // of several tables any may be changed: which one, only the columns tell
		return queryTables(s.TableRefs), true
	case *ast.DeleteStmt:
		return queryTables(s.TableRefs), true
	default:
		return nil, false
	}
}

// queryTables returns the tables of a join, those of subqueries in it included. That is too many rather than too few.
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
