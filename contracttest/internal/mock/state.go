package mock

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// state is what a mock remembers: the resources that requests have made, and those that it
// began with.
type state struct {
	mu    sync.Mutex
	kinds []*kind
	roles []role          // of the operations, by their index
	count int             // of identifiers that were made
	size  int             // of resources that are there
	left  map[string]bool // paths of resources that were taken away
	keys  map[string]keyed
}

// kind is what can be made, with the resources of it that are there.
type kind struct {
	*chain.Kind
	all []*resource // in the order in which they were made
}

// resource is something that is there.
type resource struct {
	values map[string]string // of path parameters, by their names
	up     *resource         // what it was made below, where its own path does not say so; else nil
	object map[string]any    // its members, whatever answer shows which of them
	gone   bool
	// As answers show it, until it changes: by schema, and whole answers by what was asked for.
	shows   map[*contract.Node]map[string]any
	answers map[question]reply
}

// question is what is asked of a resource.
type question struct {
	op     *contract.Operation
	accept string
}

// maxQuestions is how many whole answers of a resource are remembered.
const maxQuestions = 16

// as is what a schema shows of a resource; nil where that cannot be. Nobody may change it.
func (r *resource) as(m *value.Maker, n *contract.Node) map[string]any {
	if seen, ok := r.shows[n]; ok {
		return seen
	}
	s := shape{node: n}
	if g, err := m.Good(n); err == nil {
		s.made, _ = value.Plain(g.V).(map[string]any)
	}
	if r.shows == nil {
		r.shows = map[*contract.Node]map[string]any{}
	}
	r.shows[n] = s.project(r.object)
	return r.shows[n]
}

// role is what an operation does to resources.
type role struct {
	makes                                []*kind
	lists, reads, puts, patches, deletes *kind
	above                                []*kind // of which its path names one that has to be there
}

// keyed is the answer to a request that may be sent again.
type keyed struct {
	body string
	out  reply
}

// How much is remembered; what is more takes the place of the oldest.
const (
	maxResources = 10_000
	maxKeys      = 1_000
)

func newState(c *contract.Contract) *state {
	st := &state{roles: make([]role, len(c.Operations)), keys: map[string]keyed{}, left: map[string]bool{}}
	for _, k := range chain.Kinds(c, world.New(c)) {
		if k.Chosen() || k.Part() && !st.hasPlaceFor(k) {
			continue // whether PUT makes anything, the document does not say
		}
		if !k.Part() && (len(k.Param.Node.Schema.Enum) > 0 || k.Param.Node.Schema.Const != nil) {
			continue // the document lists them: nothing is made
		}
		mine := &kind{Kind: k}
		st.kinds = append(st.kinds, mine)
		if !k.Part() {
			st.roles[k.Make.Index].makes = append(st.roles[k.Make.Index].makes, mine)
		}
		for _, of := range []struct {
			op  *contract.Operation
			set func(*role)
		}{
			{k.List, func(r *role) { r.lists = mine }},
			{k.All, func(r *role) { r.lists = mine }},
			{k.Read, func(r *role) { r.reads = mine }},
			{k.Put, func(r *role) { r.puts = mine }},
			{k.Patch, func(r *role) { r.patches = mine }},
			{k.Delete, func(r *role) { r.deletes = mine }},
		} {
			if of.op != nil {
				of.set(&st.roles[of.op.Index])
			}
		}
		for _, op := range c.Operations {
			if item := world.Unnamed(k.Item); world.Unnamed(op.Path) == item || strings.HasPrefix(world.Unnamed(op.Path), item+"/") {
				st.roles[op.Index].above = append(st.roles[op.Index].above, mine)
			}
		}
	}
	return st
}

// hasPlaceFor reports whether what a part stands below is remembered, and PUT or PATCH sets it.
func (st *state) hasPlaceFor(part *chain.Kind) bool {
	return part.Make.Method != http.MethodPost && (part.Parent == nil || slices.ContainsFunc(st.kinds, func(up *kind) bool {
		return up.Kind == part.Parent && strings.HasPrefix(part.Item, up.Item+"/")
	}))
}

