package wire

import "strings"

// Quote returns a string as a literal. standard_conforming_strings is on in every session.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
