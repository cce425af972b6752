package contracttest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/dataarts-go/factory/contracttest/internal/baseline"
	"github.com/dataarts-go/factory/contracttest/internal/run"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/internal/atomicfile"
)

// ErrUnreachable is returned by Run for a target that takes no connection.
var ErrUnreachable = send.ErrRefused

// Run plans the contract, sends every case to the target and judges the
// answers. The error is nil whatever was found; it says why the run could not
// be done. A run whose context ends before it has its report of what was done
// until then. Whether it is a pass, [Report.Status] tells.
func Run(ctx context.Context, c *Contract, target Target, opts ...Option) (*Report, error) {
	cfg, certificates, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if target.open == nil {
		return nil, errors.New("no target: want contracttest.Handler or contracttest.URL")
	}
	to, err := target.open(certificates)
	if err != nil {
		return nil, err
	}
	rep, err := run.Run(ctx, c.c, to, cfg)
	if err == nil && cfg.UpdateBaseline && rep.Baseline.Added+rep.Baseline.Removed > 0 {
		if err := atomicfile.Replace(cfg.Baseline.File, cfg.Baseline.Text()); err != nil {
			return nil, fmt.Errorf("baseline: %w", err)
		}
	}
	return rep, err
}

// knownFindings reads the baseline; nil where there is none.
func knownFindings(file string, update bool) (*baseline.Baseline, error) {
	if file == "" {
		if update {
			return nil, errors.New("no baseline is given that could be updated: name its file")
		}
		return nil, nil //nolint:nilnil // none is none
	}
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !update:
		return nil, fmt.Errorf("baseline: %w: --baseline-update writes it", err)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("baseline: %w", err)
	}
	b, err := baseline.Parse(file, data)
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	return b, nil
}
