package verify_test

import (
	"os"
	"testing"

	"wherry/pkg/db/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Twice(m)) }
