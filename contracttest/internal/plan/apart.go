package plan

import (
	"reflect"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// leaveTogether is why parameters may be refused together of which each is accepted otherwise.
const leaveTogether = "OpenAPI 3.0.3, Parameter Object: each parameter is described by itself, and no field says which exclude or need each other"

// Apart makes, for each thing in which a valid request differs from the base, the requests that have it
// beside other parameters. Where one of them each is accepted, it is refused for no value but for what
// stands together in it, and sentence says who leaves that open. There are none where no parameter
// differs, as a schema can say what goes together in a body.
func (c *Case) Apart() (requests [][]*wire.Request, sentence string) {
	if c.apart == nil {
		return nil, ""
	}
	return c.apart(), leaveTogether
}

// apart returns what makes the requests of Apart; nil where no parameter can be left out or added.
func (pl *planner) apart(c *Case, d draft) func() [][]*wire.Request {
	if c.Expect != Accept || c.Base == nil || !slices.ContainsFunc(pl.op.Params, elective) {
		return nil
	}
	return func() [][]*wire.Request {
		w := *pl
		w.maker = w.maker.Fork()
		return w.apartFrom(c.Request, d)
	}
}

// elective reports whether a request need not have a parameter.
func elective(p *contract.Param) bool { return !p.Spec.Required && !p.Credential }

func (pl *planner) apartFrom(whole *wire.Request, d draft) [][]*wire.Request {
	none := pl.base
	for _, p := range pl.op.Params {
		if elective(p) {
			none = none.withParam(p, value.Good{V: value.Absent{}})
		}
	}
	places := []draft{pl.base, none, pl.full()}
	var all [][]*wire.Request
	for _, p := range pl.op.Params {
		g, there := d.params[p]
		if was, inBase := pl.base.params[p]; there == inBase && reflect.DeepEqual(g.V, was.V) {
			continue
		} else if p.Credential {
			return nil
		}
		if !there {
			g.V = value.Absent{}
		}
		var with []*wire.Request
		for _, others := range places {
			if r, err := others.withParam(p, g).request(); err == nil && (r.Target != whole.Target || !slices.Equal(r.Header, whole.Header)) {
				with = append(with, r)
			}
		}
		all = append(all, with)
	}
	if d.wrote != pl.base.wrote && len(all) > 0 {
		only := pl.base
		only.media, only.body, only.heads, only.wrote = d.media, d.body, d.heads, d.wrote
		if r, err := only.request(); err == nil {
			all = append(all, []*wire.Request{r})
		}
	}
	return all
}
