package plan

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// Why a method may be answered that the document does not have.
const (
	leaveHead    = "RFC 9110 §9.3.2: HEAD is served wherever GET is"
	leaveOptions = "RFC 9110 §9.3.7: a server may answer OPTIONS for every resource"
)

// LeaveMethod returns what leaves open how a method is answered that the operation's path does
// not document. It is empty where the method has to be refused.
func LeaveMethod(op *contract.Operation, method string) string {
	switch {
	case method == http.MethodOptions:
		return leaveOptions
	case method == http.MethodHead && op.PathItem.Get != nil:
		return leaveHead
	}
	return ""
}

// methods plans the methods that the path does not document, once for each
// path.
func (pl *planner) methods() {
	if pl.op.MethodClause.Operation != pl.op.ID {
		return
	}
	good, err := pl.base.request()
	if err != nil {
		return
	}
	documented := pl.op.PathItem.Operations()
	path := pl.asDocumented(good).Target
	has := func(method string) bool { // perhaps for another template that the path matches
		other, _ := pl.op.Contract.Find(method, path)
		return documented[method] != nil || other != nil
	}
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace,
		strings.ToLower(pl.op.Method), "UNKNOWN", "FOO", "PROPFIND", "LOCK", "QUERY", "PURGE", "LINK",
	} {
		if has(method) || method == http.MethodHead && has(http.MethodGet) {
			continue // HEAD is served wherever GET is (RFC 9110 §9.3.2)
		}
		c := pl.newCase(Clauses, pl.op.MethodClause, method, RefuseMethod)
		c.Request = good.Clone()
		c.Request.Method = method
		switch method {
		case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
			c.Request.Body = nil
			c.Request.Del("Content-Type")
		}
		c.Leave = LeaveMethod(pl.op, method)
		pl.add(c)
	}
	if pl.opts.Random > 0 {
		c := pl.newCase(Random, pl.op.MethodClause, "random-method", RefuseMethod)
		c.Request = good.Clone()
		c.Request.Method = pl.madeUpMethod()
		pl.add(c)
	}
	if has(http.MethodGet) {
		return
	}
	for _, header := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"} {
		c := pl.newCase(Clauses, pl.op.MethodClause, "GET-with-"+header, RefuseMethod)
		c.Request = good.Clone()
		c.Request.Method = http.MethodGet
		c.Request.Add(header, pl.op.Method)
		pl.add(c)
	}
}

// madeUpMethod is a token that nobody knows (RFC 9110 §9.1), another for each
// seed.
func (pl *planner) madeUpMethod() string {
	word := []byte("X-")
	r := rand.New(rand.NewPCG(uint64(pl.opts.Seed), 0)) //nolint:gosec // repeatable, not secret
	for range 5 {
		word = append(word, byte('A'+r.IntN(26))) //nolint:gosec // one of 26 letters
	}
	return string(word)
}

// Why a server may serve a path that is written otherwise.
const (
	leavePath         = "the document does not say what becomes of a path that is written otherwise (RFC 3986 §6.2.2 to §6.2.4)"
	leaveEmptySegment = "RFC 3986 §3.3: an empty segment is a segment; receivers differ in what they make of it"
	leaveRoot         = "the document does not say what is at the root of a server, where many have an index (RFC 3986 §6.2.3)"
	leaveQuery        = "the document does not say what becomes of a query parameter that it does not name"
)

// paths plans paths next to the documented one.
func (pl *planner) paths() {
	good, err := pl.base.request()
	if err != nil {
		return
	}
	path, query := good.Path(), good.RawQuery()
	base := pl.basePath()
	add := func(label, target, leave string) {
		if target == "" {
			return // no request line can say so (RFC 9112 §3.2.1)
		}
		if !strings.HasPrefix(target, base+"/") {
			return // what is not below the base path is none of the document's
		}
		if target == base+"/" && pl.op.Method == http.MethodGet {
			leave = leaveRoot
		}
		if query != "" {
			target += "?" + query
		}
		c := pl.newCase(Clauses, pl.op.PathClause, label, RefusePath)
		c.Request = good.Clone()
		c.Request.Target = target
		c.Leave = leave
		if _, known := pl.op.Contract.Find(pl.op.Method, pl.asDocumented(c.Request).Target); !known {
			pl.add(c)
		}
	}
	pl.otherPaths(path, add)
	pl.nextSegments(path, add)
	pl.withoutValues(add)

	c := pl.newCase(Clauses, pl.op.PathClause, "unknown-query-parameter", Accept)
	c.Request = good.Clone()
	addQuery(c.Request, "x-unknown-parameter=a")
	c.Leave, c.Unknown = leaveQuery, pl.base.unknown()
	pl.add(c)
}

