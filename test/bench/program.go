package main

import (
	"slices"
	"syscall"
)

// stopSignal ends a command in good order.
const stopSignal = syscall.SIGTERM

// program is a build of wherry.
type program struct{ name, path string }

// own is the build that is measured.
func (b *bench) own() program { return program{"wherry", b.wherry} }

// turns are the builds to measure in a round: who goes first alternates.
func (b *bench) turns(round int) []program {
	programs := []program{b.own()}
	if b.before != "" {
		programs = append(programs, program{"wherry before", b.before})
	}
	if round%2 == 1 {
		slices.Reverse(programs)
	}
	return programs
}
