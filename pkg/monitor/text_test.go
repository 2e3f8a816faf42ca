package monitor

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCells(t *testing.T) {
	assert.Equal(t, 6, cells("\x1b[1mörders\x1b[0m"))
	assert.Equal(t, 6, cells("注文.a"))
	assert.Equal(t, 1, cells("e\u0301"))
}

func TestClean(t *testing.T) {
	assert.Equal(t, "a b ?[2Jc ? ö", clean("a\nb\t\x1b[2Jc \u202e ö"))
}

func TestFit(t *testing.T) {
	assert.Equal(t, "orders", fit("orders", 6))
	assert.Equal(t, "shop...tory", fit("shop.orders_history", 11))
	assert.Equal(t, "sh", fit("shop.orders", 2))
	assert.Empty(t, fit("shop", 0))
	assert.Equal(t, "注...録", fit("注文と在庫の記録", 7))
	for n := range 20 {
		assert.LessOrEqual(t, cells(fit("注文と在庫の記録.items_and_more", n)), n)
	}
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{"one two", "three", "extraordinarily", "x"}, wrap("one two\nthree  extraordinarily x", 9))
	assert.Equal(t, []string{"one two three"}, wrap("one two three", 0))
	assert.Equal(t, []string{""}, wrap(" ", 9))
}
