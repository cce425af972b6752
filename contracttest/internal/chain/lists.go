package chain

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// How much of a list is looked at: pages, and items of which it is known what the list
// has as a whole.
const (
	maxPages = 24
	maxItems = 120
	onPages  = 5 // resources that are made to have more than one page
)

// How the parameters of lists are named, in plain names.
var (
	Limits  = []string{"limit", "pagesize", "perpage", "size", "maxresults", "count", "top", "$top", "take", "first", "maxitems", "itemsperpage"}
	Offsets = []string{"offset", "skip", "$skip", "start", "startindex", "startat", "recordindex", "firstresult", "from"}
	Numbers = []string{"page", "pagenumber", "pageno", "pageindex", "p"}
	Cursors = []string{"after", "cursor", "pagetoken", "nexttoken", "startingafter", "continuationtoken", "marker", "nextcursor", "since", "token", "continue", "afterid", "sinceid"}
	Nexts   = []string{"next", "nextcursor", "nextpage", "nextpagetoken", "nexttoken", "cursor", "continuationtoken", "after", "marker", "endcursor"}
)

// afters are those of the Cursors that may have the identifier of the entry before the page.
var afters = []string{"startingafter", "afterid", "after", "sinceid"}

func queryParam(op *contract.Operation, names []string) *contract.Param {
	for _, p := range op.Params {
		if p.Spec.In == openapi3.ParameterInQuery && slices.Contains(names, world.Plain(p.Spec.Name)) && !isDate(p.Node) { // from may be a time
			return p
		}
	}
	return nil
}

// items are the objects of the list in an answer: the first array of objects, be it in
// an envelope.
func items(s *Step) []map[string]any {
	if s.Response == nil {
		return nil
	}
	level := []any{decode(s.Response.Body)}
	for range 3 {
		var next []any
		for _, v := range level {
			switch v := v.(type) {
			case []any:
				return objects(v)
			case map[string]any:
				for _, key := range sortedKeys(v) {
					if list, ok := v[key].([]any); ok && (len(list) == 0 || isObject(list[0])) {
						return objects(list)
					}
				}
				for _, key := range sortedKeys(v) {
					next = append(next, v[key])
				}
			}
		}
		level = next
	}
	return nil
}

func objects(list []any) []map[string]any {
	var all []map[string]any
	for _, item := range list {
		if members, ok := item.(map[string]any); ok {
			all = append(all, members)
		}
	}
	return all
}

func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

// countEntries counts the entries of a list that have an identifier.
func countEntries(s *Step, k *Kind, id string) int {
	n := 0
	for _, item := range items(s) {
		if named(item, k, id) {
			n++
		}
	}
	return n
}

// pages reads the list that a resource is in, page by page as far as there is another.
func (t *try) pages(r *resource) []*Step { return t.pagesOf(r, Own, nil) }

// pagesOf reads the list as somebody, asked for what the query says.
func (t *try) pagesOf(r *resource, caller Caller, query map[string]string) []*Step {
	return t.pagesUntil(r, caller, query, func(*Step) bool { return false })
}

// pagesUntil does so up to the page that has what is looked for.
func (t *try) pagesUntil(r *resource, caller Caller, query map[string]string, has func(*Step) bool) []*Step {
	var all []*Step
	p := pager{try: t, query: maps.Clone(query)}
	if p.query == nil {
		p.query = map[string]string{}
	}
	if limit := queryParam(t.List, Limits); limit != nil {
		for _, n := range []string{"100", "50", "20"} {
			if limit.Node.Validates(json.Number(n)) == nil {
				p.query[limit.Spec.Name] = n
				break
			}
		}
	}
	for len(all) < maxPages {
		s := t.peek(t.List, r, Edit{Query: p.query, As: caller})
		if !s.ok() {
			return all
		}
		again := p.again(s)
		if !again {
			all = append(all, s)
		}
		if has(s) || !p.turn(s) || again && p.turns > 2 {
			return all
		}
	}
	return all
}

// pager turns the pages of a list.
type pager struct {
	*try
	query map[string]string
	seen  []string // identifiers
	turns int
	// guessed is whether no page said that another follows, or how it is asked for: what was asked
	// for may be something else.
	guessed bool
}

