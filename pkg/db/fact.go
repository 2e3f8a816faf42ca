package db

// Names of the facts that tell what a move found, and about the way back.
const (
	// those of FactTables that were there before the move, empty, as a JSON list too
	FactFound = "found"
	// the end of the target's own log when it took over: the way back begins after it
	FactReturn = "return_position"
	// the target's tables as they were when it took over, as records of the way back, a JSON list
	FactReturnTables = "return_tables"
	// on the way back: tables whose definition cannot be carried over, and why, as a JSON object
	FactFixed   = "fixed_tables"
	FactReverse = "reverse" // when the way back was begun, which keeps bookkeeping of its own on the source
	// the cutover under way, if any, as JSON: what its fence will put back, and which steps are done
	FactJournal = "cutover_journal"
)
