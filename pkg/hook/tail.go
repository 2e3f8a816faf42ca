package hook

import (
	"io"
	"strings"
)

// maxTail is how much of a command's stderr an error repeats, in bytes.
const maxTail = 1024

// tail passes everything on to next and keeps the end of it. One goroutine writes.
type tail struct {
	next io.Writer
	kept []byte
	cut  bool
}

// Write never fails because next does: the command's answer matters more than its output.
func (t *tail) Write(p []byte) (int, error) {
	if t.next != nil {
		_, _ = t.next.Write(p)
	}
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
		t.cut = true
	}
	return len(p), nil
}

// String is the end of the output; from its first whole line on if it was cut.
func (t *tail) String() string {
	text := strings.ToValidUTF8(string(t.kept), "?")
	if _, rest, ok := strings.Cut(text, "\n"); ok && t.cut && strings.TrimSpace(rest) != "" {
		text = rest
	}
	return strings.TrimSpace(text)
}