// again reports whether a page has nothing that was not seen before: the first page by
// its number is the one without a number.
func (p *pager) again(s *Step) bool {
	ids := p.identifiers(s)
	return p.turns > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(p.seen, id) })
}

// turn chooses the query of the next page: as the answer names it, or by an offset or a
// number. It reports whether there may be one.
func (p *pager) turn(s *Step) bool {
	ids, again := p.identifiers(s), p.again(s)
	p.seen = append(p.seen, ids...)
	p.turns++
	with := func(param *contract.Param, n int) bool {
		q := maps.Clone(p.query)
		if q == nil {
			q = map[string]string{}
		}
		q[param.Spec.Name] = strconv.Itoa(n)
		p.query = q
		return param.Node.Validates(json.Number(strconv.Itoa(n))) == nil
	}
	if next, more := p.next(s, p.query); more {
		for name, v := range p.query {
			if _, has := next[name]; !has {
				next[name] = v
			}
		}
		p.query = next
		return true
	}
	if cursor := queryParam(p.List, Cursors); cursor != nil {
		return len(ids) > 0 && !again && p.after(ids[len(ids)-1], cursor, s)
	}
	if len(ids) == 0 || again && p.turns > 2 {
		return false
	}
	if offset := queryParam(p.List, Offsets); offset != nil {
		return !again && with(offset, len(p.seen))
	}
	if number := queryParam(p.List, Numbers); number != nil {
		return with(number, p.turns)
	}
	return false
}

// after chooses the query of what follows an entry, the last one of a page that says that there is
// more, or is full and says nothing. It reports whether that may be one.
func (p *pager) after(id string, cursor *contract.Param, s *Step) bool {
	name := world.Plain(cursor.Spec.Name)
	more, told := follows(s)
	if limit := queryParam(p.List, Limits); !told && limit != nil {
		size, err := strconv.Atoi(p.query[limit.Spec.Name])
		more = err == nil && len(items(s)) >= size
	}
	var v any = id
	if cursor.Node.Allows("integer") {
		v = json.Number(id)
	}
	if !more || !slices.Contains(afters, name) || cursor.Node.Validates(v) != nil {
		return false
	}
	p.guessed = p.guessed || !told || name == "after" || name == "sinceid" // others may be no identifiers, or what is newer
	p.query = maps.Clone(p.query)
	p.query[cursor.Spec.Name] = id
	return true
}

// next is the query of the next page, as an answer names it: a link, or a value for the
// parameter that says where a page begins. The second result is false at the end.
func (t *try) next(s *Step, query map[string]string) (map[string]string, bool) {
	with := func(name, v string) map[string]string {
		q := maps.Clone(query)
		if q == nil {
			q = map[string]string{}
		}
		q[name] = v
		return q
	}
	link := ""
	for _, line := range s.Response.Header.Values("Link") {
		for part := range strings.SplitSeq(line, ",") {
			if target, params, ok := strings.Cut(strings.TrimSpace(part), ">"); ok && strings.Contains(strings.ReplaceAll(params, `"`, ""), "rel=next") {
				link = strings.TrimPrefix(target, "<")
			}
		}
	}
	cursor := queryParam(t.List, Cursors)
	whole, _ := decode(s.Response.Body).(map[string]any)
	for _, level := range append(around(s), inner(whole, "links"), inner(whole, "_links")) {
		for _, name := range sortedKeys(level) {
			if !slices.Contains(Nexts, world.Plain(name)) {
				continue
			}
			v := textOf(level[name])
			if o, ok := level[name].(map[string]any); ok {
				v = textOf(o["href"])
			}
			switch {
			case v == "":
			case strings.Contains(v, "?"):
				link = v
			case cursor != nil && link == "":
				return with(cursor.Spec.Name, v), true
			}
		}
	}
	u, err := url.Parse(link)
	if link == "" || err != nil {
		return nil, false
	}
	q := map[string]string{}
	for name, values := range u.Query() {
		q[name] = values[0]
	}
	return q, len(q) > 0
}

func inner(v map[string]any, name string) map[string]any {
	o, _ := v[name].(map[string]any)
	return o
}

// entries counts how often the list that a resource is in has an identifier.
func (t *try) entries(r *resource, id string) int { return t.entriesOf(r, id, nil) }