// names are those that the identifier of a kind may have in an answer; none of a part.
func (k *kind) names() []string {
	if k.Part() {
		return nil
	}
	return world.Identifiers(k.Param.Spec.Name, k.Make.Path)
}

// id is the identifier in the values of a path; empty of a part.
func (k *kind) id(values map[string]string) string {
	if k.Part() {
		return ""
	}
	return values[k.Param.Spec.Name]
}

// find returns the resource that the values of a path name; nil where there is none.
func (k *kind) find(values map[string]string) *resource {
	i := slices.IndexFunc(k.all, func(r *resource) bool {
		return k.id(r.values) == k.id(values) && r.below(values)
	})
	if i < 0 {
		return nil
	}
	return k.all[i]
}

// below reports whether a resource is where the values of a path say, as far as it is known.
func (r *resource) below(values map[string]string) bool {
	for name, v := range values {
		if mine, known := r.values[name]; known && mine != v {
			return false
		}
	}
	return true
}

// enter adds a resource to the kinds that it is of.
func (st *state) enter(kinds []*kind, r *resource) {
	for _, k := range kinds {
		k.all = append(k.all, r)
	}
	if st.size++; st.size > maxResources {
		for _, k := range st.kinds {
			if len(k.all) > 0 {
				st.remove(k.all[0])
				break
			}
		}
	}
}

// remove takes a resource away, with all that stands below it.
func (st *state) remove(r *resource) {
	if r.gone {
		return
	}
	r.gone = true
	st.size--
	for _, k := range st.kinds {
		if !slices.Contains(k.all, r) {
			continue
		}
		k.all = slices.DeleteFunc(k.all, func(other *resource) bool { return other == r })
		if len(st.left) >= maxResources {
			clear(st.left)
		}
		st.left[(&world.Resource{Item: k.Item, Values: r.values}).Path()] = true
		for _, child := range st.kinds {
			if child.Parent != k.Kind {
				continue
			}
			for _, below := range slices.Clone(child.all) {
				if below.up == r || !child.Shallow() && below.values[k.Param.Spec.Name] == k.id(r.values) && below.below(r.values) {
					st.remove(below)
				}
			}
		}
	}
}

// base is what stands before the path of an operation in a request target.
func base(op *contract.Operation, path string) string {
	for _, base := range []string{op.BasePath, op.Contract.BasePath} {
		if rest, ok := strings.CutPrefix(path, base); ok {
			if _, ok := op.Match(rest); ok {
				return base
			}
		}
	}
	return ""
}

