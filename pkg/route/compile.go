package route

import (
	"fmt"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/format"
	"github.com/pingcap/tidb/pkg/parser/opcode"
)

// compiler turns a condition's syntax into predicates over one relation's rows.
type compiler struct{ rel *Relation }

// refuse returns an error that shows the part of the condition and says why.
func refuse(node ast.Node, format string, args ...any) error {
	return fmt.Errorf("%w %s: %s; %s", ErrFilter, text(node), fmt.Sprintf(format, args...), supported)
}

// text writes a part of the condition for messages.
func text(node ast.Node) string {
	var b strings.Builder
	if err := node.Restore(format.NewRestoreCtx(format.DefaultRestoreFlags|format.RestoreStringWithoutDefaultCharset,
		&b)); err != nil {
		return "this part"
	}
	return b.String()
}

// condition compiles what is true, false or unknown. Anything that is not listed is refused, never approximated: `id`
// or `id + 1` alone, for instance, which servers read as <> 0.
func (c compiler) condition(node ast.ExprNode) (predicate, error) {
	switch node := node.(type) {
	case *ast.ParenthesesExpr:
		return c.condition(node.Expr)
	case *ast.UnaryOperationExpr:
		if node.Op != opcode.Not && node.Op != opcode.Not2 {
			return nil, refuse(node, "it is no condition")
		}
		inner, err := c.condition(node.V)
		return not{inner}, err
	case *ast.BinaryOperationExpr:
		return c.binary(node)
	case *ast.PatternInExpr:
		return c.in(node)
	case *ast.BetweenExpr:
		return c.between(node)
	case *ast.IsNullExpr:
		column, err := c.column(node.Expr)
		if err != nil {
			return nil, err
		}
		return negated(isNull{column}, node.Not), nil
	case *ast.ColumnNameExpr:
		return nil, refuse(node, "a column alone is no comparison, write %s <> 0", text(node))
	default:
		return nil, refuse(node, "it is no condition of the supported kind")
	}
}

func negated(p predicate, negate bool) predicate {
	if negate {
		return not{p}
	}
	return p
}

// binary compiles AND, OR and XOR; every other operator is a comparison.
func (c compiler) binary(node *ast.BinaryOperationExpr) (predicate, error) {
	switch node.Op {
	case opcode.LogicAnd, opcode.LogicOr, opcode.LogicXor:
	default:
		return c.comparison(node)
	}
	a, err := c.condition(node.L)
	if err != nil {
		return nil, err
	}
	b, err := c.condition(node.R)
	if err != nil {
		return nil, err
	}
	switch node.Op {
	case opcode.LogicAnd:
		return and{a, b}, nil
	case opcode.LogicOr:
		return or{a, b}, nil
	default:
		return xor{a, b}, nil
	}
}

// verdicts say, for each operator, whether it holds when the value is less than, equal to, or greater than the literal.
var verdicts = map[opcode.Op][3]bool{
	opcode.EQ: {false, true, false}, opcode.NullEQ: {false, true, false}, opcode.NE: {true, false, true},
	opcode.LT: {true, false, false}, opcode.LE: {true, true, false}, opcode.GT: {false, false, true},
	opcode.GE: {false, true, true},
}

// mirrored are the operators to use when both sides are exchanged: 5 < id is id > 5.
var mirrored = map[opcode.Op]opcode.Op{
	opcode.EQ: opcode.EQ, opcode.NullEQ: opcode.NullEQ, opcode.NE: opcode.NE,
	opcode.LT: opcode.GT, opcode.LE: opcode.GE, opcode.GT: opcode.LT, opcode.GE: opcode.LE,
}

// comparison compiles column op literal, and literal op column.
func (c compiler) comparison(node *ast.BinaryOperationExpr) (predicate, error) {
	if _, ok := verdicts[node.Op]; !ok {
		return nil, refuse(node, "its operator is not supported")
	}
	if isColumn(node.L) {
		return c.compare(node, node.L, node.Op, node.R, false)
	}
	if isColumn(node.R) {
		return c.compare(node, node.R, mirrored[node.Op], node.L, false)
	}
	return nil, refuse(node, "neither side is a column")
}

