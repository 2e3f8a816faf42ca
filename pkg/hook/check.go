package hook

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// Check finds out, without running the command, whether it can run: the shell accepts its syntax, and its first
// word is an executable or known to the shell. Where the first word is only known at run time, it is let pass.
func Check(command string) error {
	if strings.TrimSpace(command) == "" {
		return ErrNoCommand
	}
	if err := checkSyntax(command); err != nil {
		return err
	}
	word, known := firstWord(command)
	if !known || slices.Contains(shellWords(), word) {
		return nil
	}
	if _, err := exec.LookPath(word); err != nil && !errors.Is(err, exec.ErrDot) {
		if e, ok := errors.AsType[*exec.Error](err); ok {
			err = e.Err
		}
		return fmt.Errorf("%w: %q: %w", ErrNotFound, word, err)
	}
	return nil
}

// checkSyntax lets the shell read the command without running it.
func checkSyntax(command string) error {
	var said bytes.Buffer
	cmd := exec.Command("sh", "-n", "-c", command)
	cmd.Stderr = &said
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("invalid command: %s", strings.TrimSpace(said.String()))
	}
	if err != nil {
		return fmt.Errorf("check command: %w", err)
	}
	return nil
}

// firstWord is the command's name after assignments such as A=1, quotes removed. known is false if the
// shell has to work it out.
func firstWord(command string) (word string, known bool) {
	assignment := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	rest := strings.TrimSpace(command)
	for {
		text, after, ok := cutWord(rest)
		if !ok || text == "" {
			return "", false
		}
		if !assignment.MatchString(text) {
			return text, true
		}
		rest = strings.TrimSpace(after)
	}
}

// cutWord takes one shell word off the front. ok is false where expansion, redirection or a comment begins.
func cutWord(s string) (word, rest string, ok bool) {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == '\'':
			b.WriteByte(c)
		case strings.IndexByte("$`\\", c) >= 0:
			return "", "", false
		case quote != 0:
			b.WriteByte(c)
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte(" \t\r\n;&|", c) >= 0:
			return b.String(), s[i:], true
		case strings.IndexByte("(){}<>#*?[~!", c) >= 0:
			return "", "", false
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", quote == 0
}

// shellWords are the names that POSIX gives to the shell itself (sections 2.4, 2.14 and the regular built-ins).
func shellWords() []string {
	return []string{
		"if", "for", "while", "until", "case",
		".", ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift",
		"times", "trap", "unset", "alias", "bg", "cd", "command", "false", "fg", "getopts", "hash", "jobs", "kill",
		"pwd", "read", "test", "[", "true", "type", "ulimit", "umask", "unalias", "wait", "echo", "printf",
	}
}
