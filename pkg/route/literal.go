package route

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/mysql"
	"github.com/pingcap/tidb/pkg/parser/opcode"
	driver "github.com/pingcap/tidb/pkg/parser/test_driver"

	"wherry/pkg/schema"
)

// literalOf returns node as a literal. With an introducer (_latin1'x') or a collation it is none: these decide how it
// compares.
func literalOf(node ast.ExprNode) (*driver.ValueExpr, error) {
	value, ok := bare(node).(*driver.ValueExpr)
	switch {
	case !ok:
		return nil, fmt.Errorf("%s is no literal", text(node))
	case value.Type.GetFlag()&mysql.UnderScoreCharsetFlag != 0:
		return nil, fmt.Errorf("%s names a character set", text(node))
	}
	return value, nil
}

func isNullLiteral(node ast.ExprNode) bool {
	value, err := literalOf(node)
	return err == nil && value.Kind() == driver.KindNull
}

// What a decimal of a server can hold (MySQL manual 14.24.2).
const (
	maxDigits = 65
	maxScale  = 30
)

// readNumber reads an integer or decimal, with a sign or without. The string '7' is refused: servers may compare it
// with a column of integers as a floating point number.
func readNumber(node ast.ExprNode) (operand, error) {
	sign := ""
	if unary, ok := bare(node).(*ast.UnaryOperationExpr); ok && (unary.Op == opcode.Minus || unary.Op == opcode.Plus) {
		node = unary.V
		if unary.Op == opcode.Minus {
			sign = "-"
		}
	}
	value, err := literalOf(node)
	if err != nil {
		return operand{}, err
	}
	var number string
	switch value.Kind() {
	case driver.KindInt64:
		number = strconv.FormatInt(value.GetInt64(), 10)
	case driver.KindUint64:
		number = strconv.FormatUint(value.GetUint64(), 10)
	case driver.KindMysqlDecimal:
		number = value.GetMysqlDecimal().String()
	default:
		return operand{}, fmt.Errorf("%s is no integer or decimal", text(node))
	}
	if _, fraction, _ := strings.Cut(number, "."); len(number) > maxDigits || len(fraction) > maxScale {
		return operand{}, fmt.Errorf("%s has more than %d digits, or more than %d after the point", text(node),
			maxDigits, maxScale)
	}
	return operand{text: []byte(sign + number)}, nil
}

// readInteger reads an integer that a column of type t can hold. For others in a list MySQL 9.7 finds wrong matches:
// `u IN (-1, 5)` matches the largest BIGINT UNSIGNED. A filter must not depend on such a fault.
func readInteger(node ast.ExprNode, t *schema.Type) (operand, error) {
	value, err := readNumber(node)
	if err != nil {
		return operand{}, err
	}
	bits := 8 * t.Size
	if t.Unsigned {
		_, err = strconv.ParseUint(string(value.text), 10, bits)
	} else {
		_, err = strconv.ParseInt(string(value.text), 10, bits)
	}
	if err != nil {
		return operand{}, fmt.Errorf("%s is no integer that %s can hold, which IN and BETWEEN demand", text(node),
			t.Text)
	}
	return value, nil
}

// readYear reads a year of four digits. Servers read shorter ones as other years: 70 is 1970, and 69 is 2069.
func readYear(node ast.ExprNode) (operand, error) {
	value, err := readNumber(node)
	if n, isInt := digits(value.text); err == nil && (!isInt || n < 1901 || n > 2155) {
		return operand{}, fmt.Errorf("%s is no year from 1901 to 2155", text(node))
	}
	return value, err
}

// temporal returns the text of a string literal, or of a literal of the given kind: DATE'2024-01-01' for "date".
func temporal(node ast.ExprNode, kind string) (string, error) {
	if call, ok := bare(node).(*ast.FuncCallExpr); ok && len(call.Args) == 1 && call.FnName.L == kind {
		node = call.Args[0]
	}
	value, err := literalOf(node)
	if err != nil {
		return "", err
	}
	if value.Kind() != driver.KindString {
		return "", fmt.Errorf("%s is no string", text(node))
	}
	return value.GetString(), nil
}

