package hosttest

import (
	"bytes"
	"context"
	"os/exec"
	"runtime"
	"sync"
)

// process is a child that dies with us, whatever we die of.
type process struct {
	cmd   *exec.Cmd
	log   logBuffer
	ended context.Context // done when the process has ended
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	ended, end := context.WithCancel(context.Background())
	p := &process{cmd: cmd, ended: ended}
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	dieWithParent(cmd)
	started := make(chan error)
	go func() {
		// Linux sends the parent's death signal when the thread that
		// started the child ends, so that thread has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // killed: its status says nothing
		}
		end()
	}()
	return p, <-started
}

// kill ends the process by its own id and waits for its end.
func (p *process) kill() error {
	if p.ended.Err() != nil {
		return nil
	}
	err := p.cmd.Process.Kill()
	<-p.ended.Done()
	return err
}

// logBuffer keeps what a process writes.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) tail(n int) string {
	s := l.String()
	return s[max(0, len(s)-n):]
}
