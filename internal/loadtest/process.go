package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// process is a contestant that runs.
type process struct {
	contestant
	address string
	cmd     *exec.Cmd
	pid     int
	stdin   io.Closer
	next    int // the first package that no request has named
}

// start starts a contestant in a process of its own, and sees that it answers
// as documented.
func start(ctx context.Context, c contestant, p preparation, profiles string) (_ *process, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("start %s: %w", c.name, err)
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if !c.fresh {
		p.packages = 0
	}
	cmd := exec.CommandContext(ctx, self, "-serve", c.name, "-dir", p.dir,
		"-packages", strconv.Itoa(p.packages), "-profiles", profiles) //nolint:gosec // itself
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &process{contestant: c, cmd: cmd, pid: cmd.Process.Pid, stdin: stdin}
	if s.address, err = bufio.NewReader(stdout).ReadString('\n'); err == nil {
		s.address = strings.TrimSpace(s.address)
		err = s.answers(p.request)
	}
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// stop ends the process.
func (s *process) stop() error {
	return errors.Join(s.stdin.Close(), s.cmd.Wait())
}

// answers sends the request once: the answer is 200 with nothing in it.
func (s *process) answers(r request) error {
	req, err := r.http(s.address)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Minute} // packages may have to be added first
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || len(body) > 0 {
		return fmt.Errorf("answered %s: %s", res.Status, body)
	}
	return nil
}

// cpu returns the processor time that the process has taken so far, its own
// and the kernel's for it.
func (s *process) cpu() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		return 0, err
	}
	return parseStat(data)
}

// parseStat reads utime and stime in proc_pid_stat(5), in the hundredths of a
// second that Linux counts in (USER_HZ).
func parseStat(data []byte) (time.Duration, error) {
	const utime, stime = 14 - 3, 15 - 3   // counted from the third field on
	end := bytes.LastIndexByte(data, ')') // of the second, which may have blanks
	fields := strings.Fields(string(data[end+1:]))
	if end < 0 || len(fields) <= stime {
		return 0, fmt.Errorf("malformed /proc/PID/stat: %q", data)
	}
	var total time.Duration
	for _, field := range []string{fields[utime], fields[stime]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("malformed /proc/PID/stat: %w", err)
		}
		total += time.Duration(n) * time.Second / 100
	}
	return total, nil
}

// memory returns how much memory the process holds, and has held at most.
func (s *process) memory() (held, most int64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		return 0, 0, err
	}
	held, err = parseStatus(data, "VmRSS:")
	if err != nil {
		return 0, 0, err
	}
	most, err = parseStatus(data, "VmHWM:")
	return held, most, err
}

// parseStatus reads a size in proc_pid_status(5), in bytes.
func parseStatus(data []byte, name string) (int64, error) {
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("malformed /proc/PID/status: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("/proc/PID/status has no %s", name)
}

// profiled runs f, and writes its CPU profile into a file of dir, if there is a
// dir.
func profiled(dir, name string, f func() error) (err error) {
	if dir == "" {
		return f()
	}
	file, err := os.Create(filepath.Join(dir, name+".pprof"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}
