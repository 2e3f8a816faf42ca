package db

import "wherry/pkg/route"

// Misfit is a value that a target cannot hold.
type Misfit struct {
	Value int    // its position among the values of a row
	Why   string // what is wrong with it, for all values alike: "PostgreSQL's text holds no 0x00"
	Fix   string // what lets the row through; empty: only another value does
}

// Misfits finds the values of a row, as it is read by its rules, that a target cannot hold, and appends them to found.
// It is used by one goroutine.
type Misfits func(row Row, found []Misfit) []Misfit

// Fitter is a target that knows which values it cannot hold.
type Fitter interface {
	// Misfits returns what finds them in the rows of a route; nil: the target holds whatever the source can.
	Misfits(r *route.Route) (Misfits, error)
}
