package hook

import (
	"errors"
	"syscall"
	"time"
)

const pollEvery = 10 * time.Millisecond

// killGroup ends a process group, first asking, and returns when its leader has been waited for.
func killGroup(pgid int, ended <-chan struct{}) {
	_ = syscall.Kill(-pgid, syscall.SIGTERM)
	for deadline := time.Now().Add(grace); groupLives(pgid) && time.Now().Before(deadline); {
		select {
		case <-ended:
			ended = nil // the leader is gone, others of the group may not be
		case <-time.After(pollEvery):
		}
	}
	_ = syscall.Kill(-pgid, syscall.SIGKILL)
	if ended != nil {
		<-ended
	}
}

// groupLives is true while the group has a process, one not yet waited for included.
func groupLives(pgid int) bool { return !errors.Is(syscall.Kill(-pgid, 0), syscall.ESRCH) }