// entriesOf does so for a list that is asked for what the query says.
func (t *try) entriesOf(r *resource, id string, query map[string]string) int {
	n := 0
	for _, s := range t.pagesOf(r, Own, query) {
		n += countEntries(s, t.Kind, id)
	}
	return n
}

// ends reports whether a page has no item and names no other: a longer page that has the
// resource would show that the filter is applied to a page that was cut before.
func (t *try) ends(s *Step) bool {
	_, more := (&pager{try: t}).next(s, nil)
	return len(items(s)) == 0 && !more
}

// listed plans what is looked for in the list of a collection.
func (p *planner) listed() {
	k := p.kind
	if k.List == nil || k.List == k.Read {
		return
	}
	// Below a parent of its own nobody else makes one.
	shared := k.shared()
	p.add(judge.NotListed, "", func(t *try) {
		if all := t.makeAll(); len(all) > 0 && (k.Read == nil || k.ReadInList || t.readable(all[0])) {
			t.enlisted(all...)
		}
	}, k.List).Doubtful = shared
	if optional := optionalOf(p.actor, k.Make); len(optional) > 0 {
		p.add(judge.NotListed, "without-"+strings.Join(optional, "-"), func(t *try) { t.enlist(Edit{Drop: optional}) }, k.List).Doubtful = shared
	}
	members, _ := p.actor.Base(k.Make)
	for _, name := range sortedKeys(members) {
		for _, v := range choices(prop(k.Make, name), members[name]) {
			p.add(judge.NotListed, name+"/"+textOf(v), func(t *try) { t.enlist(Edit{Set: map[string]any{name: v}}) }, k.List).Doubtful = shared
		}
	}
	for _, op := range present(k.Put, k.Patch) {
		p.onNew(judge.NotListed, "after-"+op.ID, func(t *try, r *resource) {
			if t.entries(r, r.id()) > 0 && t.do(op, r, Edit{Set: t.others(op)}).ok() && !t.over() {
				t.enlisted(r)
			}
		}, k.List, op).Doubtful = shared
	}
	p.onNew(judge.UnsafeRead, "list", (*try).grows, k.List).Doubtful = shared
	if !shared && k.Parent.Read != nil {
		p.add(judge.UnsafeRead, "new-list", (*try).growsAtFirst, k.List, k.Parent.Make)
	}
	p.onNew(judge.DeletedStillListed, "", (*try).deletedListed, k.List, k.Delete).Doubtful = shared
	p.onNew(judge.DeletedStillListed, "comes-back", (*try).listedAgain, k.List, k.Delete).Doubtful = shared
	if k.Read != nil {
		for _, op := range present(k.Put, k.Patch) {
			p.onNew(judge.ListDiffers, "", func(t *try, r *resource) {
				if t.do(op, r, Edit{Set: t.others(op)}).ok() {
					t.listsAsRead(r)
				}
			}, k.List, op, k.Read).Doubtful = shared
		}
		p.onNew(judge.ListDiffers, "new", (*try).listsAsRead, k.List, k.Read).Doubtful = shared
		p.onNew(judge.UnsafeRead, "", (*try).unsafe, k.Read, k.List).Doubtful = shared
		p.filtered()
		p.referring()
		p.holding()
		p.ofParent()
	}
	p.totalled()
	p.paged()
	p.told()
	p.sorted()
	p.ranged()
}

// grows reads a list again and again, and looks whether it is longer each time.
func (t *try) grows(r *resource) {
	var counts []int
	for range 3 {
		n := 0
		for _, s := range t.pages(r) {
			n += len(t.identifiers(s))
		}
		counts = append(counts, n)
	}
	if counts[0] < counts[1] && counts[1] < counts[2] && !t.over() {
		s := t.do(t.List, r, Edit{})
		t.blame(judge.Warning, s, "the list as before", "a longer one", "the list of %s grows each time it is read", t.List.Endpoint())
	}
}

// growsAtFirst reads the list below a new resource twice.
func (t *try) growsAtFirst() {
	// The older of the two tells whether time alone makes it longer.
	older := t.makeKind(t.Parent, t.above(t.Parent), Edit{})
	up := t.makeKind(t.Parent, t.above(t.Parent), Edit{})
	if older == nil || up == nil {
		return
	}
	t.steps = slices.DeleteFunc(t.steps, func(s *Step) bool { return s == older.made })
	before, after := t.identifiers(t.do(t.List, up, Edit{})), t.do(t.List, up, Edit{})
	if len(t.identifiers(after)) <= len(before) || t.over() {
		return
	}
	if by := t.peek(t.List, older, Edit{}); by.ok() && len(t.identifiers(by)) <= len(before) {
		t.blame(judge.Warning, after, "the list as before", "a longer one", "the list of %s is longer after it was read", t.List.Endpoint())
	}
}