func isColumn(node ast.ExprNode) bool {
	_, ok := bare(node).(*ast.ColumnNameExpr)
	return ok
}

// bare strips parentheses.
func bare(node ast.ExprNode) ast.ExprNode {
	for {
		inner, ok := node.(*ast.ParenthesesExpr)
		if !ok {
			return node
		}
		node = inner.Expr
	}
}

// compare compiles column op literal. whole is shown in errors; several is set for BETWEEN, see use.
func (c compiler) compare(whole ast.Node, left ast.ExprNode, op opcode.Op, right ast.ExprNode,
	several bool,
) (predicate, error) {
	column, err := c.column(left)
	if err != nil {
		return nil, err
	}
	if isNullLiteral(right) {
		if op == opcode.NullEQ {
			return isNull{column}, nil
		}
		return never{}, nil
	}
	ordered := op != opcode.EQ && op != opcode.NE && op != opcode.NullEQ
	reader, err := comparerOf(c.rel.Column(column), use{ordered: ordered, several: several})
	if err != nil {
		return nil, refuse(whole, "%v", err)
	}
	value, err := reader.read(right)
	if err != nil {
		return nil, refuse(whole, "%v", err)
	}
	p := &compare{column: column, by: reader.by, operand: value, verdict: verdicts[op], null: unknown}
	if op == opcode.NullEQ {
		p.null = no
	}
	return p, nil
}

// in compiles column IN (literals). A NULL among them makes the result unknown where no literal matches:
// `id NOT IN (1, NULL)` is never true.
func (c compiler) in(node *ast.PatternInExpr) (predicate, error) {
	if node.Sel != nil {
		return nil, refuse(node, "a subquery is not supported")
	}
	column, err := c.column(node.Expr)
	if err != nil {
		return nil, err
	}
	reader, err := comparerOf(c.rel.Column(column), use{several: true})
	if err != nil {
		return nil, refuse(node, "%v", err)
	}
	p := &in{column: column, by: reader.by}
	for _, item := range node.List {
		if isNullLiteral(item) {
			p.null = true
			continue
		}
		value, err := reader.read(item)
		if err != nil {
			return nil, refuse(node, "%v", err)
		}
		p.operands = append(p.operands, value)
	}
	return negated(p, node.Not), nil
}

// between compiles BETWEEN as the two comparisons that it stands for. With NULL as a bound the two are not the same:
// `5 BETWEEN 7 AND NULL` should be false by its first half, but of temporal values MySQL 9.7 makes it unknown.
func (c compiler) between(node *ast.BetweenExpr) (predicate, error) {
	if isNullLiteral(node.Left) || isNullLiteral(node.Right) {
		return nil, refuse(node, "servers read BETWEEN with NULL in different ways")
	}
	low, err := c.compare(node, node.Expr, opcode.GE, node.Left, true)
	if err != nil {
		return nil, err
	}
	high, err := c.compare(node, node.Expr, opcode.LE, node.Right, true)
	if err != nil {
		return nil, err
	}
	return negated(and{low, high}, node.Not), nil
}

// column returns the position within a row of the column that node names. A generated column has none: the log and the
// copy carry no value of it.
func (c compiler) column(node ast.ExprNode) (int, error) {
	named, ok := bare(node).(*ast.ColumnNameExpr)
	if !ok {
		return 0, refuse(node, "it is no column")
	}
	table := c.rel.Table
	if s := named.Name.Schema.O; s != "" && s != table.Name.Database {
		return 0, refuse(node, "it is a column of another database than %s", table.Name.Database)
	}
	if t := named.Name.Table.O; t != "" && t != table.Name.Table {
		return 0, refuse(node, "it is a column of another table than %s", table.Name.Table)
	}
	at := table.Column(named.Name.Name.O)
	if at < 0 {
		return 0, fmt.Errorf("no column %s in table %s", named.Name.Name.O, table.Name)
	}
	for i, column := range c.rel.Columns {
		if column == at {
			return i, nil
		}
	}
	return 0, refuse(node, "a generated column is not in the rows that move")
}