// validDate returns whether a text is YYYY-MM-DD and a date of the calendar. Years below 1000, about which servers
// disagree, and dates with zero parts are not valid.
func validDate(s string) bool {
	_, err := time.Parse("2006-01-02", s)
	return err == nil && s >= "1000-01-01"
}

// readDate reads a date in the one form that compares as text.
func readDate(node ast.ExprNode) (operand, error) {
	s, err := temporal(node, ast.DateLiteral)
	if err == nil && !validDate(s) {
		err = fmt.Errorf("%q is no date, written YYYY-MM-DD", s)
	}
	return operand{text: []byte(s)}, err
}

// readDatetime reads a date, or a date and time with at most scale digits after the point, and completes it to the form
// of the column's values, so that texts can be compared: '2024-01-01' becomes 2024-01-01 00:00:00.000 at scale 3.
func readDatetime(node ast.ExprNode, scale int) (operand, error) {
	s, err := temporal(node, ast.TimestampLiteral)
	if err != nil {
		return operand{}, err
	}
	full := s
	if len(s) == len("2006-01-02") {
		full += " 00:00:00"
	}
	whole, fraction, point := strings.Cut(full, ".")
	_, isInt := digits([]byte(fraction))
	_, failed := time.Parse("2006-01-02 15:04:05", whole)
	if failed != nil || len(whole) != len("2006-01-02 15:04:05") || !validDate(whole[:10]) || point && !isInt ||
		len(fraction) > scale {
		return operand{}, fmt.Errorf("%q is no date and time with at most %d digits after the point, written "+
			"YYYY-MM-DD hh:mm:ss", s, scale)
	}
	if scale > 0 {
		whole += "." + fraction + strings.Repeat("0", scale-len(fraction))
	}
	return operand{text: []byte(whole)}, nil
}

// readTime reads a time with at most scale digits after the point.
func readTime(node ast.ExprNode, scale int) (operand, error) {
	s, err := temporal(node, ast.TimeLiteral)
	if err != nil {
		return operand{}, err
	}
	ticks, ok := parseTime([]byte(s))
	_, fraction, _ := strings.Cut(s, ".")
	if !ok || len(fraction) > scale {
		return operand{}, fmt.Errorf("%q is no time with at most %d digits after the point, written hh:mm:ss", s, scale)
	}
	return operand{ticks: ticks}, nil
}

// readText reads a string for a column of that character set. The condition's text is in UTF-8, so the column's bytes
// are known for ASCII in every character set, and beyond ASCII only in those of UTF-8.
func readText(node ast.ExprNode, charset string) (operand, error) {
	value, err := literalOf(node)
	if err != nil {
		return operand{}, err
	}
	if value.Kind() != driver.KindString {
		return operand{}, fmt.Errorf("%s is no string", text(node))
	}
	s := value.GetString()
	unicode := strings.HasPrefix(charset, "utf8")
	for _, r := range s {
		if r >= utf8.RuneSelf && (!unicode || r > 0xFFFF && charset != "utf8mb4") {
			return operand{}, fmt.Errorf("%s holds characters that are not plain in character set %s", text(node),
				charset)
		}
	}
	if !utf8.ValidString(s) {
		return operand{}, fmt.Errorf("%s is no UTF-8", text(node))
	}
	return operand{text: []byte(s)}, nil
}

// readBytes reads a string of ASCII characters, or a hexadecimal or binary literal.
func readBytes(node ast.ExprNode) (operand, error) {
	value, err := literalOf(node)
	if err == nil && value.Kind() == driver.KindBinaryLiteral {
		return operand{text: value.GetBytes()}, nil
	}
	return readText(node, "ascii")
}