// deletedListed looks whether a deleted resource is still in the list.
func (t *try) deletedListed(r *resource) {
	if t.entries(r, r.id()) == 0 || !t.vanishes(r) {
		return
	}
	if good, _ := t.wait(func() bool { return t.over() || t.entries(r, r.id()) == 0 }); !good && !t.over() {
		s := t.do(t.List, r, Edit{})
		t.blame(judge.Warning, s, "a list without it", "it is listed", "%s still lists a deleted resource that can no longer be read", t.List.Endpoint())
	}
}

// listedAgain looks whether a deleted resource is in the list again when another is made.
func (t *try) listedAgain(r *resource) {
	if t.entries(r, r.id()) == 0 || !t.remove(r) || t.entries(r, r.id()) > 0 {
		return
	}
	other := t.beside(r, Edit{})
	if other != nil && other.id() != r.id() && t.entries(r, r.id()) > 0 && !t.over() {
		s := t.do(t.List, r, Edit{})
		t.blame(judge.Warning, s, "a list without it", "it is listed", "%s lists a deleted resource again after another was created", t.List.Endpoint())
	}
}

// maxChoices is how many of the values of an enumeration are tried.
const maxChoices = 5

// choices are the other values that a property may have, where the document lists them.
func choices(n *contract.Node, v any) []any {
	if n == nil {
		return nil
	}
	var all []any
	for _, e := range n.Listed() {
		if e != nil && textOf(normal(e)) != "" && !same(normal(e), normal(v)) && len(all) < maxChoices && n.Validates(normal(e)) == nil &&
			!slices.ContainsFunc(all, func(other any) bool { return same(normal(other), normal(e)) }) {
			all = append(all, e)
		}
	}
	return all
}

// enlist makes a resource and looks for it in the list.
func (t *try) enlist(e Edit) {
	if r := t.make(e); r != nil && (t.Read == nil || t.ReadInList || t.readable(r)) {
		t.enlisted(r)
	}
}

// enlisted looks for resources in the list that they are in, each once.
func (t *try) enlisted(all ...*resource) {
	for _, r := range all {
		n := 0
		t.wait(func() bool {
			n = t.entries(r, r.id())
			return t.over() || n > 0
		})
		pages := t.pages(r)
		if t.over() || len(pages) == maxPages {
			return
		}
		for _, s := range pages { // a list whose entries have no identifiers shows nothing
			if list := items(s); len(list) > 0 && identifier(list[0], t.Kind) == "" {
				return
			}
		}
		s := t.do(t.List, r, Edit{})
		if !s.ok() {
			return
		}
		switch {
		case n == 0:
			t.blame(judge.Warning, s, "a list with the new resource", "it is not listed", "%s does not list what %s created", t.List.Endpoint(), t.Make.Endpoint())
		case n > 1:
			t.blame(judge.Warning, s, "each resource once", strconv.Itoa(n)+" times", "%s lists the same resource %d times", t.List.Endpoint(), n)
		default:
			t.steps = t.steps[:len(t.steps)-1]
		}
	}
}

// listsAsRead compares what a list has of a resource with what is read of it.
func (t *try) listsAsRead(r *resource) {
	kept, one, two := r.made.sent(), t.shown(r), t.shown(r)
	if t.over() {
		return
	}
	for _, page := range t.pages(r) {
		for _, item := range items(page) {
			if !named(item, t.Kind, r.id()) {
				continue
			}
			for _, name := range sortedKeys(kept) {
				v, listed := item[name]
				_, read := one[name] // a list may show more, or less
				if listed && read && same(one[name], two[name]) && !alike(v, one[name]) && !t.over() {
					if again := t.shown(r); !same(again[name], one[name]) {
						return
					}
					s := t.do(t.List, r, Edit{})
					t.blameValue(judge.Warning, s, name, one[name], v, "%s has a different %s than %s", t.List.Endpoint(), name, t.Read.Endpoint())
				}
			}
		}
	}
}

