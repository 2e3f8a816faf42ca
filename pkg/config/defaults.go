package config

import "time"

// Defaults is the Config before any file, variable or flag. It is not valid by itself: the move's name, the
// two servers and the tables have no default.
func Defaults() Config {
	return Config{
		State:   "wherry-state.yaml",
		Source:  Source{Endpoint: defaultEndpoint()},
		Target:  defaultEndpoint(),
		Tables:  Tables{Include: []string{}, Exclude: []string{}},
		Routes:  []Route{},
		Filters: []Filter{},
		Alter:   []Alter{},
		Schema:  Schema{Existing: "refuse", AllowLosses: []string{}, Types: []TypeRule{}, Materialize: []string{}},
		Copy: Copy{
			Workers:        4,
			ChunkBytes:     16 * MiB,
			DeferIndexes:   true,
			IndexWorkers:   2,
			BinlogOnTarget: true,
			Load:           "auto",
		},
		Replicate: Replicate{
			BatchRows:  5000,
			BatchBytes: 16 * MiB,
			BatchAge:   500 * time.Millisecond,
			Workers:    1,
			DDL:        "apply",
			RetryFor:   10 * time.Minute,
		},
		Verify: Verify{Workers: 4, ChunkRows: 10000},
		Cutover: Cutover{
			Fence:        "read_only",
			Timeout:      30 * time.Second,
			MaxLag:       5 * time.Second,
			Verify:       "changed",
			MaxVerifyAge: 24 * time.Hour,
			Objects:      []string{},
			Definer:      DefinerKeep,
		},
		Hooks: Hooks{Timeout: 30 * time.Second},
		Log:   Log{Level: "info", Format: "auto"},
	}
}

// defaultEndpoint is what both servers begin with. TLS is preferred and not required: a server without a certificate
// works at once, and with one the connection is encrypted.
func defaultEndpoint() Endpoint {
	return Endpoint{
		Engine:         "mysql",
		Port:           3306,
		TLS:            TLS{Mode: "preferred"},
		ConnectTimeout: 10 * time.Second,
	}
}
