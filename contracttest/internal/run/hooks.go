package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/report"
)

// before does what is to be done before anything is sent, and takes the values that it gives. What
// the settings give counts before these. The text names them, for the error of one that the
// document does not have.
func (o *Options) before(ctx context.Context) (text string, err error) {
	if o.Before == nil {
		return "", nil
	}
	values, err := o.Before(ctx)
	if err != nil {
		return "", fmt.Errorf("before: %s", o.withoutSecrets(err, nil)) // the text alone: what is wrapped has the secrets
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if o.Known[name] == nil && !slices.ContainsFunc(o.Obtained, func(b Obtained) bool { return b.For == ForValue && b.Name == name }) {
			o.Known[name] = values[name]
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	return "; before has given values for " + strings.Join(names, ", "), nil
}

// after does what is to be done at the end, also where the run or what is done before it has failed.
// Where it fails itself, the run is no pass, and what was found is reported all the same.
func (o *Options) after(ctx context.Context, rep *report.Report, err error) (*report.Report, error) {
	if o.After == nil {
		return rep, err
	}
	failed := o.After(context.WithoutCancel(ctx))
	if failed == nil {
		return rep, err
	}
	text := "after: " + o.withoutSecrets(failed, nil)
	if err != nil {
		return rep, fmt.Errorf("%w; %s", err, text)
	}
	if rep == nil {
		return nil, errors.New(text)
	}
	rep.Inconclusive = append(rep.Inconclusive, text)
	return rep, nil
}