// remembered answers a request by what is there; false where the operation has to do with nothing
// that is remembered.
func (s *Server) remembered(op *contract.Operation, req *wire.Request, want func(string) float64) (reply, bool) {
	st := s.state
	if st == nil {
		return reply{}, false
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	r := &st.roles[op.Index]
	t := turn{s, op, req, want, nil}
	t.values = t.pathValues(req.Path())
	var here *resource
	for _, k := range r.above {
		found := k.find(t.of(k))
		if found == nil && k.Part() && !t.cleared(k) {
			found = t.begins(k)
		}
		switch {
		case found != nil || k == r.puts:
		case st.left[t.path(k)] || op.Response(http.StatusNotFound) != nil || op.Response(http.StatusGone) != nil:
			return t.absent(), true
		default: // the document has no answer for what was never there
			return reply{}, false
		}
		path := op.Template()
		if item := strings.TrimSuffix(k.Item, "/"); item == path || item == strings.TrimSuffix(path[:strings.LastIndex(path, "/")], "/") {
			here = found
		}
	}
	if here != nil && (r.puts != nil || r.patches != nil || r.deletes != nil) {
		if out, failed := t.precondition(here); failed {
			return out, true
		}
	}
	switch {
	case len(r.makes) > 0:
		return t.once(func() reply { return t.create(r.makes) }), true
	case r.lists != nil:
		return t.list(r.lists)
	case r.deletes != nil:
		out := t.shown(here, r.deletes, successes(op))
		st.remove(here)
		return out, true
	case r.puts != nil:
		return t.replace(r.puts, here)
	case r.patches != nil:
		return t.change(r.patches, here)
	case here != nil && r.reads != nil:
		return t.read(here, r.reads), true
	case here != nil && !world.Safe(op.Method):
		return t.shown(here, r.above[len(r.above)-1], successes(op)), true
	}
	return reply{}, false
}

// turn is one request of which the answer goes by what is there.
type turn struct {
	*Server
	op     *contract.Operation
	req    *wire.Request
	want   func(string) float64
	values map[string]string
}

// pathValues are the values of the parameters in a path.
func (t turn) pathValues(path string) map[string]string {
	return world.Values(t.op, path, base(t.op, path))
}

// of are the values of the request's path as the item of a kind has them.
func (t turn) of(k *kind) map[string]string {
	values := maps.Clone(t.values)
	maps.Copy(values, world.Carried(t.values, t.op.Path, k.Item))
	return values
}

// above is what the path of the request, that of a collection, says that its items are below; nil where their own paths
// say so.
func (t turn) above(k *kind) *resource {
	i := slices.IndexFunc(t.state.kinds, func(up *kind) bool { return up.Kind == k.Parent })
	if !k.Shallow() || i < 0 || !strings.HasPrefix(world.Unnamed(t.op.Path), world.Unnamed(k.Parent.Item)+"/") {
		return nil
	}
	return t.state.kinds[i].find(t.of(t.state.kinds[i]))
}

// path is that of the resource of a kind which the path of the request names.
func (t turn) path(k *kind) string {
	values := map[string]string{}
	for name, v := range t.of(k) {
		if strings.Contains(k.Item, "{"+name+"}") {
			values[name] = v
		}
	}
	return (&world.Resource{Item: k.Item, Values: values}).Path()
}

// cleared reports whether a part was deleted, and the document has an answer for that.
func (t turn) cleared(k *kind) bool {
	return t.state.left[t.path(k)] && (k.Read.Response(http.StatusNotFound) != nil || k.Read.Response(http.StatusGone) != nil)
}

// begins enters a part as it is before anybody sets it: as an example of the document has it.
func (t turn) begins(k *kind) *resource {
	r := &resource{values: maps.Clone(t.values), object: map[string]any{}}
	if shown := t.exampled(k, k.Read); len(shown) > 0 {
		r.object = maps.Clone(shown[0])
	} else if shapes := t.shapes(k); len(shapes) > 0 {
		r.object = maps.Clone(shapes[0].made)
	}
	t.state.enter([]*kind{k}, r)
	return r
}

// absent refuses a request about what is not there.
func (t turn) absent() reply {
	status := http.StatusNotFound
	if r := t.op.Response(http.StatusGone); t.op.Response(status) == nil && r != nil {
		status = http.StatusGone
	}
	return reply{op: t.op, Response: t.refused(t.op, status, "there is no such resource"), note: "there is no such resource"}
}

// once answers a request as it was answered before where its key says that it is the same.
func (t turn) once(do func() reply) reply {
	name := chain.KeyOf(t.op)
	key := t.req.Get(name)
	if name == "" || key == "" {
		return do()
	}
	key = t.op.ID + " " + t.req.Path() + " " + key
	st := t.state
	before, sent := st.keys[key]
	if sent && before.body == string(t.req.Body) {
		before.out.Response = again(before.out.Response)
		return before.out
	}
	if sent && exactly(t.op, http.StatusUnprocessableEntity) {
		return reply{op: t.op, Response: t.refused(t.op, http.StatusUnprocessableEntity, "the key is that of another request"), note: "the key is that of another request"}
	}
	out := do()
	if len(st.keys) >= maxKeys {
		clear(st.keys)
	}
	st.keys[key] = keyed{string(t.req.Body), reply{op: out.op, Response: again(out.Response)}}
	return out
}

func again(r *wire.Response) *wire.Response {
	out := *r
	out.Header = r.Header.Clone()
	return &out
}

// exactly reports whether a status is documented by its number.
func exactly(op *contract.Operation, status int) bool {
	r := op.Response(status)
	return r != nil && r.Key == fmt.Sprint(status)
}

// precondition refuses a change that asks for another state of the resource than it has, where the
// document speaks of that.
func (t turn) precondition(r *resource) (reply, bool) {
	asked := t.req.Get("If-Match")
	if asked == "" || !exactly(t.op, http.StatusPreconditionFailed) || strings.TrimSpace(asked) == "*" {
		return reply{}, false
	}
	for tag := range strings.SplitSeq(asked, ",") {
		if uncoded(strings.TrimSpace(tag)) == r.etag() { // the strong comparison (RFC 9110 §13.1.1)
			return reply{}, false
		}
	}
	why := "the resource is not in the state that If-Match asks for"
	return reply{op: t.op, Response: t.refused(t.op, http.StatusPreconditionFailed, why), note: why}, true
}

// etag is a strong validator of a resource.
func (r *resource) etag() string {
	text, err := json.Marshal(r.object)
	if err != nil {
		text = nil
	}
	return etag(text)
}

// create makes what a request asks for.
func (t turn) create(kinds []*kind) reply {
	k := kinds[0]
	r := &resource{values: maps.Clone(t.values), up: t.above(k)}
	if r.values == nil || k.Shallow() {
		r.values = map[string]string{}
	}
	sent := t.sent(nil)
	id, given := t.identifier(k, sent)
	if given {
		r.values[k.Param.Spec.Name] = codec.WriteText(id)
		if there := k.find(r.values); there != nil {
			if exactly(t.op, http.StatusConflict) {
				why := "there is one with this identifier"
				return reply{op: t.op, Response: t.refused(t.op, http.StatusConflict, why), note: why}
			}
			t.state.remove(there)
		}
	}
	for _, of := range kinds {
		r.values[of.Param.Spec.Name] = codec.WriteText(id)
	}
	r.object = t.fresh(k, sent, id)
	t.nameParent(k, r, sent)
	t.state.enter(kinds, r)
	statuses := successes(t.op)
	if exactly(t.op, http.StatusCreated) {
		statuses = []int{http.StatusCreated}
	}
	out := t.shown(r, k, statuses)
	t.locate(out, k, r)
	return out
}

// nameParent gives what was made below something its identifier, where the answers of its kind have that and the
// request does not.
func (t turn) nameParent(k *kind, r *resource, sent map[string]any) {
	if k.Parent == nil {
		return
	}
	id := world.Carried(t.values, t.op.Path, k.Parent.Item)[k.Parent.Param.Spec.Name]
	for _, s := range t.shapes(k) {
		for _, p := range s.node.Members() {
			if _, there := sent[p.PropName]; !there && id != "" && k.IsParent(p.PropName, p) {
				r.object[p.PropName] = typed(p, id)
			}
		}
	}
}

// locate says where what was made is, where the document has a field for that or the answer is
// 201 (RFC 9110 §15.3.2).
func (t turn) locate(out reply, k *kind, r *resource) {
	at := base(t.op, t.req.Path()) + (&world.Resource{Item: k.Item, Values: r.values}).Path()
	doc := t.op.Response(out.Status)
	var h *contract.Header
	if doc != nil {
		if i := slices.IndexFunc(doc.Headers, func(h *contract.Header) bool { return strings.EqualFold(h.Name, "Location") }); i >= 0 {
			h = doc.Headers[i]
		}
	}
	if strings.Contains(at, "{") || h == nil && out.Status != http.StatusCreated {
		return
	}
	was := out.Header.Values("Location")
	for _, text := range []string{at, t.absolute(at)} {
		out.Header.Set("Location", text)
		if h == nil || len(h.Check(out.Response)) == 0 {
			return
		}
	}
	out.Header["Location"] = was
}

// absolute is the URL of a target on this server.
func (t turn) absolute(target string) string {
	return "http://" + cmp.Or(t.req.Get("Host"), "localhost") + target
}

// sent is what a request says of the members of a resource: what its schema speaks of and leaves
// to it. Where was is nil, the documented defaults are among them.
func (t turn) sent(was map[string]any) map[string]any {
	v, n, ok := t.op.BodyValue(t.req)
	members, isObject := v.(map[string]any)
	if !ok || !isObject {
		return map[string]any{}
	}
	a := schema.Nodes{n}.Of(members)
	all := map[string]any{}
	for name, v := range members {
		if (a.Speaks(name) || a.Open()) && !a.OneSided(name) {
			all[name] = v
		}
	}
	if was != nil {
		return all
	}
	for _, p := range n.Members() {
		if _, there := members[p.PropName]; !there && p.Schema.Default != nil && !p.Schema.ReadOnly {
			all[p.PropName] = normal(p.Schema.Default)
		}
	}
	return all
}

// normal is a value as a decoder returns it.
func normal(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return v
	}
	out, err := codec.DecodeJSON(text)
	if err != nil {
		return v
	}
	return out
}

// identifier is that of something new: the one that a request gives, or a made one that nothing
// has yet.
func (t turn) identifier(k *kind, sent map[string]any) (id any, given bool) {
	for _, name := range k.names() {
		for _, key := range slices.Sorted(maps.Keys(sent)) {
			if v := sent[key]; world.Plain(key) == name && codec.WriteText(v) != "" && k.takes(v) {
				return v, true
			}
		}
	}
	nodes := []*contract.Node{k.Param.Node}
	for _, m := range t.shapes(k) {
		if p := member(m.node, k.names()); p != nil {
			nodes = append(nodes, p)
		}
	}
	st := t.state
	var found any
	t.answers.with(func(m *value.Maker) {
		good := value.Good{V: "a"}
		for _, n := range nodes {
			if g, err := m.Good(n); err == nil && good.V == "a" {
				good = g
			}
		}
		for range maxTries {
			st.count++
			for _, v := range identifiers(m, nodes[len(nodes)-1], good.V, st.count, t.opts.Seed) {
				if found == nil && k.takes(v) && !slices.ContainsFunc(nodes[1:], func(n *contract.Node) bool { return n.Validates(v) != nil }) &&
					!slices.ContainsFunc(k.all, func(r *resource) bool { return r.values[k.Param.Spec.Name] == codec.WriteText(v) }) {
					found = v
				}
			}
			if found != nil {
				return
			}
		}
		found = value.Plain(good.V)
	})
	return found, false
}

// maxTries is how many identifiers are tried for something new.
const maxTries = 200

// takes reports whether the path parameter of a kind can have a value, which is a text there.
func (k *kind) takes(v any) bool {
	if k.Param.Node.Validates(v) == nil {
		return true
	}
	text, isText := v.(string)
	return isText && number(text) && k.Param.Node.Validates(json.Number(text)) == nil || !isText && k.Param.Node.Validates(codec.WriteText(v)) == nil
}

func number(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && text[0] != '0'
}

// identifiers are candidates for the i-th identifier.
func identifiers(m *value.Maker, n *contract.Node, good any, i int, seed int64) []any {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", seed, i))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // a random UUID (RFC 9562 §5.4)
	return []any{
		json.Number(fmt.Sprint(i)), fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]),
		fmt.Sprint(i), hex.EncodeToString(sum[:16]), hex.EncodeToString(sum[:12]), value.Plain(m.Distinct(n, good, i)),
	}
}

// fresh is a new resource: what was sent, and of what answers have to have, or the server alone
// sets, made values.
func (t turn) fresh(k *kind, sent map[string]any, id any) map[string]any {
	object := map[string]any{}
	shapes := t.shapes(k)
	_, body, _ := t.op.BodyValue(t.req)
	for _, s := range shapes {
		for name, v := range s.made {
			p := s.node.Prop(name)
			if _, there := object[name]; !there && (s.node.Requires(name) || p != nil && p.Schema.ReadOnly) {
				object[name] = v
				if asked := prop(body, name); p != nil && asked != nil && !asked.Schema.ReadOnly {
					object[name] = unsaid(p, v)
				}
			}
		}
	}
	maps.Copy(object, sent)
	for _, s := range shapes {
		if p := member(s.node, k.names()); p != nil {
			object[p.PropName] = typed(p, id)
		}
	}
	if len(shapes) > 0 && shapes[0].project(object) == nil { // it cannot be both
		only := maps.Clone(sent)
		whole := maps.Clone(shapes[0].made)
		if p := member(shapes[0].node, k.names()); p != nil {
			only[p.PropName], whole[p.PropName] = typed(p, id), typed(p, id)
		}
		if shapes[0].project(only) != nil {
			return only
		}
		return whole
	}
	return object
}

// unsaid is the value of a member that answers have to have and a request could have given: an empty
// one where there is one, since an example would look as if somebody had given it.
func unsaid(p *contract.Node, made any) any {
	for _, v := range []any{"", map[string]any{}, []any{}, nil} {
		if p.Validates(v) == nil {
			return v
		}
	}
	return made
}

// typed is an identifier as a property has it.
func typed(p *contract.Node, id any) any {
	if p.Validates(id) == nil {
		return id
	}
	text := codec.WriteText(id)
	if number(text) && p.Validates(json.Number(text)) == nil {
		return json.Number(text)
	}
	return text
}

// member is the property of an identifier; nil where the schema has none.
func member(n *contract.Node, names []string) *contract.Node {
	members := n.Members()
	for _, name := range names {
		for _, p := range members {
			if world.Plain(p.PropName) == name && (may(p, "string") || may(p, "integer")) && !may(p, "object") {
				return p
			}
		}
	}
	return nil
}

// may reports whether a value of a JSON type can keep a schema, as it and those that always hold beside it say.
func may(n *contract.Node, typ string) bool {
	return n.Allows(typ) && !slices.ContainsFunc(n.InPlace(), func(part *contract.Node) bool { return part.Force() == schema.Always && !may(part, typ) })
}

// shape is how an answer shows a resource.
type shape struct {
	node *contract.Node
	made map[string]any
}

// shapes lists how the answers of a kind show a resource, the fullest first.
func (t turn) shapes(k *kind) []shape {
	var all []shape
	for _, op := range []*contract.Operation{k.Read, k.Make, k.Put, k.Patch, k.List} {
		if op == nil {
			continue
		}
		for _, status := range successes(op) {
			r := op.Response(status)
			if r == nil || status/100 != 2 || len(r.Media) == 0 || r.Media[0].Node == nil {
				continue
			}
			n := shownAt(r.Media[0].Node, k.names(), op == k.List)
			if n == nil {
				continue
			}
			t.answers.with(func(m *value.Maker) {
				if g, err := m.Good(n); err == nil {
					if made, ok := value.Plain(g.V).(map[string]any); ok {
						all = append(all, shape{n, made})
					}
				}
			})
		}
	}
	return all
}

// maxLevels is how deep in an answer a resource is looked for.
const maxLevels = 8

// shownAt finds where a schema shows a resource: an object with its identifier, as near the top as
// there is one; in lists, an item. nil where there is none.
func shownAt(root *contract.Node, names []string, inList bool) *contract.Node {
	if len(names) == 0 { // a part
		if inList || !root.Allows("object") {
			return nil
		}
		return root
	}
	level := []*contract.Node{root}
	for range maxLevels {
		var next []*contract.Node
		for _, n := range level {
			if (!inList || listOf(n) != nil) && member(n, names) != nil {
				return n
			}
			for _, c := range n.Children() {
				if c.Force() != schema.Indirect && (inList || c.About() != schema.Item) {
					next = append(next, c)
				}
			}
		}
		level = next
	}
	return nil
}

// listOf is the list that a schema is of an item of, nil where it is of none.
func listOf(n *contract.Node) *contract.Node {
	for ; n.Parent != nil; n = n.Parent {
		switch n.About() {
		case schema.Item:
			return n.Parent
		case schema.Member:
			return nil
		}
	}
	return nil
}

// project is what a shape shows of a resource; nil where that cannot be.
func (s shape) project(object map[string]any) map[string]any {
	a := schema.Nodes{s.node}.Of(object)
	out := map[string]any{}
	for name, v := range object {
		if (a.Speaks(name) || a.Open()) && !a.OneSided(name) {
			out[name] = v
		}
	}
	for name, v := range s.made {
		if _, there := out[name]; !there && s.node.Requires(name) {
			out[name] = v
			if p := s.node.Prop(name); p != nil {
				out[name] = unsaid(p, v)
			}
		}
	}
	if s.node.Validates(out) != nil {
		return nil
	}
	return out
}

// read answers with a resource as it is shown, or was since it has changed.
func (t turn) read(r *resource, k *kind) reply {
	q := question{t.op, strings.Join(t.req.Values("Accept"), ",")}
	out, seen := r.answers[q]
	if !seen {
		out = t.shown(r, k, successes(t.op))
		if r.answers == nil || len(r.answers) >= maxQuestions {
			r.answers = map[question]reply{}
		}
		r.answers[q] = out
	}
	out.Response = again(out.Response) // its header is added to
	return out
}

// shown answers with a resource, or as the document has it where the answer shows none.
func (t turn) shown(r *resource, k *kind, statuses []int) reply {
	out := reply{op: t.op}
	for _, status := range statuses {
		doc := t.op.Response(status)
		if doc == nil {
			continue
		}
		out.Response = t.holding(doc, status, func(m *value.Maker, root *contract.Node) (any, bool) {
			n := shownAt(root, k.names(), false)
			if n == nil {
				return nil, false
			}
			return t.put(m, root, n, r)
		})
		if out.Response != nil {
			t.tag(out, r)
			return out
		}
	}
	for _, status := range append(slices.Clone(statuses), 0) { // without a body, or of something else
		if out = t.success(t.op, t.req, wish{code: status}, t.want); out.Status == status {
			break
		}
	}
	out.applied = nil
	if r != nil {
		t.tag(out, r)
	}
	return out
}

// tag gives an answer the validator of the resource, where the document has a field for it.
func (t turn) tag(out reply, r *resource) {
	if out.Header.Get("ETag") == "" {
		return
	}
	was := out.Header.Values("ETag")
	out.Header.Set("ETag", r.etag())
	if doc := t.op.Response(out.Status); doc != nil && len(doc.CheckHeaders(out.Response)) > 0 {
		out.Header["Etag"] = was
	}
}

// put is a value of an answer that shows a resource at a node.
func (t turn) put(m *value.Maker, root, n *contract.Node, r *resource) (any, bool) {
	g, err := m.Good(root)
	if err != nil {
		return nil, false
	}
	leaf := r.as(m, n)
	if leaf == nil {
		return nil, false
	}
	v, err := plan.Put(m, root, value.Plain(g.V), n, any(leaf))
	return v, err == nil
}

// holding is an answer with the value that fill makes for its schema; nil where there is none.
func (t turn) holding(doc *contract.Response, status int, fill func(*value.Maker, *contract.Node) (any, bool)) *wire.Response {
	for _, media := range first(doc, t.want) {
		if media.Node == nil {
			continue
		}
		var resp *wire.Response
		t.answers.with(func(m *value.Maker) {
			v, ok := fill(m, media.Node)
			if !ok {
				return
			}
			body, label, err := written(media, value.Plain(v))
			if err != nil {
				return
			}
			got := &wire.Response{Status: status, Header: http.Header{"Content-Type": {label}}, Body: body}
			if len(doc.CheckBody(media, got)) == 0 {
				t.answers.heads(doc, got)
				resp = got
			}
		})
		if resp != nil {
			return resp
		}
	}
	return nil
}