// unsafe looks whether reading a resource changes what the list has of it, twice.
func (t *try) unsafe(r *resource) {
	for range 2 {
		before := t.listEntry(r)
		if before == nil || !same(before, t.listEntry(r)) || t.over() { // it changes by itself
			return
		}
		t.read(r)
		after := t.listEntry(r)
		if t.over() || same(before, after) {
			return
		}
		if after == nil {
			break
		}
	}
	s := t.do(t.List, r, Edit{})
	t.blame(judge.Warning, s, "the list as before", "another entry", "the entry in %s changes each time %s reads the resource", t.List.Endpoint(), t.Read.Endpoint())
}

// How the number of all entries is named beside a page of them: either is how that of the entries on
// the page may be named, too.
var (
	totals = []string{"total", "totalcount", "totalitems", "totalresults", "totalelements"}
	either = []string{"count", "itemcount"}
	Totals = slices.Concat(totals, either)
)

// OfPages are how the number of all pages is named.
var OfPages = []string{"totalpages", "pagecount", "numpages", "pagestotal"}

// total is the number of all entries that an answer names; false where it names none.
func total(s *Step) (int, bool) {
	if s.Response != nil {
		of, inAll, _ := strings.Cut(s.Response.Header.Get("Content-Range"), "/") // items 0-9/57
		if strings.HasPrefix(of, "bytes ") {
			inAll = ""
		}
		for _, text := range []string{s.Response.Header.Get("X-Total-Count"), s.Response.Header.Get("X-Total"), inAll} {
			if n, err := strconv.Atoi(text); err == nil {
				return n, true
			}
		}
	}
	return counted(s, Totals)
}

// ofPage reports whether the number that an answer names may be that of its own entries.
func ofPage(s *Step) bool {
	_, ofAll := counted(s, totals)
	n, told := counted(s, either)
	return !ofAll && told && n == len(items(s))
}

// counted is a number beside the entries of a list, by its names: the first of them that it has.
func counted(s *Step, names []string) (int, bool) {
	for _, wanted := range names {
		for _, level := range around(s) {
			for _, name := range sortedKeys(level) {
				if n, err := strconv.Atoi(textOf(level[name])); world.Plain(name) == wanted && err == nil {
					return n, true
				}
			}
		}
	}
	return 0, false
}

// around are the objects of an answer that say something of its list.
func around(s *Step) []map[string]any {
	whole, _ := decode(s.body()).(map[string]any)
	all := []map[string]any{whole, inner(whole, "page"), inner(whole, "pagination"), inner(whole, "meta")}
	if s.Response == nil {
		return all
	}
	for _, name := range []string{"X-Pagination", "Pagination"} {
		inHeader, _ := decode([]byte(s.Response.Header.Get(name))).(map[string]any)
		all = append(all, inHeader)
	}
	return all
}

// totalled plans what is looked for in the number of all entries: it is more when some are made
// and less when one is deleted, and not the number of those on a page.
func (p *planner) totalled() {
	k := p.kind
	shared := k.shared()
	p.onNew(judge.ListDiffers, "total", (*try).totalOfMore, k.List).Alone = shared
	p.onNew(judge.ListDiffers, "total/deleted", (*try).totalOfLess, k.List, k.Delete).Alone = shared
	if limit := queryParam(k.List, Limits); limit != nil && limit.Node.Validates(json.Number("1")) == nil {
		p.onNew(judge.ListDiffers, "total/page", func(t *try, r *resource) { t.totalOfPage(r, limit.Spec.Name) }, k.List).Alone = shared
	}
}

// totalOf is the number of all entries that the list tells which a resource is in.
func (t *try) totalOf(r *resource) (all int, named bool) {
	pages := t.pages(r)
	if len(pages) == 0 || t.over() {
		return 0, false
	}
	return total(pages[0])
}

// totalOfMore makes two more, and looks whether the number of all entries stays.
func (t *try) totalOfMore(r *resource) {
	before, named := t.totalOf(r)
	if !named || t.beside(r, Edit{}) == nil || t.beside(r, Edit{}) == nil {
		return
	}
	after, n := before, 0
	good, _ := t.wait(func() bool {
		n = 0
		for _, s := range t.pages(r) {
			if m, named := total(s); named {
				after = m
			}
			n += len(t.identifiers(s))
		}
		return t.over() || after == before+2 || n < before
	})
	if !good && !t.over() && after <= before && n > before { // the entries are there, and the number is as it was
		s := t.do(t.List, r, Edit{})
		if ofPage(s) {
			return
		}
		t.blame(judge.Warning, s, strconv.Itoa(before+2), strconv.Itoa(after), "the total of %s stays %d after two more were created", t.List.Endpoint(), before)
	}
}

