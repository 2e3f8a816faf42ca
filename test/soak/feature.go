package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// features are the parts of the simulation that can be left out, to find which of them breaks a move.
var features = map[string]string{
	"keyless": "tables without a key",
	"oddkeys": "keys of types enum, set, bit and float",
	"gencol":  "generated columns",
	"sorts":   "generated columns of every sort; those that depend on the session are refused",
	"hostile": "writers whose sessions have settings that no other has, and servers with strange values for all " +
		"sessions",
	"others":   "tables of somebody else in the target's databases",
	"xa":       "transactions that are prepared first and end later",
	"hidden":   "temporary tables with the names of tables, in sessions that log them",
	"leave":    "tables that leave the move and are made anew, as logs are rotated",
	"mariadb":  "types that only MariaDB has",
	"geometry": "spatial columns",
	"json":     "json columns",
	"losses":   "crossing types and collations that need schema.allow_losses",
	"names":    "odd names",
	"filters":  "row filters",
	"routes":   "other names on the target",
	"workers":  "replicate.workers above 1",
	"large":    "transactions over whole tables",
	"kill":     "SIGKILL and SIGTERM of wherry",
	"restart":  "servers killed and started again",
	"freeze":   "servers stopped for a moment",
	"rotate":   "new log files",
	"cut":      "wherry's connections killed",
	"locks":    "locks held on the target",
	"second":   "a second wherry on the same move",
	"ddl":      "the schema changes, under load",
	"cascades": "foreign keys that act",
	"failover": "the source dies and its replica takes its place",
	"spool":    "the source's log kept on local disk",
	"rehearse": "cutovers that turn back before the switch",
	"back":     "the way back after the cutover",
	"damage":   "target rows damaged, found and repaired",
}

// featureSet says which are on.
type featureSet map[string]bool

// parseFeatures reads a list: names switch on just those, names after a minus leave those out. Empty means all of
// them, and none means none.
func parseFeatures(list string) (featureSet, error) {
	words := strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' })
	some := slices.ContainsFunc(words, func(word string) bool { return !strings.HasPrefix(word, "-") })
	set := featureSet{}
	for name := range features {
		set[name] = !some
	}
	for _, word := range words {
		name := strings.TrimPrefix(word, "-")
		if _, known := features[name]; !known && word != "none" {
			return nil, fmt.Errorf("unknown feature %q: known are none, %s", name,
				strings.Join(slices.Sorted(maps.Keys(features)), ", "))
		}
		set[name] = name == word && word != "none"
	}
	return set, nil
}
