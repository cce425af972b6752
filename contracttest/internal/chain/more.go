package chain

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// How a page says whether another follows it, or whether it is the last one, in plain names.
var (
	Mores = []string{"hasmore", "hasnext", "hasnextpage", "more", "moreavailable"}
	Lasts = []string{"last", "islast", "lastpage", "islastpage"}
)

// enoughPages is about how many pages of a list are held against each other.
const enoughPages = 10

// sizes are how long pages are asked for, as far as the list has more entries than that.
var sizes = []int{3, 4, 5, 10, 20, 25, 50}

// told plans what is looked for in what the pages of a list say of each other: whether another
// follows, and how many entries there are in all; and whether each size is heeded.
func (p *planner) told() {
	k := p.kind
	shared := k.shared()
	p.onNew(judge.ListDiffers, "total/pages", (*try).addsUp, k.List).Alone = shared
	limit := queryParam(k.List, Limits)
	if limit == nil {
		return
	}
	p.add(judge.PageBroken, "follows", func(t *try) {
		if all := t.makeAll(); len(all) > 0 {
			t.following(all[0], limit)
		}
	}, k.List).Alone = shared
	p.add(judge.PageBroken, "sizes", func(t *try) {
		if all := t.makeAll(); len(all) > 0 {
			t.sized(all[0], limit)
		}
	}, k.List).Doubtful = shared
}

// sized asks for pages of several sizes.
func (t *try) sized(r *resource, limit *contract.Param) {
	whole := 0
	for _, s := range t.pages(r) {
		whole += len(t.identifiers(s))
	}
	for _, size := range sizes {
		text := strconv.Itoa(size)
		if size >= whole || limit.Node.Validates(json.Number(text)) != nil || t.over() {
			continue
		}
		s := t.peek(t.List, r, Edit{Query: map[string]string{limit.Spec.Name: text}})
		if n := len(t.identifiers(s)); s.ok() && n > size {
			t.steps = append(t.steps, s)
			t.blame(judge.Warning, s, "at most "+text, strconv.Itoa(n), "a page of %s has more entries than %s allows", t.List.Endpoint(), limit.Spec.Name)
		}
	}
}

// addsUp compares the number of all entries that a list tells with those on its pages.
func (t *try) addsUp(r *resource) {
	named, there := 0, 0
	agree := func() bool {
		var told bool
		named, there, told = t.sum(r)
		return !told || there == named || t.over()
	}
	if good, _ := t.wait(agree); good || t.over() {
		return
	}
	// A list may be cut where nobody can ask for the rest: then it does not grow.
	if before := there; there < named && (t.beside(r, Edit{}) == nil || agree() || there <= before) {
		return
	}
	s := t.do(t.List, r, Edit{})
	t.blame(judge.Warning, s, strconv.Itoa(there), strconv.Itoa(named), "the total of %s is %d, but its pages have %d entries", t.List.Endpoint(), named, there)
}

// sum returns the number of all entries that a list tells, and how many its pages have; false where
// the two cannot be compared.
func (t *try) sum(r *resource) (named, there int, told bool) {
	pages := t.pages(r)
	if len(pages) == 0 || len(pages) == maxPages {
		return 0, 0, false
	}
	named, told = total(pages[0])
	for _, s := range pages {
		ids := t.identifiers(s)
		// What has no identifier cannot be told from what is on two pages.
		if of, _ := total(s); len(ids) < len(items(s)) || of != named || ofPage(s) {
			return 0, 0, false
		}
		there += len(ids)
	}
	return named, there, told
}

// following reads a list page by page, and compares what each says of the next one with that.
func (t *try) following(r *resource, limit *contract.Param) {
	size := 2
	for _, s := range t.pages(r) {
		size += len(items(s)) / enoughPages
	}
	if limit.Node.Validates(json.Number(strconv.Itoa(size))) != nil {
		return
	}
	query := map[string]string{limit.Spec.Name: strconv.Itoa(size)}
	p := pager{try: t, query: query}
	made := slices.Clone(t.steps)
	var pages []*Step
	last := 0 // page that has what none before had
	news := 0
	for turned := true; turned; turned = p.turn(pages[len(pages)-1]) {
		s := t.peek(t.List, r, Edit{Query: p.query})
		if !s.ok() || t.over() || len(pages) == maxPages {
			break
		}
		if pages = append(pages, s); len(t.identifiers(s)) > 0 && !p.again(s) {
			last, news = len(pages)-1, news+1
		}
	}
	if t.over() || news < 2 || len(pages) == maxPages { // the first may be the one with the number 1, too
		return
	}
	at := func(n int, expected, actual, format string) {
		t.steps = append(slices.Clone(made), pages[:n+1]...)
		t.blame(judge.Warning, pages[n], expected, actual, format, t.List.Endpoint())
	}
	ends := false
	for n, s := range pages {
		more, told := follows(s)
		_, all := total(s)
		_, ofPages := counted(s, OfPages)
		_, next := t.next(s, query)
		ends = ends || told || all || ofPages || next
		switch {
		case told && !more && n < last:
			at(n, "that another page follows", "that none does", "a page of %s says that none follows it, but one does")
		case told && more && n == last && n+1 < len(pages) && len(items(pages[n+1])) == 0:
			at(n, "that no page follows", "that another does", "the last page of %s says that another follows it, but that has no entries")
		}
	}
	if after := last + 1; !ends && after < len(pages) && len(items(pages[after])) > 0 && slices.Equal(t.identifiers(pages[after]), t.identifiers(pages[last])) {
		at(after, "a page without entries", "the last page again", "the page after the last one of %s repeats it, and nothing says that it was the last one")
	}
}

// follows is what a page says of the next one; the second result is false where it says nothing.
func follows(s *Step) (more, told bool) {
	for _, level := range around(s) {
		for _, name := range sortedKeys(level) {
			is, isBool := level[name].(bool)
			switch plain := world.Plain(name); {
			case !isBool:
			case slices.Contains(Mores, plain):
				return is, true
			case slices.Contains(Lasts, plain):
				return !is, true
			}
		}
	}
	return false, false
}
