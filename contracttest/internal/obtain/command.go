package obtain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Source gets a credential: another one each time, perhaps.
type Source func(context.Context) (Credential, error)

// Credential is a text, and when it is better got anew; zero where nobody knows.
type Credential struct {
	Text  string
	Until time.Time
}

// Bounds of a command.
const (
	maxTime   = 30 * time.Second
	maxOutput = 64 << 10
	maxErrors = 2 << 10 // of its standard error, as an error has it
)

// Command is the first line that a command of the shell prints. Its error has what the command
// says on its standard error; what it prints may be a secret.
func Command(line string) Source {
	return func(ctx context.Context) (Credential, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, maxTime, fmt.Errorf("it has not ended within %s", maxTime))
		defer cancel()
		out, err := output(ctx, line)
		if err != nil {
			return Credential{}, err
		}
		first, _, _ := strings.Cut(out, "\n")
		if first = strings.TrimSpace(first); first == "" {
			return Credential{}, errors.New("the command has printed nothing in its first line, which is the value")
		}
		if strings.ContainsAny(first, "\r\x00") {
			return Credential{}, errors.New("the first line that the command has printed is no value: it has a control character")
		}
		return Credential{Text: first}, nil
	}
}

var errTooMuch = fmt.Errorf("it has printed more than %d KiB", maxOutput>>10)

// output is what a command of the shell prints.
func output(ctx context.Context, line string) (string, error) {
	out, said := bounded{most: maxOutput, ends: true}, bounded{most: maxErrors}
	cmd := exec.CommandContext(ctx, "sh", "-c", line) //nolint:gosec // whoever runs the tests gives it
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Second // what it has left running may hold its output
	err := cmd.Run()
	if out.over {
		return "", errTooMuch
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		if text := strings.TrimSpace(said.String()); text != "" {
			return "", fmt.Errorf("the command: %w: %s", err, text)
		}
		return "", fmt.Errorf("the command: %w", err)
	}
	return out.String(), nil
}

// bounded keeps the beginning of what is written.
type bounded struct {
	text bytes.Buffer // not embedded: its ReadFrom would read on without end
	most int
	ends bool // it takes no more after that, so that who writes is ended
	over bool
}

func (b *bounded) String() string { return b.text.String() }

func (b *bounded) Write(p []byte) (int, error) {
	n, _ := b.text.Write(p[:min(len(p), b.most-b.text.Len())])
	if b.over = b.over || n < len(p); b.over && b.ends {
		return n, errTooMuch
	}
	return len(p), nil
}
