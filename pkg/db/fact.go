package db

// Names of the facts that tell what a move found, and about the way back.
const (
	FactFound        = "found"           // those of FactTables that were there before the move, empty, as a JSON list too
	FactReturn       = "return_position" // the end of the target's own log when it took over: the way back begins after it
	FactReturnTables = "return_tables"   // the target's tables as they were when it took over, as records of the way back, a JSON list
	FactFixed        = "fixed_tables"    // on the way back: tables whose definition cannot be carried over, and why, as a JSON object
	FactReverse      = "reverse"         // when the way back was begun, which keeps bookkeeping of its own on the source
	FactJournal      = "cutover_journal" // the cutover under way, if any, as JSON: what its fence will put back, and which steps are done
)
