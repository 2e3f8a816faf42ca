package monitor

import (
	"io"
	"strings"
)

// WriteTable writes rows below a header (nil for none) in aligned columns. A column of numbers,
// as digits or as Count writes them, stands to the right.
func WriteTable(w io.Writer, header []string, rows [][]string) error {
	widths, right := measure(header, rows)
	var b strings.Builder
	for i, row := range append([][]string{header}, rows...) {
		if i == 0 && header == nil {
			continue
		}
		line := make([]string, len(row))
		for j, value := range row {
			line[j] = pad(clean(value), widths[j], right[j])
		}
		b.WriteString(strings.TrimRight(strings.Join(line, "  "), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// measure returns the width of each column, and whether it is to the right: all its values are numbers.
func measure(header []string, rows [][]string) (widths []int, right []bool) {
	columns := len(header)
	for _, row := range rows {
		columns = max(columns, len(row))
	}
	widths, right = make([]int, columns), make([]bool, columns)
	for j, value := range header {
		widths[j] = cells(clean(value))
	}
	for j := range columns {
		numbers, others := 0, 0
		for _, row := range rows {
			if j >= len(row) || row[j] == "" {
				continue
			}
			widths[j] = max(widths[j], cells(clean(row[j])))
			switch {
			case row[j] == "-": // none
			case number(row[j]):
				numbers++
			default:
				others++
			}
		}
		right[j] = numbers > 0 && others == 0
	}
	return widths, right
}

// number tells whether a text is a number as Count writes it: 950, 1.2 k, 40%.
func number(s string) bool {
	digits := strings.TrimRight(strings.TrimPrefix(s, "-"), " kMGT%")
	return digits != "" && strings.Trim(digits, "0123456789.") == ""
}
