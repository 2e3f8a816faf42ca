package wire

// RoleCount, SameSetting and DecidedValue are for tests against servers, which are outside of the package as their
// harness is.
const RoleCount = roleCount

// SameSetting is sameSetting.
var SameSetting = sameSetting

// DecidedValue is what sessions of a role set a variable to, "" for nothing; known is false when nothing is decided
// of it.
func DecidedValue(role Role, name string) (value string, known bool) {
	v, known := sessionOf(name)
	if other, ok := roleValues[role][name]; ok {
		return other, known
	}
	return v.value, known
}
