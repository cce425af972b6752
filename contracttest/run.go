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
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if target.err != nil {
		return nil, target.err
	}
	if target.t == nil {
		return nil, errors.New("no target: want contracttest.Handler or contracttest.URL")
	}
	if cfg.Baseline, err = cfg.knownFindings(); err != nil {
		return nil, err
	}
	rep, err := run.Run(ctx, c.c, target.t, cfg.Options)
	if err == nil && cfg.UpdateBaseline && rep.Baseline.Added+rep.Baseline.Removed > 0 {
		if err := atomicfile.Replace(cfg.baseline, cfg.Baseline.Text()); err != nil {
			return nil, fmt.Errorf("baseline: %w", err)
		}
	}
	return rep, err
}

// knownFindings reads the baseline; nil where there is none.
func (c *config) knownFindings() (*baseline.Baseline, error) {
	if c.baseline == "" {
		if c.UpdateBaseline {
			return nil, errors.New("no baseline is given that could be updated: name its file")
		}
		return nil, nil //nolint:nilnil // none is none
	}
	data, err := os.ReadFile(c.baseline)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !c.UpdateBaseline:
		return nil, fmt.Errorf("baseline: %w: --baseline-update writes it", err)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("baseline: %w", err)
	}
	b, err := baseline.Parse(c.baseline, data)
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	return b, nil
}
