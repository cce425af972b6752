package crud

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

func ofValidators() []Defect {
	const ignored, stale = "precondition-ignored", "validator-stale"
	without := func(ops, field string) hook {
		return asked(ops, func(_ *Service, c *call) {
			c.header = c.header.Clone()
			c.header.Del(field)
		})
	}
	matching := func(ops string, to func(i *item, match string) string) hook {
		return asked(ops, func(s *Service, c *call) {
			if i := s.at(c, &reply{}).item; i != nil && len(c.header.Values("If-Match")) > 0 {
				c.header = c.header.Clone()
				c.header.Set("If-Match", to(i, strings.Join(c.header.Values("If-Match"), ", ")))
			}
		})
	}
	unmoved := func(ops string, so func(was, now map[string]any) bool) hook {
		return func(s *Service, c *call, next next) *reply {
			at := s.at(c, &reply{})
			if !c.is(ops) || at.item == nil {
				return next(c)
			}
			was, version := at.members, at.version
			r := next(c)
			if now := s.at(c, r); now.item != nil && r.status < http.StatusMultipleChoices && so(was, now.members) {
				now.item.version = version
				r.with("ETag", now.tag())
			}
			return r
		}
	}
	any2 := func(_, _ map[string]any) bool { return true }
	return []Defect{
		{Name: "a stale PUT is done", Doc: "If-Match is ignored", Check: ignored, hook: without("replaceTeam", "If-Match")},
		{Name: "a stale PATCH is done", Doc: "If-Match is ignored", Check: ignored, hook: without("changeTeam", "If-Match")},
		{Name: "a stale DELETE is done", Doc: "If-Match is ignored", Check: ignored, hook: without("deleteTeam", "If-Match")},
		{Name: "a stale PUT of a note is done", Doc: "If-Match is ignored", Check: ignored, hook: without("replaceNote", "If-Match")},
		{Name: "a stale PATCH of a note is done", Doc: "If-Match is ignored", Check: ignored, hook: without("changeNote", "If-Match")},
		{Name: "a stale DELETE of a note is done", Doc: "If-Match is ignored", Check: ignored, hook: without("deleteNote", "If-Match")},
		{Name: "the ETag before the last is taken", Doc: "If-Match with the version before is good", Check: ignored, hook: matching("replaceTeam changeTeam", func(i *item, match string) string {
			if match == fmt.Sprintf(`"v%d"`, i.before) {
				return i.tag()
			}
			return match
		})},
		{Name: "the current ETag is refused", Doc: "PUT of a team with it is answered with 412", Check: ignored, hook: matching("replaceTeam", func(i *item, match string) string { return strings.ReplaceAll(match, i.tag(), `"other"`) })},
		{Name: "the current ETag of a note is refused", Doc: "PATCH of a note with it is answered with 412", Check: ignored, hook: matching("changeNote", func(i *item, match string) string { return strings.ReplaceAll(match, i.tag(), `"other"`) })},
		{Name: "If-Match: * is refused", Doc: "it names whatever is there", Check: ignored, Warning: true, hook: matching("replaceTeam", func(_ *item, match string) string { return strings.ReplaceAll(match, "*", `"other"`) })},
		{Name: "the second ETag of a list is not read", Doc: "If-Match may have several", Check: ignored, Warning: true, hook: matching("replaceTeam", func(_ *item, match string) string { first, _, _ := strings.Cut(match, ","); return first })},
		{Name: "a weak ETag is taken", Doc: "If-Match compares strongly", Check: ignored, Warning: true, hook: matching("replaceTeam", func(_ *item, match string) string { return strings.ReplaceAll(match, "W/", "") })},
		{Name: "If-None-Match is ignored", Doc: "a team that is known is sent again", Check: ignored, hook: without("getTeam", "If-None-Match")},
		{Name: "If-None-Match of a note is ignored", Doc: "a note that is known is sent again", Check: ignored, hook: without("getNote", "If-None-Match")},
		{Name: "any ETag is current", Doc: "304 for what has changed", Check: "conditional-request", hook: asked("getTeam", func(_ *Service, c *call) {
			if c.header.Get("If-None-Match") != "" {
				c.header = c.header.Clone()
				c.header.Set("If-None-Match", "*")
			}
		})},
		{Name: "the ETag of a note before the last is current", Doc: "304 for what has changed once", Check: ignored, hook: asked("getNote", func(s *Service, c *call) {
			if i := s.at(c, &reply{}).item; i != nil && c.header.Get("If-None-Match") == fmt.Sprintf(`"v%d"`, i.before) {
				c.header = c.header.Clone()
				c.header.Set("If-None-Match", "*")
			}
		})},
		{Name: "PATCH leaves the ETag", Doc: "the body changes, and it does not", Check: stale, hook: unmoved("changeTeam", any2)},
		{Name: "PUT of a note leaves the ETag", Doc: "the body changes, and it does not", Check: stale, hook: unmoved("replaceNote", any2)},
		{Name: "the ETag does not know of the size", Doc: "it is that of the other properties", Check: stale, hook: unmoved("replaceTeam changeTeam", func(was, now map[string]any) bool {
			return was["name"] == now["name"] && was["email"] == now["email"] && was["color"] == now["color"]
		})},
		{Name: "the ETag does not know of the text", Doc: "it is that of title and pinned", Check: stale, hook: unmoved("replaceNote changeNote", func(was, now map[string]any) bool {
			return was["title"] == now["title"] && was["pinned"] == now["pinned"]
		})},
		{Name: "each second change leaves the ETag", Doc: "it is made of the seconds of a clock", Check: stale, Warning: true, hook: unmoved("replaceTeam changeTeam", secondOnly())},
		{Name: "the ETag of the creation is not that of the team", Doc: "it is refused", Check: ignored, Warning: true, hook: done("createTeam", func(_ *Service, _ *call, r *reply) { r.with("ETag", `"v0"`) })},
		{Name: "the ETag is that of the answer before", Doc: "a header is left over from another answer", Check: ignored, hook: tagBefore()},
		{Name: "the second ETag that is known is not read", Doc: "If-None-Match may have several", Check: ignored, Warning: true, hook: known("getTeam", func(match string) string { first, _, _ := strings.Cut(match, ","); return first })},
		{Name: "a weak ETag is not known", Doc: "If-None-Match compares weakly", Check: ignored, Warning: true, hook: known("getNote", func(match string) string { return strings.ReplaceAll(match, "W/", "other") })},
		{Name: "the ETag is another with each read", Doc: "the one of the last read is refused", Check: ignored, hook: done("getTeam", func(s *Service, _ *call, r *reply) {
			s.version++
			r.with("ETag", fmt.Sprintf(`"v%d"`, s.version))
		})},
		{Name: "two writes at once both succeed", Doc: "If-Match is compared before the change is begun", Check: "lost-update", hook: overtaken("replaceTeam changeTeam")},
		{Name: "two writes of a note at once both succeed", Doc: "If-Match is compared before the change is begun", Check: "lost-update", hook: overtaken("replaceNote changeNote")},
	}
}

