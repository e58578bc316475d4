package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"sync"
	"time"
)

const processStart = 30 * time.Second

// process is another process of this program, or of another build.
type process struct {
	url   string
	cmd   *exec.Cmd
	stdin io.Closer
	lines sync.WaitGroup
}

// addresses matches the address that a started process prints, in a line of its own or in a log record.
var addresses = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// startProcess starts a command of this program and waits until it listens. The process ends with stop, or when its standard
// input is closed because this process has died.
func startProcess(ctx context.Context, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startProgram(ctx, program, nil, args...)
}

// startProgram does the same with any build. It passes secrets in env, in addition to the environment of this process, because
// other users can see arguments.
func startProgram(ctx context.Context, program string, env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...)}
	p.cmd.Env = append(os.Environ(), env...)
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	found := make(chan string, 1)
	var last string
	p.lines.Go(func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			last = lines.Text()
			if url := addresses.FindString(last); url != "" {
				select {
				case found <- url:
				default:
				}
			}
		}
		close(found)
	})
	ctx, cancel := context.WithTimeout(ctx, processStart)
	defer cancel()
	select {
	case url, ok := <-found:
		if ok {
			p.url = url
			return p, nil
		}
		return nil, errors.Join(fmt.Errorf("%s did not start: %s", args[0], last), p.stop())
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", args[0], ctx.Err()), p.stop())
	}
}

// stop ends the process as an operator would.
func (p *process) stop() error {
	if err := terminate(p.cmd.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := p.wait(); err != nil && runtime.GOOS != "windows" { // where terminate kills
		return fmt.Errorf("%s failed: %w", p.cmd.Args[1], err)
	}
	return nil
}

// kill ends the process at once.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("%s has ended: %w", p.cmd.Args[1], errors.Join(err, p.wait()))
	}
	_ = p.wait() // reports that it was killed
	return nil
}

// wait waits until the process has ended.
func (p *process) wait() error {
	_ = p.stdin.Close() // the process may have ended already
	p.lines.Wait()
	return p.cmd.Wait()
}
