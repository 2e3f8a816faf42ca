package schema

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLossNamesAreSortedAndSayWhatTheyMean(t *testing.T) {
	assert.True(t, slices.IsSortedFunc(LossNames, func(a, b LossName) int { return strings.Compare(a.Name, b.Name) }))
	for _, loss := range LossNames {
		assert.Regexp(t, "^[a-z0-9]+(-[a-z0-9]+)*$", loss.Name)
		assert.NotEmpty(t, loss.Means, loss.Name)
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		grade            Grade
		refuses, allowed bool
	}{{Note, false, false}, {Rare, false, false}, {Lossy, true, false}, {Fatal, true, true}} {
		assert.Equal(t, c.refuses, Loss{Grade: c.grade}.Refuses(), c.grade)
		assert.Equal(t, c.allowed, Loss{Grade: c.grade, Allowed: true}.Refuses(), "%s, allowed", c.grade)
	}
}