// secondOnly is so each second time.
func secondOnly() func(_, _ map[string]any) bool {
	count := 0
	return func(_, _ map[string]any) bool { count++; return count%2 == 0 }
}

func known(ops string, to func(string) string) hook {
	return asked(ops, func(_ *Service, c *call) {
		if match := c.header.Values("If-None-Match"); len(match) > 0 {
			c.header = c.header.Clone()
			c.header.Set("If-None-Match", to(strings.Join(match, ", ")))
		}
	})
}

// tagBefore shows the ETag of the last other item that was read.
func tagBefore() hook {
	last := ""
	return done(bothRead, func(_ *Service, _ *call, r *reply) {
		now := r.header.Get("ETag")
		if last != "" && last != now {
			r.with("ETag", last)
		}
		last = now
	})
}

// pause is how long a write takes in which another may come in between.
const pause = 5 * time.Millisecond

// meanwhile lets others be served.
func (s *Service) meanwhile() {
	s.mu.Unlock()
	time.Sleep(pause)
	s.mu.Lock()
}

// overtaken compares If-Match a while before it writes.
func overtaken(ops string) hook {
	return func(s *Service, c *call, next next) *reply {
		i, match := s.at(c, &reply{}).item, c.header.Values("If-Match")
		if !c.is(ops) || c.refused != nil || i == nil || len(match) == 0 || !i.matches(match) {
			return next(c)
		}
		s.meanwhile()
		late := *c
		late.header = c.header.Clone()
		late.header.Del("If-Match")
		return next(&late)
	}
}

// sameID gives what is created at once the same identifier.
func sameID(s *Service, c *call, next next) *reply {
	if !c.is("createTeam") || c.refused != nil {
		return next(c)
	}
	id := s.last + 1
	s.meanwhile()
	r := next(c)
	if at := s.at(c, r); r.status < http.StatusMultipleChoices && at.item != nil && at.id != id {
		delete(at.all, at.id)
		at.all[id] = at.item
		r.body = at.view(id, at.item)
		r.header.Set("Location", fmt.Sprintf("/teams/%d", id))
	}
	return r
}