// totalOfLess deletes one, and looks whether the number of all entries stays.
func (t *try) totalOfLess(r *resource) {
	before, named := t.totalOf(r)
	if !named || t.entries(r, r.id()) == 0 || !t.remove(r) || t.over() {
		return
	}
	after := before
	good, _ := t.wait(func() bool {
		for _, s := range t.pages(r) {
			after, _ = total(s)
		}
		return t.over() || after != before || t.entries(r, r.id()) > 0
	})
	if !good && !t.over() {
		s := t.do(t.List, r, Edit{})
		if ofPage(s) {
			return
		}
		t.blame(judge.Warning, s, strconv.Itoa(before-1), strconv.Itoa(after), "the total of %s stays %d after one was deleted", t.List.Endpoint(), before)
	}
}

// totalOfPage asks for a page of one entry, and looks whether the number of all is that of the page.
func (t *try) totalOfPage(r *resource, limit string) {
	if t.beside(r, Edit{}) == nil {
		return
	}
	all, named := t.totalOf(r)
	if !named {
		return
	}
	s := t.do(t.List, r, Edit{Query: map[string]string{limit: "1"}})
	of, also := total(s)
	n := len(t.identifiers(s))
	if !also || n != 1 || all < 2 || ofPage(s) || t.over() {
		return
	}
	pages, told := counted(s, OfPages)
	switch {
	case of == n:
		t.blame(judge.Warning, s, strconv.Itoa(all), strconv.Itoa(of), "the total of %s counts only the entries on the page", t.List.Endpoint())
	case told && of == all && pages != all:
		t.blame(judge.Warning, s, strconv.Itoa(all), strconv.Itoa(pages), "with one entry a page, the number of pages of %s is not the number of entries", t.List.Endpoint())
	}
}

// paged plans what is looked for on the pages of a list.
func (p *planner) paged() {
	k := p.kind
	limit := queryParam(k.List, Limits)
	if limit == nil {
		return
	}
	for _, size := range []int{1, 2} {
		if limit.Node.Validates(json.Number(strconv.Itoa(size))) != nil {
			continue
		}
		p.add(judge.PageBroken, "by-"+strconv.Itoa(size), func(t *try) {
			if all := t.makeAll(); len(all) > 0 {
				t.paging(all[0], limit, size)
			}
		}, k.List).Doubtful = k.shared()
	}
	if k.shared() {
		p.add(judge.PageBroken, "at-rest", func(t *try) {
			if all := t.makeAll(); len(all) > 0 {
				t.pagingAtRest(all[0], limit)
			}
		}, k.List).Alone = true
	}
}

// everyID are the identifiers of the whole list that a resource is in; false where it is too long.
func (t *try) everyID(r *resource) ([]string, bool) {
	pages := t.pages(r)
	var all []string
	for _, page := range pages {
		all = append(all, t.identifiers(page)...)
	}
	return all, len(pages) < maxPages && !t.over()
}

// pagingAtRest reads a list that is the same before and after in a few pages, and looks for what they
// leave out or have twice, whoever has made it: what lies at their borders is seldom the chain's own.
func (t *try) pagingAtRest(r *resource, limit *contract.Param) {
	whole, readable := t.everyID(r)
	text := strconv.Itoa(2 + len(whole)/enoughPages)
	if !readable || limit.Node.Validates(json.Number(text)) != nil {
		return
	}
	p := pager{try: t, query: map[string]string{limit.Spec.Name: text}}
	var walked []string
	var twice *Step
	for turned := true; turned && p.turns < maxPages; {
		s := t.do(t.List, r, Edit{Query: p.query})
		if !s.ok() || t.over() {
			return
		}
		if ids := t.identifiers(s); !p.again(s) {
			if twice == nil && slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(p.seen, id) }) {
				twice = s
			}
			walked = append(walked, ids...)
		}
		turned = p.turn(s)
	}
	after, _ := t.everyID(r)
	if t.over() || p.guessed || !slices.Equal(whole, after) {
		return
	}
	if twice != nil {
		t.blame(judge.Warning, twice, "each resource once", "one on two pages", "the pages of %s list the same resource twice", t.List.Endpoint())
		return
	}
	if id := skipped(whole, walked); id != "" {
		t.blame(judge.Warning, t.steps[len(t.steps)-1], "all entries of the whole list", "not "+id, "the pages of %s leave out an entry of the whole list", t.List.Endpoint())
	}
}

