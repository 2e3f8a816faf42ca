package route

// truth is a value of SQL's three-valued logic.
type truth int8

// In this order AND is the minimum of two values and OR the maximum.
const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth { return yes - t }

// predicate decides on a row of canonical bytes. It runs for every row of the log, so it must not allocate.
type predicate interface{ eval(row [][]byte) truth }

type and struct{ a, b predicate }

func (p and) eval(row [][]byte) truth { return min(p.a.eval(row), p.b.eval(row)) }

type or struct{ a, b predicate }

func (p or) eval(row [][]byte) truth { return max(p.a.eval(row), p.b.eval(row)) }

type xor struct{ a, b predicate }

// eval is unknown if either side is: unlike AND and OR no side decides alone.
func (p xor) eval(row [][]byte) truth {
	a, b := p.a.eval(row), p.b.eval(row)
	if a == unknown || b == unknown {
		return unknown
	}
	return truthOf(a != b)
}

type not struct{ a predicate }

func (p not) eval(row [][]byte) truth { return p.a.eval(row).not() }

// isNull is column IS NULL, which is never unknown.
type isNull struct{ column int }

func (p isNull) eval(row [][]byte) truth { return truthOf(row[p.column] == nil) }

// never is a comparison with NULL: always unknown. NOT of it is unknown too, which is why it is not simply false.
type never struct{}

func (never) eval([][]byte) truth { return unknown }

// operand is a literal in the form in which values of its column compare.
type operand struct {
	text  []byte
	ticks int64 // of a time: microseconds
}

// comparer orders a value of a column and a literal: negative when the value is less, zero, or positive.
type comparer func(value []byte, o *operand) int

// compare is column op literal. verdict has, for each outcome of the comparer (less, equal, greater), whether the
// condition is met.
type compare struct {
	column  int
	by      comparer
	operand operand
	verdict [3]bool
	null    truth // when the value is NULL
}

func (p *compare) eval(row [][]byte) truth {
	value := row[p.column]
	if value == nil {
		return p.null
	}
	return truthOf(p.verdict[sign(p.by(value, &p.operand))+1])
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	default:
		return 0
	}
}

// in is column IN (literals); null means that a NULL is among them.
type in struct {
	column   int
	by       comparer
	operands []operand
	null     bool
}

func (p *in) eval(row [][]byte) truth {
	value := row[p.column]
	if value == nil {
		return unknown
	}
	for i := range p.operands {
		if p.by(value, &p.operands[i]) == 0 {
			return yes
		}
	}
	if p.null {
		return unknown
	}
	return no
}
