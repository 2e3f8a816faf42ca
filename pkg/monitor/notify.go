package monitor

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Notifier tells the service manager how the process is, by the protocol of sd_notify(3). Without a socket it does
// nothing.
type Notifier struct {
	socket   string
	watchdog time.Duration
}

// NewNotifier takes the values of NOTIFY_SOCKET (a path, or @ and an abstract name) and WATCHDOG_USEC. A watchdog time
// that cannot be read is none.
func NewNotifier(socket, watchdogUsec string) *Notifier {
	n := &Notifier{socket: socket}
	if usec, err := strconv.ParseInt(watchdogUsec, 10, 64); err == nil && usec > 0 &&
		usec <= int64(24*time.Hour/time.Microsecond) {
		n.watchdog = time.Duration(usec) * time.Microsecond
	}
	return n
}

// Notify sends a state such as "READY=1"; several are separated by line breaks.
func (n *Notifier) Notify(state string) error {
	if n.socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("notify service manager: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return fmt.Errorf("notify service manager: %w", err)
	}
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify service manager: %w", err)
	}
	return nil
}

// Ready tells that the service is up, and what it does.
func (n *Notifier) Ready(status string) error {
	return n.Notify("READY=1\nSTATUS=" + oneLine(status))
}

// Status tells in one line what the service does.
func (n *Notifier) Status(text string) error { return n.Notify("STATUS=" + oneLine(text)) }

// Stopping tells that the service is about to end.
func (n *Notifier) Stopping() error { return n.Notify("STOPPING=1") }

// Watch sends WATCHDOG=1, twice as often as asked for, whenever alive returns true, until ctx ends. It returns at once
// if there is no watchdog. A signal that cannot be sent is not an error: the next one may get through, and if none
// does, the service manager restarts the process, which is what it is for.
func (n *Notifier) Watch(ctx context.Context, alive func() bool) {
	if n.socket == "" || n.watchdog == 0 {
		return
	}
	ticker := time.NewTicker(n.watchdog / 2)
	defer ticker.Stop()
	for {
		if alive() {
			_ = n.Notify("WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// oneLine keeps a status from adding lines to the message, which the protocol would read as other assignments.
func oneLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }
