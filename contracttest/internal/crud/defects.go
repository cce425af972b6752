package crud

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Defect is one way in which the service is wrong, of which no exchange alone says so.
type Defect struct {
	Name string
	// Doc says what is wrong.
	Doc string
	// Check is the one that is meant to find it.
	Check string
	// Warning is set where no sentence of the document or an RFC is broken, or what breaks
	// one does not happen each time.
	Warning bool
	// Dress is the one that has it.
	Dress Dress
	// Peer is set where a second caller is needed to see it.
	Peer bool

	hook hook
}

// next is the service behind a hook.
type next = func(*call) *reply

// step is what a defect does beside the service.
type step func(s *Service, c *call, r *reply)

// is reports whether a call is of one of some operations.
func (c *call) is(ops string) bool { return slices.Contains(strings.Fields(ops), c.op) }

// done does something after calls of some operations that were carried out.
func done(ops string, do step) hook {
	return func(s *Service, c *call, next next) *reply {
		r := next(c)
		if c.is(ops) && r.status < http.StatusMultipleChoices {
			do(s, c, r)
		}
		return r
	}
}

// refused does something after calls of some operations that were answered with a status.
func refused(ops string, status int, do step) hook {
	return func(s *Service, c *call, next next) *reply {
		r := next(c)
		if c.is(ops) && r.status == status {
			do(s, c, r)
		}
		return r
	}
}

// asked changes calls of some operations before they are served.
func asked(ops string, change func(s *Service, c *call)) hook {
	return func(s *Service, c *call, next next) *reply {
		if c.is(ops) && c.refused == nil {
			change(s, c)
		}
		return next(c)
	}
}

// both are two hooks as one.
func both(one, other hook) hook {
	return func(s *Service, c *call, next next) *reply {
		return one(s, c, func(c *call) *reply { return other(s, c, next) })
	}
}

// every does something each so many-th time.
func every(n int, do step) step {
	count := 0
	return func(s *Service, c *call, r *reply) {
		if count++; count%n == 0 {
			do(s, c, r)
		}
	}
}

// where does something where what a reply shows is so.
func where(so func(shown map[string]any) bool, do step) step {
	return func(s *Service, c *call, r *reply) {
		if so(r.members()) {
			do(s, c, r)
		}
	}
}

// members are those of the item that a reply shows.
func (r *reply) members() map[string]any {
	m, _ := r.body.(map[string]any)
	return m
}

func has(name string) func(map[string]any) bool {
	return func(m map[string]any) bool { return m[name] != nil }
}

func lacks(name string) func(map[string]any) bool {
	return func(m map[string]any) bool { return m[name] == nil }
}

func textOf(m map[string]any, name string) string {
	text, _ := m[name].(string)
	return text
}

func numberOf(m map[string]any, name string) (int, bool) {
	switch n := m[name].(type) {
	case json.Number:
		i, err := n.Int64()
		return int(i), err == nil
	case int:
		return n, true
	}
	return 0, false
}

// spot is where an item is, or was.
type spot struct {
	kind
	all map[int]*item
	id  int
	*item
}

// at is the item that a call is about: that of its path, or the one that it has made.
func (s *Service) at(c *call, r *reply) spot {
	id := c.id("teamId", "")
	if c.op == "createTeam" {
		id, _ = r.members()["id"].(int)
	}
	team := s.teams[id]
	_, names := c.values["noteId"]
	if c.op != "addNote" && !names || team == nil {
		return spot{teams, s.teams, id, team}
	}
	id = c.id("noteId", notes.prefix)
	if c.op == "addNote" {
		id, _ = strconv.Atoi(strings.TrimPrefix(textOf(r.members(), "id"), notes.prefix))
	}
	return spot{notes, team.notes, id, team.notes[id]}
}

// change changes what is stored of an item, but not its ETag.
func change(do func(m map[string]any)) step {
	return func(s *Service, c *call, r *reply) {
		if i := s.at(c, r).item; i != nil {
			i.members = maps.Clone(i.members)
			do(i.members)
		}
	}
}

// show changes the item that a reply shows.
func show(do func(m map[string]any)) step {
	return func(_ *Service, _ *call, r *reply) {
		if m := r.members(); m != nil {
			do(m)
		}
	}
}

// lose deletes an item.
func lose(s *Service, c *call, r *reply) {
	at := s.at(c, r)
	delete(at.all, at.id)
}

// before keeps what an item was before a call, and does something after it.
func before(ops string, do func(s *Service, c *call, r *reply, was map[string]any)) hook {
	return func(s *Service, c *call, next next) *reply {
		if !c.is(ops) {
			return next(c)
		}
		var was map[string]any
		if i := s.at(c, &reply{}).item; i != nil {
			was = maps.Clone(i.members)
		}
		r := next(c)
		if r.status < http.StatusMultipleChoices && was != nil {
			do(s, c, r, was)
		}
		return r
	}
}

// perform carries out what was refused.
func perform(s *Service, c *call, _ *reply) {
	if c.is(bothCreate+" "+bothReplace) && c.members()["name"] == nil && c.members()["title"] == nil {
		return // what is stored of it would break the document
	}
	again := *c
	again.refused, again.header = nil, http.Header{}
	s.serve(&again)
}

// performValid carries out what was refused, with those members alone that may be so.
func performValid(s *Service, c *call, _ *reply) {
	k := teams
	if strings.HasSuffix(c.op, "Note") {
		k = notes
	}
	sent := c.members()
	for name, v := range sent {
		if !k.may(name, v) {
			delete(sent, name)
		}
	}
	for _, name := range k.names[:2] {
		if name != "text" && sent[name] == nil && !strings.HasPrefix(c.op, "change") {
			return // not without what is required
		}
	}
	body, err := json.Marshal(sent)
	if err != nil || len(sent) == 0 {
		return
	}
	again := *c
	again.refused, again.body, again.header = nil, body, http.Header{}
	s.serve(&again)
}

// may reports whether a member is as the document wants it.
func (k kind) may(name string, v any) bool {
	switch name {
	case "size":
		n, ok := numberOf(map[string]any{"n": v}, "n")
		return v == nil || ok && n >= 0 && n <= 1000
	case "color":
		return slices.Contains([]any{"red", "green", "blue"}, v)
	case "pinned":
		_, ok := v.(bool)
		return ok
	case "email":
		text, ok := v.(string)
		return ok && strings.Contains(text, "@example.") && len(text) < 60
	case "name", "title", "text":
		text, ok := v.(string)
		return ok && len(text) > 1 && len(text) < 30
	}
	return false
}

// kept is a hook by which what was deleted, where it is so, is still there for some
// operations.
func kept(deletes, ops string, so func(*item) bool, serve func(s *Service, c *call, at spot) *reply) hook {
	graves := map[string]spot{}
	return func(s *Service, c *call, next next) *reply {
		at, where := s.at(c, &reply{}), c.values["teamId"]+"/"+c.values["noteId"]
		r := next(c)
		if c.is(deletes) && r.status < http.StatusMultipleChoices && so(at.item) {
			graves[where] = at
		}
		if at, there := graves[where]; there && c.is(ops) && r.status == http.StatusNotFound && c.refused == nil {
			return serve(s, c, at)
		}
		return r
	}
}

func always[T any](T) bool { return true }

func showKept(_ *Service, _ *call, at spot) *reply { return at.show(http.StatusOK, at.id, at.item) }

// restored serves a call as if what was deleted were there again.
func restored(s *Service, c *call, at spot) *reply {
	at.all[at.id] = at.item
	defer delete(at.all, at.id)
	return s.serve(c)
}