func ofReads() []Defect {
	const unsafe, stale, leak = "unsafe-read", "read-stale", "leak"
	return []Defect{
		{Name: "two teams at once have one identifier", Doc: "the later overwrites the other", Check: "created-differs", Warning: true, hook: sameID},
		{Name: "GET counts", Doc: "each read adds one to the size of a team", Check: unsafe, Warning: true, hook: done("getTeam", func(s *Service, c *call, r *reply) {
			if n, ok := numberOf(r.members(), "size"); ok && n < 1000 && c.id("teamId", "") != 1 {
				change(func(m map[string]any) { m["size"] = n + 1 })(s, c, r)
			}
		})},
		{Name: "GET pins", Doc: "a note that was read is pinned", Check: unsafe, Warning: true, hook: done("getNote", func(s *Service, c *call, r *reply) {
			if c.id("teamId", "") != 1 {
				change(func(m map[string]any) { m["pinned"] = true })(s, c, r)
			}
		})},
		{Name: "HEAD deletes", Doc: "a note whose head was asked for is gone", Check: unsafe, Warning: true, hook: done("getNote", func(s *Service, c *call, r *reply) {
			if c.method == http.MethodHead && c.id("teamId", "") != 1 {
				lose(s, c, r)
			}
		})},
		{Name: "GET of the list adds a note", Doc: "a team without notes has one after its list was asked for", Check: unsafe, Warning: true, hook: done("listNotes", func(s *Service, c *call, _ *reply) {
			if t := s.teams[c.id("teamId", "")]; len(t.notes) == 0 {
				t.last++
				t.notes[t.last] = &item{}
				s.store(t.notes[t.last], map[string]any{"title": "Welcome", "pinned": false})
			}
		})},
		{Name: "HEAD says that nothing is there", Doc: "it is answered with 404 where GET has a team", Check: "head-differs", Warning: true, hook: func(_ *Service, c *call, next next) *reply {
			if c.method == http.MethodHead && c.op == "getTeam" && c.refused == nil {
				return refuse(http.StatusNotFound, "no such team")
			}
			return next(c)
		}},
		{Name: "HEAD has another ETag", Doc: "it is not that of GET", Check: "head-differs", Warning: true, hook: done("getTeam", func(_ *Service, c *call, r *reply) {
			if c.method == http.MethodHead {
				r.with("ETag", `"head"`)
			}
		})},
		{Name: "GET makes a team", Doc: "one that is not there is, after it was asked for", Check: unsafe, Warning: true, hook: func(s *Service, c *call, next next) *reply {
			r := next(c)
			if id := c.id("teamId", ""); c.is("getTeam") && c.refused == nil && r.status == http.StatusNotFound && s.teams[id] == nil {
				s.teams[id] = &item{notes: map[int]*item{}, owner: c.user, created: s.now()}
				s.store(s.teams[id], map[string]any{"name": fmt.Sprint("New ", id), "email": fmt.Sprintf("new%d@example.com", id), "color": "red"})
			}
			return r
		}},
		{Name: "the first GET completes a team", Doc: "one without size has one after it was read", Check: unsafe, Warning: true, hook: done("getTeam", func(s *Service, c *call, r *reply) {
			if _, there := r.members()["size"]; !there && c.id("teamId", "") != 1 {
				change(func(m map[string]any) { m["size"] = 1 })(s, c, r)
			}
		})},
		{Name: "each twentieth read is of the item before", Doc: "an answer goes to another caller", Check: "created-differs", Warning: true, hook: mixedUp(20)},
		{Name: "a 404 is remembered", Doc: "a team that PUT makes where none was found is not found", Check: "created-not-found", Warning: true, Dress: Dress{Upsert: true}, hook: remembered404()},
		{Name: "two changes at once lose one", Doc: "PATCH writes back all that it has read before", Check: "lost-update", Warning: true, hook: lostPatch},
		{Name: "PATCH does not reach the cache", Doc: "a team that was read is read as it was for ever", Check: stale, Warning: true, hook: cached("getTeam", "changeTeam", -1)},
		{Name: "PUT does not reach the cache", Doc: "a note that was read is read as it was for ever", Check: stale, Warning: true, hook: cached("getNote", "replaceNote", -1)},
		{Name: "PATCH reaches the cache late", Doc: "the third read after it is right", Check: stale, Warning: true, hook: cached("getTeam", "changeTeam", 2)},
		{Name: "DELETE does not reach the cache", Doc: "a note that was read is read after its deletion", Check: "deleted-still-there", hook: cached("getNote", "deleteNote", -1)},
		{Name: "the cache knows notes without their teams", Doc: "a note is read as the one of that number in another team", Check: "created-differs", Warning: true, hook: sharedCache()},
		{Name: "a refusal has the name of the caller before", Doc: "the message of a 409 shows what another one sent", Check: "text-of-another", Warning: true, hook: leaked("createTeam")},
		{Name: "after a refusal the next is stored with what it had", Doc: "a note without text has that of the refused one before", Check: leak, Warning: true, hook: leftover()},
		{Name: "after a refusal the next PUT fails", Doc: "the first good request after a 409 is answered with 500", Check: "server-error", hook: poisoned("replaceTeam", http.StatusConflict)},
		{Name: "after a 400 the next PATCH is not stored", Doc: "the first good one after it is answered with 200 and lost", Check: "patch-partial", Warning: true, hook: swallowed()},
	}
}

