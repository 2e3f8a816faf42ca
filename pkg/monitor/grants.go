package monitor

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
)

// Grants returns the GRANT statements for what the checks of one end need, one for each object (*.*, shop.*). account
// is who gets them, written as GRANT has it; "" is the account that was checked. Unless all is set, they grant only
// what that account lacks.
func Grants(findings []db.Finding, end, account string, all bool) []string {
	var order []string
	privileges, to := map[string][]string{}, map[string]string{}
	for _, f := range findings {
		if f.End != end {
			continue
		}
		for _, n := range f.Needs {
			if n.Met && !all {
				continue
			}
			if privileges[n.On] == nil {
				order = append(order, n.On)
			}
			if !slices.Contains(privileges[n.On], n.Privilege) {
				privileges[n.On] = append(privileges[n.On], n.Privilege)
			}
			to[n.On] = n.Account
		}
	}
	statements := make([]string, len(order))
	for i, on := range order {
		if account != "" {
			to[on] = account
		}
		statements[i] = fmt.Sprintf("GRANT %s ON %s TO %s", strings.Join(privileges[on], ", "), on, to[on])
	}
	return statements
}
