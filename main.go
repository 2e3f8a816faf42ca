// Command wherry moves live MySQL and MariaDB databases, to their like or to PostgreSQL: copy, follow, prove, switch.
package main

import (
	"context"
	"os"

	"wherry/cmd"
)

func main() {
	os.Exit(cmd.Execute(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