// mixedUp answers each so many-th read of a team with the one before.
func mixedUp(n int) hook {
	var last *reply
	count := 0
	return func(_ *Service, c *call, next next) *reply {
		r := next(c)
		if !c.is("getTeam") || r.status != http.StatusOK {
			return r
		}
		now := r.clone()
		if count++; count%n == 0 && last != nil {
			r = last
		}
		last = now
		return r
	}
}

func remembered404() hook {
	missed := map[int]bool{}
	return func(_ *Service, c *call, next next) *reply {
		id := c.id("teamId", "")
		if c.is("getTeam") && c.refused == nil && missed[id] {
			return refuse(http.StatusNotFound, "no such team")
		}
		r := next(c)
		if c.is("getTeam") && r.status == http.StatusNotFound && c.refused == nil {
			missed[id] = true
		}
		return r
	}
}

// lostPatch reads a team, takes a while, and writes all of it.
func lostPatch(s *Service, c *call, next next) *reply {
	i := s.at(c, &reply{}).item
	if !c.is("changeTeam") || c.refused != nil || i == nil || len(c.header.Values("If-Match")) > 0 {
		return next(c)
	}
	was, version := i.members, i.version
	s.meanwhile()
	if s.at(c, &reply{}).item == i && i.version != version && taken(s.teams, c.id("teamId", ""), was) == "" {
		s.store(i, was)
	}
	return next(c)
}

// cached answers reads from what was read before; some operation does not reach it, but for
// the reads after so many.
func cached(reads, op string, after int) hook {
	seen := map[string]*reply{}
	left := map[string]int{}
	return func(_ *Service, c *call, next next) *reply {
		where := c.values["teamId"] + "/" + c.values["noteId"] + " of " + c.user
		if c.is(reads) && c.refused == nil && seen[where] != nil && left[where] != 0 {
			left[where]--
			return seen[where].clone()
		}
		r := next(c)
		switch {
		case r.status >= http.StatusMultipleChoices:
		case c.is(reads):
			seen[where], left[where] = r.clone(), 0
		case c.is(op):
			left[where] = after
		case c.method != http.MethodGet && c.method != http.MethodHead:
			delete(seen, where)
			if c.op == "deleteTeam" { // the notes below it
				for other := range seen {
					if strings.HasPrefix(other, c.values["teamId"]+"/") {
						delete(seen, other)
					}
				}
			}
		}
		return r
	}
}

// sharedCache keeps the notes that were read by their own identifiers alone.
func sharedCache() hook {
	seen := map[string]any{}
	return func(_ *Service, c *call, next next) *reply {
		r := next(c)
		id := c.values["noteId"]
		switch {
		case id == "" || r.status >= http.StatusMultipleChoices:
		case !c.is("getNote"):
			delete(seen, id)
		case seen[id] == nil:
			seen[id] = maps.Clone(r.members())
		default:
			m, _ := seen[id].(map[string]any)
			r.body = maps.Clone(m)
		}
		return r
	}
}

func leaked(op string) hook {
	last := ""
	return func(_ *Service, c *call, next next) *reply {
		r := next(c)
		if !c.is(op) || c.refused != nil {
			return r
		}
		if r.status == http.StatusConflict && last != "" {
			r.members()["error"] = textOf(r.members(), "error") + ", as is that of " + last
		}
		last = textOf(c.members(), "name")
		return r
	}
}

func leftover() hook {
	var text any
	return func(s *Service, c *call, next next) *reply {
		r := next(c)
		switch {
		case !c.is("addNote"):
		case r.status == http.StatusBadRequest && notes.may("text", c.members()["text"]):
			text = c.members()["text"]
		case r.status == http.StatusCreated && text != nil && r.members()["text"] == nil:
			change(func(m map[string]any) { m["text"] = text })(s, c, r)
			text = nil
		}
		return r
	}
}

func poisoned(op string, status int) hook {
	bad := false
	return func(s *Service, c *call, next next) *reply {
		r := next(c)
		switch {
		case !c.is(op):
		case r.status == status:
			bad = true
		case r.status == http.StatusOK && bad:
			bad = false
			return failed(s, c, spot{})
		}
		return r
	}
}

func swallowed() hook {
	bad := false
	return both(before("changeTeam", func(s *Service, c *call, r *reply, was map[string]any) {
		if bad {
			s.at(c, r).item.members = was
		}
		bad = false
	}), func(_ *Service, c *call, next next) *reply {
		r := next(c)
		bad = bad || c.is("changeTeam") && r.status == http.StatusBadRequest
		return r
	})
}
