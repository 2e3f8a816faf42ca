// Command library moves a database by package move alone, as any Go program can, and tells how far it is:
//
//	go run ./test/library shop.yaml
package main

import (
	"context"
	"fmt"
	"os"

	"wherry/pkg/config"
	"wherry/pkg/monitor"
	"wherry/pkg/move"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(move.Code(err))
	}
}

func run(ctx context.Context, file string) error {
	cfg, err := config.Load(config.Options{Files: []string{file}})
	if err != nil {
		return err
	}
	m, err := move.Open(cfg, move.Options{Observe: func(s monitor.Snapshot) {
		fmt.Printf("progress: %s, %d rows of %d tables, %d changes\n", s.Step, s.Rows, len(s.Tables), s.Replica.Changes)
	}})
	if err != nil {
		return err
	}
	defer m.Close()
	for _, phase := range []move.Phase{
		move.Check{},
		move.InitSchema{},
		move.InitCopy{},
		move.Follow{UntilCaughtUp: true},
		move.Verify{},
		move.Cutover{},
	} {
		result, err := m.Run(ctx, phase)
		if err != nil {
			return fmt.Errorf("%s: %w", move.Name(phase), err)
		}
		fmt.Printf("%s: %s\n", move.Name(phase), result.Detail)
	}
	return nil
}