// skipped is what a list has between those of its entries that were read page by page, in the same
// order; empty where there is none. The whole list may be one of longer pages, which lack others.
func skipped(whole, walked []string) string {
	missing := ""
	walked = slices.DeleteFunc(walked, func(id string) bool { return !slices.Contains(whole, id) })
	for _, id := range whole {
		switch {
		case len(walked) == 0:
			return missing
		case id == walked[0]:
			walked = walked[1:]
		case missing == "":
			missing = id
		}
	}
	if len(walked) > 0 { // another order
		return ""
	}
	return missing
}

// paging reads a list in pages of a size, and compares it with the whole.
func (t *try) paging(r *resource, limit *contract.Param, size int) {
	k := t.Kind
	var whole []string
	for _, page := range t.pages(r) {
		whole = append(whole, t.identifiers(page)...)
	}
	total := len(whole)
	if t.over() || total == 0 || total > maxItems {
		return
	}
	name := limit.Spec.Name
	p := pager{try: t, query: map[string]string{name: strconv.Itoa(size)}}
	made := t.steps
	for n, stuck := 0, 0; ; n++ {
		s := t.do(k.List, r, Edit{Query: p.query})
		if !s.ok() || t.over() || n > maxItems*2 {
			return
		}
		ids := t.identifiers(s)
		if p.guessed && slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(p.seen, id) }) {
			return
		}
		if stuck++; !p.again(s) {
			stuck = 0
		}
		if stuck > total+onPages { // others may have added to it, or pages be empty as what is new does not show yet
			t.steps = append(slices.Clone(made), s)
			t.blame(judge.Error, s, "an end after "+strconv.Itoa(total)+" items", "another page", "the pages of %s have no end", k.List.Endpoint())
			return
		}
		if len(ids) > size {
			t.steps = append(slices.Clone(made), s)
			t.blame(judge.Warning, s, "at most "+strconv.Itoa(size), strconv.Itoa(len(ids)), "a page of %s has more entries than %s allows", k.List.Endpoint(), name)
			return
		}
		for i, id := range ids {
			if slices.Contains(p.seen, id) && !p.again(s) || slices.Contains(ids[:i], id) {
				t.blame(judge.Warning, s, "each resource once", "one on two pages", "the pages of %s list the same resource twice", k.List.Endpoint())
				return
			}
		}
		if !p.turn(s) {
			if n == 0 && len(ids) < total && queryParam(k.List, Cursors) == nil {
				return // nothing says how to go on
			}
			break
		}
	}
	for _, id := range whole {
		if !slices.Contains(p.seen, id) && slices.Contains(t.madeHere(), id) {
			t.blame(judge.Warning, t.steps[len(t.steps)-1], strconv.Itoa(total)+" items", strconv.Itoa(len(p.seen)), "the pages of %s leave out entries of the whole list", k.List.Endpoint())
			return
		}
	}
}

// madeHere are the identifiers of what the chain has made.
func (t *try) madeHere() []string {
	var all []string
	for _, s := range t.steps {
		if s.Made != nil {
			all = append(all, s.Made[t.Param.Spec.Name])
		}
	}
	return all
}

// identifiers are those of the entries on a page.
func (t *try) identifiers(s *Step) []string {
	var all []string
	for _, item := range items(s) {
		if id := identifier(item, t.Kind); id != "" {
			all = append(all, id)
		}
	}
	return all
}

