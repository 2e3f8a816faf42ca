package postgres

// checks carries CHECK constraints.
func (m *mapping) checks() {
}