// otherPaths plans paths that have more or less than the documented one, or are spelt otherwise.
func (pl *planner) otherPaths(path string, add func(label, target, leave string)) {
	base := pl.basePath()
	slash := strings.LastIndexByte(path, '/')
	add("one-more-segment", strings.TrimSuffix(path, "/")+"/x", "")
	add("one-more-letter", path+"x", "")
	add("one-segment-before", base+"/x"+strings.TrimPrefix(path, base), "")
	if slash > 0 {
		add("one-segment-less", path[:slash], "")
		add("encoded-slash", path[:slash]+"%2F"+path[slash+1:], leavePath)
	}
	add("trailing-slash", path+"/", leavePath)
	add("two-slashes", path[:slash]+"/"+path[slash:], leavePath)
	add("dot-segment", path[:slash]+"/."+path[slash:], leavePath)
	add("traversal", path[:slash]+"/x/.."+path[slash:], leavePath)
	add("letter-case", pl.inOtherCase(path), leavePath)
	if slash > 0 {
		last := path[slash+1:]
		if !strings.HasSuffix(pl.op.Path, "}") {
			add("letter-case-of-last-segment", path[:slash+1]+otherCase(last), leavePath)
			add("last-segment-twice", path+path[slash:], "")
			add("file-extension", path+".json", "")
			add("blank-at-the-end", path+"%20", "")
			add("nul-at-the-end", path+"%00", "")
			add("matrix-parameter", path+";x-unknown=a", leavePath)
		}
		add("encoded-trailing-slash", path+"%2F", leavePath)
		if base == "" || slash > len(base) {
			add("encoded-traversal", path[:slash]+"/%2e%2e"+path[slash:], leavePath)
		}
	}
}

// withoutValues plans paths in which a parameter is empty or left out.
func (pl *planner) withoutValues(add func(label, target, leave string)) {
	for _, p := range pl.op.Params {
		if p.Spec.In != openapi3.ParameterInPath {
			continue
		}
		if empty, err := pl.base.withSpelling(p, "").request(); err == nil {
			add("empty-"+p.Spec.Name, empty.Path(), leaveEmptySegment)
			less, leave := strings.ReplaceAll(empty.Path(), "//", "/"), ""
			if strings.HasSuffix(less, "/") {
				leave = leavePath
			}
			add("without-"+p.Spec.Name, less, leave)
		}
	}
}

// maxSegments bounds the segments of a path that are changed one by one.
const maxSegments = 8

// nextSegments plans paths that differ from the documented one in one literal
// segment: left out, misspelt, of another version.
func (pl *planner) nextSegments(path string, add func(label, target, leave string)) {
	template, segments := strings.Split(pl.op.Path, "/"), strings.Split(path, "/")
	offset := len(segments) - len(template) // what the base path has
	if offset < 0 {
		return
	}
	add("root", pl.basePath()+"/", "")
	for i, literal := range template[:min(len(template), maxSegments)] {
		if literal == "" || strings.Contains(literal, "{") {
			continue
		}
		with := func(repl ...string) string {
			return strings.Join(slices.Concat(segments[:offset+i], repl, segments[offset+i+1:]), "/")
		}
		if rest := with(); rest != "" {
			add(fmt.Sprintf("segment-%d-left-out", i), rest, "")
		}
		add(fmt.Sprintf("segment-%d-misspelt", i), with(literal+"x"), "")
		last := 1
		if at := strings.LastIndexByte(literal, '%'); at >= 0 && at == len(literal)-3 { // an escape is one character
			last = 3
		}
		add(fmt.Sprintf("segment-%d-cut", i), with(literal[:len(literal)-last]+"-"), "")
		if at := strings.IndexAny(literal, "0123456789"); at >= 0 {
			for _, step := range []int{-1, 1} {
				digit := (int(literal[at]-'0') + 10 + step) % 10
				add(fmt.Sprintf("segment-%d-version-%d", i, digit), with(fmt.Sprintf("%s%d%s", literal[:at], digit, literal[at+1:])), "")
			}
		}
	}
}

