package run

import (
	"context"
	"fmt"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// checkSetup looks at the answers to the valid requests, before any other is
// sent: whether the paths are where the run looks for them, and whether its
// credentials are good. It reports whether to go on.
func (r *runner) checkSetup(ctx context.Context) bool {
	if r.checked || ctx.Err() != nil {
		return !r.wrongPlace
	}
	r.checked = true
	if text := r.wrongBase(ctx); text != "" {
		r.report.Inconclusive, r.report.Void, r.wrongPlace = append(r.report.Inconclusive, text), true, true
		for _, st := range r.states {
			st.left = "no path of the document was found at the base URL"
		}
		return false
	}
	r.checkCredentials()
	return true
}

// wrongBase says that the target has none of the document's paths; it is empty
// where it may have some. A target of which all paths have a value in them that
// need not exist is given the benefit of the doubt.
func (r *runner) wrongBase(ctx context.Context) string {
	var first *plan.Case
	var a answer
	telling := false
	for _, st := range r.states {
		if st.valid.status == 0 {
			continue
		}
		a = st.valid
		if a.status != 404 && (a.class() != 2 || a.kind != "text/html") {
			return ""
		}
		c := r.plan.base(st.op)
		other := r.stranger(ctx, c, r.depth(c))
		if other.status != a.status || other.kind != a.kind {
			return ""
		}
		documented := st.op.Response(a.status) != nil
		telling = telling || a.status == 404 && !strings.Contains(st.op.Path, "{") || (documented || a.status != 404) && !success(st.op, a)
		if first == nil {
			first = c
		}
	}
	if first == nil || !telling {
		return ""
	}
	what := a.String()
	if a.status != 404 {
		what += " and the same page"
	}
	base := r.plan.opts.BasePath
	if base == "" {
		base = "/"
	}
	from := "from the document's first server; a path in --target overrides it"
	if r.opts.BasePath != nil {
		from = "from BasePath"
	} else if _, own := r.target.BasePath(); own {
		from = "from --target"
	}
	asked := first.Request.Target
	if r.curlBase != noHost {
		asked = r.curlBase + asked
	}
	return fmt.Sprintf("the base path may be wrong: every operation returns %s, as unknown paths do; %s %s was sent for %s, and the base path %s comes %s",
		what, first.Request.Method, asked, first.Op.Path, base, from)
}

// depth is how many segments the path of a case has below the base path.
func (r *runner) depth(c *plan.Case) int {
	return max(1, strings.Count(strings.TrimPrefix(c.Request.Path(), r.plan.opts.BasePath), "/"))
}

// stranger returns the answer to the request of a case for a path that nobody
// can know. One that fails may be busy, and says nothing of such paths.
func (r *runner) stranger(ctx context.Context, c *plan.Case, segments int) answer {
	key := strange{c.Request.Method, segments}
	a, known := r.strangers[key]
	if !known {
		asked := withTarget(c, r.plan.opts.BasePath+strings.Repeat("/"+nowhere, segments))
		for tries := 0; tries == 0 || tries <= maxAlone && a.class() == 5; tries++ {
			a = answerOf(r.exchange(ctx, c.Op, r.withRunHeaders(asked), r.target.Do))
		}
		r.strangers[key] = a
	}
	return a
}

// whole is the target with the base path of the document's paths.
func (r *runner) whole() string {
	base := r.plan.opts.BasePath
	if own, ok := r.target.BasePath(); r.curlBase == noHost || ok && own == base {
		return r.target.String()
	}
	return r.curlBase + base
}