// filtered plans what is looked for in a list that is asked for what has some value: a
// parameter that is named as a property is taken to mean that.
func (p *planner) filtered() {
	k := p.kind
	members, _ := p.actor.Base(k.Make)
	set := Others(p.actor, k.Make)
	shared := k.shared()
	for _, param := range k.List.Params {
		name := param.Spec.Name
		if _, there := members[name]; param.Spec.In != openapi3.ParameterInQuery || !there || prop(k.Make, name) == nil {
			continue
		}
		other := Edit{Set: only(set, name)}
		for _, op := range present(k.Put, k.Patch) {
			if prop(op, name) != nil {
				p.onNew(judge.FilterIgnored, name+"/after-"+op.ID, func(t *try, r *resource) { t.filterChanged(r, op, param, other) }, k.List, op).Doubtful = shared
			}
		}
		p.onNew(judge.FilterIgnored, name, func(t *try, r *resource) { t.filter(r, param, other) }, k.List).Doubtful = shared
		p.onNew(judge.FilterIgnored, name+"/alike", func(t *try, r *resource) { t.filterAlike(r, param) }, k.List).Doubtful = shared
	}
}

// filterBy is the value of a property by which a list can be asked for a resource; false where it
// is not known to be stored, or the parameter does not take it.
func (t *try) filterBy(r *resource, param *contract.Param) (v any, ok bool) {
	v = r.made.sent()[param.Spec.Name]
	_, known := t.kept(r)[param.Spec.Name]
	return v, known && param.Node.Validates(v) == nil
}

// filterChanged changes the value of a resource, and looks whether it is still listed under the old one.
func (t *try) filterChanged(r *resource, op *contract.Operation, param *contract.Param, e Edit) {
	name := param.Spec.Name
	was, ok := t.filterBy(r, param)
	ask := Edit{Query: map[string]string{name: queryText(was)}}
	if !ok || countEntries(t.peek(t.List, r, ask), t.Kind, r.id()) == 0 || !t.do(op, r, e).ok() || t.over() {
		return
	}
	if now := t.shown(r)[name]; t.over() || same(now, was) {
		return
	}
	if s := t.do(t.List, r, ask); s.ok() && countEntries(s, t.Kind, r.id()) > 0 {
		t.blame(judge.Warning, s, "only resources with the value", "one that had it before", "%s filtered by %s returns a resource with another value after %s", t.List.Endpoint(), name, op.Endpoint())
	}
}

// filter asks for the list of what has the value of one resource, of two that differ in it.
func (t *try) filter(r *resource, param *contract.Param, e Edit) {
	name := param.Spec.Name
	v, ok := t.filterBy(r, param)
	if !ok || queryText(v) == "" {
		return
	}
	if other := t.beside(r, e); other != nil {
		t.filters(param, name, r, other)
	}
}

// filterAlike asks for the list of what has a text that another resource has but for one letter.
func (t *try) filterAlike(r *resource, param *contract.Param) {
	name := param.Spec.Name
	n := prop(t.Make, name)
	sent, ok := t.filterBy(r, param)
	v, isText := sent.(string)
	if !ok || !isText || !t.unique(v) {
		return
	}
	// A filter may look for a part of what it is given: neither is a part of the other.
	like := []rune(v)
	like = slices.Insert(like, len(like)/2, 'x')
	if n.Validates(string(like)) != nil {
		like = slices.Delete([]rune(v), len(like)/2, len(like)/2+1)
	}
	if n.Validates(string(like)) != nil {
		return
	}
	other := t.beside(r, Edit{Set: map[string]any{name: string(like)}})
	if other == nil || !same(t.shown(other)[name], string(like)) {
		return
	}
	s := t.do(t.List, r, Edit{Query: map[string]string{name: v}})
	for _, item := range items(s) {
		if got := item[name]; s.ok() && isOther(got, v) {
			t.blame(judge.Warning, s, "only resources with the value", name+": "+show(got), "%s filtered by %s returns a resource with another value", t.List.Endpoint(), name)
		}
	}
}

// lets reports whether a filtered list has a resource with another value, be it on a later page
// than the first one, which is the last step then.
func (t *try) lets(first *Step, r, other *resource, query map[string]string) bool {
	if countEntries(first, t.Kind, other.id()) > 0 {
		return true
	}
	for _, s := range t.pagesOf(r, Own, query) {
		if countEntries(s, t.Kind, other.id()) > 0 && !t.over() {
			t.steps[len(t.steps)-1] = s
			return true
		}
	}
	return false
}

// queryText is a value as a query has it.
func queryText(v any) string {
	if b, ok := v.(bool); ok {
		return strconv.FormatBool(b)
	}
	return textOf(v)
}