// inOtherCase changes the letter case of the literal segments.
func (pl *planner) inOtherCase(path string) string {
	literal := map[string]bool{}
	for s := range strings.SplitSeq(pl.op.Path, "/") {
		literal[s] = !strings.Contains(s, "{")
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if literal[s] {
			segments[i] = otherCase(s)
		}
	}
	return strings.Join(segments, "/")
}

// examples plans the documented examples of the body and of the parameters.
func (pl *planner) examples() {
	for _, p := range pl.op.Params {
		for _, name := range sortedKeys(p.Spec.Examples) {
			e := p.Spec.Examples[name]
			if e == nil || e.Value == nil || e.Value.Value == nil || p.Node.Validates(e.Value.Value) != nil {
				continue
			}
			c := pl.newCase(Examples, p.Presence, "example-"+name, Accept)
			pl.own(c, p)
			c.Assumes = []string{p.Node.Path}
			if pl.confirmed(c, pl.base.withParam(p, value.Good{V: e.Value.Value})) {
				pl.add(c)
			}
		}
	}
	if pl.op.Body == nil {
		return
	}
	for _, m := range pl.op.Body.Media {
		for _, e := range mediaExamples(m.Spec) {
			if m.Node != nil && m.Node.Validates(e.v) != nil {
				continue
			}
			c := pl.newCase(Examples, pl.op.Body.MediaType, "example-"+e.name, Accept)
			if pl.confirmed(c, pl.base.withBody(m, value.Good{V: e.v})) {
				pl.add(c)
			}
		}
	}
}

// batchOfRandom is how many random cases are made before any of them is handed
// over.
const batchOfRandom = 1024

// random plans combinations: several edges at once, and with them one fault. It
// makes several at a time: what comes of one depends on its number alone.
func (pl *planner) random() {
	if len(pl.keeps) == 0 {
		return
	}
	workers := make([]planner, min(runtime.GOMAXPROCS(0), 1+pl.opts.Random/128))
	defer func() {
		for i := range workers {
			workers[i].forget()
		}
	}()
	for i := range workers {
		workers[i] = *pl
		workers[i].checker, workers[i].reasons = pl.op.NewChecker(), map[*contract.Clause]string{}
	}
	for first := 0; first < pl.opts.Random; first += batchOfRandom {
		made := make([]*Case, min(batchOfRandom, pl.opts.Random-first))
		var next atomic.Int64
		var all sync.WaitGroup
		for i := range workers {
			all.Go(func() {
				w := &workers[i]
				w.guarded(func() {
					for i := int(next.Add(1)) - 1; i < len(made); i = int(next.Add(1)) - 1 {
						w.maker = pl.maker.Fork()
						made[i] = w.combination(first + i)
					}
				})
			})
		}
		all.Wait()
		for _, c := range made {
			if c != nil {
				pl.add(c)
			}
		}
		for i := range workers {
			if pl.failed = workers[i].failed; pl.failed != (Reason{}) {
				return
			}
		}
	}
}

// combination makes the random case of a number; nil where nothing comes of it.
func (pl *planner) combination(i int) *Case {
	r := rand.New(rand.NewPCG(uint64(pl.opts.Seed), uint64(pl.op.Index)<<32+uint64(i))) //nolint:gosec // cases need repeatable, not secret, choices
	var used []*change
	for range 1 + r.IntN(3) {
		ch := &pl.keeps[r.IntN(len(pl.keeps))]
		if !slices.ContainsFunc(used, func(u *change) bool { return overlap(u.site, ch.site) }) {
			used = append(used, ch)
		}
	}
	var fault *change
	if i%2 == 1 && len(pl.breaks) > 0 {
		fault = &pl.breaks[r.IntN(len(pl.breaks))]
		if slices.ContainsFunc(used, func(u *change) bool { return overlap(u.site, fault.site) }) {
			return nil
		}
	}
	return pl.together(Random, used, fault, fmt.Sprintf("random-%d", i+1))
}

func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