// replace answers PUT.
func (t turn) replace(k *kind, r *resource) (reply, bool) {
	statuses := slices.DeleteFunc(successes(t.op), func(status int) bool { return status == http.StatusCreated })
	sent := t.sent(nil)
	if r == nil {
		switch {
		case exactly(t.op, http.StatusCreated):
			statuses = []int{http.StatusCreated}
		case t.op.Response(http.StatusNotFound) != nil && !k.Part():
			return t.absent(), true
		}
		r = &resource{values: maps.Clone(t.values)}
		r.object = t.fresh(k, sent, k.id(t.values))
		t.state.enter([]*kind{k}, r)
		return t.shown(r, k, statuses), true
	}
	object := map[string]any{}
	_, n, described := t.op.BodyValue(t.req)
	for name, v := range r.object { // what the request has no say in stays
		if p := prop(n, name); !described || p == nil || p.Schema.ReadOnly {
			object[name] = v
		}
	}
	maps.Copy(object, sent)
	return t.store(k, r, object, statuses)
}

func prop(n *contract.Node, name string) *contract.Node {
	if n == nil {
		return nil
	}
	return n.Prop(name)
}

// change answers PATCH: a JSON Patch (RFC 6902), a merge patch (RFC 7396), or the same in JSON.
func (t turn) change(k *kind, r *resource) (reply, bool) {
	if kind, _, _ := strings.Cut(t.req.Get("Content-Type"), ";"); strings.EqualFold(strings.TrimSpace(kind), "application/json-patch+json") {
		return t.patch(k, r)
	}
	sent := t.sent(r.object)
	object := maps.Clone(r.object)
	merging := strings.HasPrefix(strings.ToLower(t.req.Get("Content-Type")), "application/merge-patch+json")
	_, n, _ := t.op.BodyValue(t.req)
	for name, v := range sent {
		switch p := prop(n, name); {
		case v == nil && (merging || p == nil || p.Validates(nil) != nil):
			delete(object, name)
		case merging:
			object[name] = merged(object[name], v)
		default:
			object[name] = v
		}
	}
	return t.store(k, r, object, successes(t.op))
}

// patch answers a JSON Patch. What the server alone sets stays as it was.
func (t turn) patch(k *kind, r *resource) (reply, bool) {
	v, _, _ := t.op.BodyValue(t.req)
	changes, _ := v.([]any)
	after, err := patched(r.object, changes)
	object, isObject := after.(map[string]any)
	if err == nil && !isObject {
		err = errPatch
	}
	if err != nil {
		return t.conflict(err.Error()), true
	}
	object = maps.Clone(object)
	for _, s := range t.shapes(k) {
		for name, was := range r.object {
			if p := s.node.Prop(name); p != nil && p.Schema.ReadOnly {
				object[name] = was
			}
		}
	}
	return t.store(k, r, object, successes(t.op))
}

// conflict refuses a patch that cannot be applied to the resource as it is (RFC 5789 §2.2).
func (t turn) conflict(why string) reply {
	status := refusal(t.op, []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusBadRequest})
	return reply{op: t.op, Response: t.refused(t.op, status, why), note: why}
}

// merged is a value after a merge patch.
func merged(was, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	before, _ := was.(map[string]any)
	out := maps.Clone(before)
	if out == nil {
		out = map[string]any{}
	}
	for name, v := range changes {
		if v == nil {
			delete(out, name)
		} else {
			out[name] = merged(out[name], v)
		}
	}
	return out
}

// store keeps a changed resource, and answers with it; a change after which it could not be shown
// is refused.
func (t turn) store(k *kind, r *resource, object map[string]any, statuses []int) (reply, bool) {
	id := k.id(r.values)
	for _, s := range t.shapes(k) {
		if p := member(s.node, k.names()); p != nil {
			object[p.PropName] = typed(p, id)
		}
	}
	if shapes := t.shapes(k); len(shapes) > 0 && shapes[0].project(object) == nil && shapes[0].project(r.object) != nil {
		status := refusal(t.op, []int{http.StatusUnprocessableEntity, http.StatusConflict, http.StatusBadRequest})
		why := "the resource would not keep its schema"
		return reply{op: t.op, Response: t.refused(t.op, status, why), note: why}, true
	}
	r.object, r.shows, r.answers = object, nil, nil
	return t.shown(r, k, statuses), true
}
