package contracttest

import (
	"context"
	"errors"

	"github.com/dataarts-go/factory/contracttest/internal/run"
	"github.com/dataarts-go/factory/contracttest/internal/send"
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
	return run.Run(ctx, c.c, target.t, cfg.Options)
}
