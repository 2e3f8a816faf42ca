package config

import (
	"regexp"
	"strings"
)

// redactKey hides secrets in the values of keys that are commands.
func redactKey(key, value string) string {
	if strings.HasSuffix(key, ".password_command") || strings.HasPrefix(key, "hooks.") && key != "hooks.timeout" {
		return redactCommand(value)
	}
	return value
}

const (
	// word is one argument, quoted or not.
	word = `("[^"]*"|'[^']*'|[^\s|;&]+)`
	// secretName is what the name of an option, a variable or a header contains if its value is a secret, such as
	// --db-password, API_KEY or X-Auth-Token.
	secretName = `(?:password|passwd|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|` +
		`auth|credential|bearer)`
)

// secretShapes are the places in a command where secrets stand, each with what is kept.
var secretShapes = []struct {
	find *regexp.Regexp
	keep string
}{
	{regexp.MustCompile(`(?i)((?:authorization|proxy-authorization|x-[\w-]*(?:token|key|auth)[\w-]*)\s*:\s*)` +
		`[^"'\n]+`), "${1}" + redacted},
	{regexp.MustCompile(`(?i)((?:^|[\s;&|(])(?:/\S*/)?(?:echo|printf)\s)[^|;&)]+`), "${1}" + redacted + " "},
	{regexp.MustCompile(`(?i)((?:^|\s)--?[\w-]*` + secretName + `[\w-]*(?:=|\s+))` + word), "${1}" + redacted},
	{regexp.MustCompile(`(?i)(\b\w*` + secretName + `\w*=)` + word), "${1}" + redacted},
	{regexp.MustCompile(`(\s-p)` + word), "${1}" + redacted},                         // of mysql and its like
	{regexp.MustCompile(`(\s(?:-u|--user)[= ]?[^\s:]+:)` + word), "${1}" + redacted}, // of curl
	{regexp.MustCompile(`(://[^\s/:@]+:)[^\s/@]+(@)`), "${1}" + redacted + "${2}"},
	// Tokens that are known by their first letters: of Vault, GitHub, Slack and AWS, and JSON web tokens.
	{regexp.MustCompile(`\b(?:hvs|hvb|s)\.[A-Za-z0-9_-]{16,}|\bgh[pousr]_\w+|\bxox[abprs]-[\w-]+|` +
		`\bA[KS]IA[0-9A-Z]{12,}|\beyJ[\w-]+\.[\w-]+\.?[\w-]*`), redacted},
}

// longWord may be a key or a hash: 20 characters or more. redactCommand hides it if it has letters and digits.
var longWord = regexp.MustCompile(`[A-Za-z0-9+_=-]{20,}`)

// redactCommand hides what looks like a secret in a command line. It would rather hide too much.
func redactCommand(command string) string {
	for _, shape := range secretShapes {
		command = shape.find.ReplaceAllString(command, shape.keep)
	}
	return longWord.ReplaceAllStringFunc(command, func(w string) string {
		letters := strings.ContainsAny(strings.ToLower(w), "abcdefghijklmnopqrstuvwxyz")
		if letters && strings.ContainsAny(w, "0123456789") {
			return redacted
		}
		return w
	})
}
