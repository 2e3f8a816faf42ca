package schema

// Kind is the class of a column's type: what a value of it is, whatever a server calls it.
type Kind int

// The classes of column types. Other is a type that the server names and this package only carries.
const (
	Other Kind = iota
	Integer
	Decimal
	Float  // 4 bytes
	Double // 8 bytes
	Bit
	Char
	Varchar
	Text
	Binary
	Varbinary
	Blob
	Enum
	Set
	Date
	Time
	Datetime
	Timestamp
	Year
	JSON
	Geometry
	Vector
	UUID     // MariaDB
	INET4    // MariaDB
	INET6    // MariaDB
	Boolean  // PostgreSQL
	Interval // PostgreSQL
	Array    // PostgreSQL; the name has the elements' type, such as "text[]"
)

// Type is a column's type.
type Type struct {
	Kind Kind
	Name string // the server's base name, lower case, such as "mediumint", "longtext", "point", "uuid"

	// Size is bytes of an integer (1, 2, 3, 4, 8), uuid and inet, characters of char and varchar, bytes of binary and
	// varbinary, bits of bit, and for text and blob the number of length bytes (1 tiny, 2, 3 medium, 4 long).
	Size      int
	Precision int // digits of a decimal
	Scale     int // digits after the point of a decimal; fractional second digits of temporal types
	Unsigned  bool
	Zerofill  bool
	Labels    []string // of enum and set, in order, in UTF-8
	// Encoded is the labels and a comma in the column's own character set, as SELECT prints them, where that differs
	// from Labels.
	Encoded   [][]byte
	Unclear   bool    // the server cannot show a label, or not turn it into the character set and back
	Charset   string  // of char, varchar, text, enum and set
	Collation string  // likewise
	SRID      *uint32 // of geometry, when given
	Text      string  // the type as the server printed it, without character set and collation
}

// IsText returns whether values are characters in a character set.
func (t Type) IsText() bool {
	switch t.Kind {
	case Char, Varchar, Text, Enum, Set:
		return true
	default:
		return false
	}
}

// IsUTF8 tells whether text in the character set is UTF-8 as it is.
func IsUTF8(charset string) bool {
	switch charset {
	case "utf8mb4", "utf8mb3", "utf8":
		return true
	default:
		return false
	}
}

// Unordered returns whether the server's order of values is none: of gb18030_chinese_ci it calls X'A8A278' and
// X'81308639' equal, and sorts one below the other (seen on MySQL 9.7). A row may then be neither at or below a bound
// nor above it.
func (t Type) Unordered() bool { return t.Collation == "gb18030_chinese_ci" }

// IsBytes returns whether values are raw bytes without a character set.
func (t Type) IsBytes() bool {
	switch t.Kind {
	case Binary, Varbinary, Blob, Bit, Geometry, Vector:
		return true
	default:
		return false
	}
}

// IsNumber returns whether values are digits that need no quotes.
func (t Type) IsNumber() bool {
	switch t.Kind {
	case Integer, Decimal, Float, Double, Year:
		return true
	default:
		return false
	}
}
