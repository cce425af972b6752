package crud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	bothCreate  = "createTeam addNote"
	bothRead    = "getTeam getNote"
	bothReplace = "replaceTeam replaceNote"
	bothChange  = "changeTeam changeNote"
	bothList    = "listTeams listNotes"
	bothDelete  = "deleteTeam deleteNote"
)

// Defects are made anew each time: a defect is for one service, as it may remember.
func Defects() []Defect {
	return slices.Concat(ofCreation(), ofLists(), ofDeletion(), ofPut(), ofPatch(), ofRefusal(), ofValidators(), ofReads(), ofCallers())
}

func ofCreation() []Defect {
	const check = "created-differs"
	return []Defect{
		{Name: "each third team is lost", Doc: "it is created with 201, and not there", Check: "created-not-found", Warning: true, hook: done("createTeam", every(3, lose))},
		{Name: "each second note is lost", Doc: "it is created with 201, and not there", Check: "created-not-found", Warning: true, hook: done("addNote", every(2, lose))},
		{Name: "a team without size is lost", Doc: "what lacks an optional property is not stored", Check: "created-not-found", hook: done("createTeam", where(lacks("size"), lose))},
		{Name: "a note without text is lost", Doc: "what lacks an optional property is not stored", Check: "created-not-found", Warning: true, hook: done("addNote", where(lacks("text"), lose))},
		{Name: "long names are cut", Doc: "30 characters of a name are stored, and the answer to the creation has all", Check: check, Warning: true, hook: done("createTeam", cut("name", 30))},
		{Name: "long texts are cut", Doc: "100 characters of a note's text are stored", Check: check, Warning: true, hook: done("addNote", cut("text", 100))},
		{Name: "size is lost beside a color", Doc: "of two optional properties one is stored, where neither has its default", Check: check, Warning: true,
			hook: done("createTeam", where(func(m map[string]any) bool { return m["color"] != "red" && m["size"] != nil }, change(func(m map[string]any) { delete(m, "size") })))},
		{Name: "size is lost in each third team", Doc: "an optional property is not stored now and then", Check: check, Warning: true,
			hook: done("createTeam", where(has("size"), every(3, change(func(m map[string]any) { delete(m, "size") }))))},
		{Name: "text is lost", Doc: "the optional property of the child is not stored", Check: check, Warning: true, hook: done("addNote", where(has("text"), change(func(m map[string]any) { delete(m, "text") })))},
		{Name: "title and text are swapped", Doc: "the two texts of a note are stored the other way round, where they may be so", Check: check, Warning: true,
			hook: done("addNote", change(func(m map[string]any) {
				if text := textOf(m, "text"); len(text) > 1 && len(text) <= 30 {
					m["title"], m["text"] = text, m["title"]
				}
			}))},
		{Name: "text of the note before", Doc: "a note without text is stored with that of the one before", Check: check, Warning: true, hook: done("addNote", ofTheOneBefore("text"))},
		{Name: "size of the team before", Doc: "a team is stored with the size of the one before", Check: check, Warning: true, hook: done("createTeam", ofTheOneBefore("size"))},
		{Name: "no default color is stored", Doc: "the answer to the creation has the default, and later reads do not", Check: check, Warning: true,
			hook: done("createTeam", where(func(m map[string]any) bool { return m["color"] == "red" }, change(func(m map[string]any) { delete(m, "color") })))},
		{Name: "sizes are rounded", Doc: "sizes above 99 are stored in tens", Check: check, Warning: true, hook: done("createTeam", size(func(n int) int {
			if n > 99 {
				n -= n % 10
			}
			return n
		}))},
		{Name: "sizes in a byte", Doc: "of sizes above 255 the low byte is stored", Check: check, Warning: true, hook: done("createTeam", size(func(n int) int { return n % 256 }))},
		{Name: "other letters than ASCII are lost", Doc: "they are stored as question marks", Check: check, Warning: true, hook: done(bothCreate, change(func(m map[string]any) {
			for _, name := range []string{"name", "title", "text"} {
				if text, ok := m[name].(string); ok {
					m[name] = strings.Map(func(r rune) rune {
						if r > 127 {
							return '?'
						}
						return r
					}, text)
				}
			}
		}))},
		{Name: "the answer to the creation has another name", Doc: "it is in capitals there, and as it was sent in the reads", Check: check, Warning: true,
			hook: done("createTeam", show(func(m map[string]any) { m["name"] = strings.ToUpper(textOf(m, "name")) }))},
		{Name: "pinned without text is lost", Doc: "pinned is stored only beside a text", Check: check, Warning: true,
			hook: done("addNote", where(lacks("text"), change(func(m map[string]any) { m["pinned"] = false })))},
		{Name: "Location leads to nothing", Doc: "the identifier in Location is not that of the team", Check: "created-not-found",
			hook: done("createTeam", func(_ *Service, _ *call, r *reply) { r.header.Set("Location", r.header.Get("Location")+"000") })},
		{Name: "Location leads to the team before", Doc: "the identifier in Location is that of another team", Check: check, Warning: true, hook: done("createTeam", func(s *Service, c *call, r *reply) {
			id := s.at(c, r).id
			for other := range s.teams {
				if other == id-1 && other > 1 {
					r.header.Set("Location", fmt.Sprintf("/teams/%d", other))
				}
			}
		})},
		{Name: "each third team overwrites the one before", Doc: "two creations give one identifier", Check: check, Warning: true, hook: done("createTeam", every(3, overwrite))},
		{Name: "each second note overwrites the one before", Doc: "two creations give one identifier", Check: check, Warning: true, hook: done("addNote", every(2, overwrite))},
		{Name: "Location leads to nothing now and then", Doc: "each third is not that of the team", Check: "created-not-found", Warning: true, hook: done("createTeam", every(3, func(_ *Service, _ *call, r *reply) { r.header.Set("Location", r.header.Get("Location")+"000") }))},
		{Name: "an empty text is lost", Doc: "a note with the text of no characters has none", Check: check, Warning: true,
			hook: done("addNote", where(func(m map[string]any) bool { return m["text"] == "" }, change(func(m map[string]any) { delete(m, "text") })))},
		{Name: "size 0 is lost", Doc: "0 is taken for none", Check: check, Warning: true, hook: done("createTeam", change(func(m map[string]any) {
			if n, ok := numberOf(m, "size"); ok && n == 0 {
				delete(m, "size")
			}
		}))},
		{Name: "null is stored as 0", Doc: "a size that is null is read as 0", Check: check, Warning: true, hook: done("createTeam", change(func(m map[string]any) {
			if v, there := m["size"]; there && v == nil {
				m["size"] = 0
			}
		}))},
		{Name: "a note is added to another team", Doc: "each third note is stored in the team that had one before", Check: "created-not-found", Warning: true, hook: done("addNote", astray())},
	}
}

func cut(name string, at int) step {
	return change(func(m map[string]any) {
		if text := []rune(textOf(m, name)); len(text) > at {
			m[name] = string(text[:at])
		}
	})
}

func size(to func(int) int) step {
	return change(func(m map[string]any) {
		if n, ok := numberOf(m, "size"); ok {
			m["size"] = to(n)
		}
	})
}

// ofTheOneBefore stores a member of the last item where there is none.
func ofTheOneBefore(name string) step {
	var last any
	return func(s *Service, c *call, r *reply) {
		now := r.members()[name]
		if now == nil && last != nil {
			change(func(m map[string]any) { m[name] = last })(s, c, r)
		}
		last = now
	}
}

// overwrite stores what was made in the place of the one before, and answers so.
func overwrite(s *Service, c *call, r *reply) {
	at := s.at(c, r)
	if at.all[at.id-1] == nil || at.id-1 == 1 {
		return
	}
	delete(at.all, at.id)
	at.all[at.id-1] = at.item
	r.body = at.view(at.id-1, at.item)
	if c.op == "createTeam" {
		r.header.Set("Location", fmt.Sprintf("/teams/%d", at.id-1))
	}
}

func astray() step {
	last := 0
	return func(s *Service, c *call, r *reply) {
		at, team := s.at(c, r), c.id("teamId", "")
		if to := s.teams[last]; to != nil && last != team && last != 1 {
			delete(at.all, at.id)
			to.last++
			to.notes[to.last] = at.item
			last = 0
			return
		}
		last = team
	}
}

func ofLists() []Defect {
	return []Defect{
		{Name: "a team without size is not listed", Doc: "the list joins what is not always there", Check: "not-listed", Warning: true, hook: listed(func(m map[string]any) bool { return m["size"] != nil || m["id"] == 1 })},
		{Name: "a blue team is not listed", Doc: "the list leaves a value out", Check: "not-listed", Warning: true, hook: listed(func(m map[string]any) bool { return m["color"] != "blue" })},
		{Name: "a team that was changed is not listed", Doc: "PATCH takes a team off the list", Check: "not-listed", Warning: true, hook: unlisted("changeTeam")},
		{Name: "a note that was replaced is not listed", Doc: "PUT takes a note off the list", Check: "not-listed", Warning: true, hook: unlisted("replaceNote")},
		{Name: "notes after the second are not listed", Doc: "the list of the child ends early", Check: "not-listed", Warning: true, hook: done("listNotes", func(_ *Service, _ *call, r *reply) {
			if all, ok := r.body.([]any); ok && len(all) > 2 {
				r.body = all[:2]
			}
		})},
		{Name: "notes of all teams are listed", Doc: "the list of the child does not look at the parent", Check: "not-listed", Warning: true, hook: done("listNotes", func(s *Service, c *call, r *reply) {
			all := []any{}
			for _, id := range slices.Sorted(maps.Keys(s.teams)) {
				part, _ := s.list(c, s.teams[id]).body.([]any)
				all = append(all, part...)
			}
			r.body = all
		})},
		{Name: "a page repeats the last item of the one before", Doc: "the next page begins with it", Check: "page-broken", Warning: true, hook: asked("listTeams", func(_ *Service, c *call) { moveAfter(c, -1) })},
		{Name: "a page loses an item", Doc: "the next page begins after the one that is due", Check: "page-broken", Warning: true, hook: asked("listTeams", func(_ *Service, c *call) { moveAfter(c, 1) })},
		{Name: "pages never end", Doc: "the last page leads to the first", Check: "page-broken", hook: done("listTeams", func(_ *Service, _ *call, r *reply) {
			if m := r.members(); m["next"] == nil {
				m["next"] = 0
			}
		})},
		{Name: "the second page is cut off", Doc: "no page leads to a third", Check: "page-broken", Warning: true, hook: func(_ *Service, c *call, next next) *reply {
			r := next(c)
			if c.is("listTeams") && c.query.Has("after") {
				delete(r.members(), "next")
			}
			return r
		}},
		{Name: "limit is ignored", Doc: "a page has all", Check: "page-broken", Warning: true, hook: asked("listTeams", func(_ *Service, c *call) { c.query.Del("limit") })},
		{Name: "limit is off by one", Doc: "a page has one more than is asked for", Check: "page-broken", Warning: true, hook: asked("listTeams", func(_ *Service, c *call) {
			if c.query.Has("limit") {
				c.query.Set("limit", fmt.Sprint(atoi(c.query.Get("limit"))+1))
			}
		})},
		{Name: "the name is no filter", Doc: "a documented filter is ignored", Check: "filter-ignored", Warning: true, hook: asked("listTeams", func(_ *Service, c *call) { c.query.Del("name") })},
		{Name: "pinned is no filter", Doc: "a documented filter is ignored", Check: "filter-ignored", Warning: true, hook: asked("listNotes", func(_ *Service, c *call) { c.query.Del("pinned") })},
		{Name: "pinned is inverted", Doc: "the filter shows the others", Check: "filter-ignored", Warning: true, hook: asked("listNotes", func(_ *Service, c *call) {
			if c.query.Has("pinned") {
				c.query.Set("pinned", strconv.FormatBool(c.query.Get("pinned") != "true"))
			}
		})},
		{Name: "the name finds nothing", Doc: "the filter never has an item", Check: "filter-ignored", Warning: true, hook: asked("listTeams", func(_ *Service, c *call) {
			if c.query.Has("name") {
				c.query.Set("name", "")
			}
		})},
		{Name: "a page of one is empty", Doc: "limit 1 has no item, and leads on", Check: "page-broken", Warning: true, hook: done("listTeams", func(_ *Service, c *call, r *reply) {
			if c.query.Get("limit") == "1" {
				r.members()["items"] = []any{}
			}
		})},
		{Name: "pages go round", Doc: "a full page leads to itself", Check: "page-broken", hook: done("listTeams", func(_ *Service, c *call, r *reply) {
			if m := r.members(); m["next"] != nil {
				m["next"] = atoi(c.query.Get("after"))
			}
		})},
		{Name: "each fifth team is not listed", Doc: "the list leaves some out", Check: "not-listed", Warning: true, hook: listed(func(m map[string]any) bool { id, _ := numberOf(m, "id"); return id%5 != 0 })},
		{Name: "the name is looked for on the page", Doc: "the filter is applied to the items of a page that was cut before", Check: "filter-ignored", Warning: true, hook: func(_ *Service, c *call, next next) *reply {
			if !c.is("listTeams") || c.refused != nil || !c.query.Has("name") {
				return next(c)
			}
			name := c.query.Get("name")
			c.query.Del("name")
			if !c.query.Has("limit") {
				c.query.Set("limit", "3")
			}
			r := next(c)
			all, put := itemsOf(r)
			put(slices.DeleteFunc(all, func(v any) bool { return v.(map[string]any)["name"] != name }))
			delete(r.members(), "next")
			return r
		}},
		{Name: "three letters of the name are looked for", Doc: "the filter compares how names begin", Check: "filter-ignored", Warning: true, hook: func(s *Service, c *call, next next) *reply {
			if name := c.query.Get("name"); c.is("listTeams") && c.refused == nil && len(name) > 3 {
				for _, id := range s.inOrder(s.teams) {
					if other := textOf(s.teams[id].members, "name"); other != name && strings.HasPrefix(other, name[:3]) && id > 1 {
						r := next(c)
						all, put := itemsOf(r)
						put(append(all, teams.view(id, s.teams[id])))
						return r
					}
				}
			}
			return next(c)
		}},
		{Name: "pinned is what it was when the note was made", Doc: "the filter does not know of changes", Check: "filter-ignored", Warning: true, hook: pinnedFirst()},
		{Name: "a note that was replaced is listed twice", Doc: "PUT adds it to the list again", Check: "page-broken", Warning: true, hook: twice("replaceNote", "listNotes")},
		{Name: "a team that was changed is listed twice", Doc: "PATCH adds it to the list again", Check: "page-broken", Warning: true, hook: twice("changeTeam", "listTeams")},
		{Name: "the list of notes is from before", Doc: "what was added is listed after the next change of a note", Check: "not-listed", Warning: true, hook: staleList()},
		{Name: "the total counts what was deleted", Doc: "it never becomes less", Check: "page-broken", Warning: true, hook: done("listTeams", func(s *Service, c *call, r *reply) {
			if !c.query.Has("name") {
				r.members()["total"] = s.last
			}
		})},
		{Name: "the total is that of the page", Doc: "it counts the items of the page", Check: "page-broken", Warning: true, hook: done("listTeams", func(_ *Service, _ *call, r *reply) {
			items, _ := r.members()["items"].([]any)
			r.members()["total"] = len(items)
		})},
		{Name: "a team that was deleted is listed", Doc: "the list has what was deleted", Check: "deleted-listed", Warning: true, hook: ghosts()},
		{Name: "a note that was deleted is listed", Doc: "the list of the child has what was deleted", Check: "deleted-listed", Warning: true, hook: noteGhosts()},
		{Name: "a team that was replaced is listed as it was", Doc: "the list shows the old name for ever", Check: "list-stale", Warning: true, hook: oldInList("replaceTeam", "listTeams")},
		{Name: "a note that was changed is listed as it was", Doc: "the list shows the old text for ever", Check: "list-stale", Warning: true, hook: oldInList("changeNote", "listNotes")},
	}
}

func atoi(text string) int {
	n := 0
	_, _ = fmt.Sscan(text, &n)
	return n
}

func moveAfter(c *call, by int) {
	if after := atoi(c.query.Get("after")); after > 0 {
		c.query.Set("after", fmt.Sprint(after+by))
	}
}

// itemsOf are those of a list, and how they are put there.
func itemsOf(r *reply) ([]any, func([]any)) {
	if all, ok := r.body.([]any); ok {
		return all, func(to []any) { r.body = to }
	}
	all, _ := r.members()["items"].([]any)
	return all, func(to []any) { r.members()["items"] = to }
}

// listed leaves out of the list of teams what is not so.
func listed(so func(map[string]any) bool) hook {
	return done(bothList, func(_ *Service, _ *call, r *reply) {
		all, put := itemsOf(r)
		put(slices.DeleteFunc(all, func(v any) bool {
			m, ok := v.(map[string]any)
			return ok && m["email"] != nil && !so(m)
		}))
	})
}

// unlisted leaves out of the lists what some operation has changed.
func unlisted(op string) hook {
	changed := map[string]bool{}
	return both(done(op, func(s *Service, c *call, r *reply) { changed[s.path(c, r)] = true }),
		done(bothList, func(_ *Service, c *call, r *reply) {
			all, put := itemsOf(r)
			put(slices.DeleteFunc(all, func(v any) bool { return changed[pathInList(c, v)] }))
		}))
}

// path is where an item is.
func (s *Service) path(c *call, r *reply) string {
	at := s.at(c, r)
	if at.prefix != "" {
		return fmt.Sprintf("%d/%s%d", c.id("teamId", ""), at.prefix, at.id)
	}
	return fmt.Sprint(at.id)
}

func pathInList(c *call, v any) string {
	m, _ := v.(map[string]any)
	if c.op == "listNotes" {
		return fmt.Sprintf("%d/%v", c.id("teamId", ""), m["id"])
	}
	return fmt.Sprint(m["id"])
}

// ghosts lists the last team that was deleted at the end of the last page.
func ghosts() hook {
	var last map[string]any
	return func(s *Service, c *call, next next) *reply {
		at := s.at(c, &reply{})
		r := next(c)
		switch {
		case c.is("deleteTeam") && r.status < http.StatusMultipleChoices:
			last = at.view(at.id, at.item)
		case c.is("listTeams") && r.status == http.StatusOK && r.members()["next"] == nil && last != nil && !c.query.Has("name"):
			all, put := itemsOf(r)
			put(append(all, last)[:min(len(all)+1, 50)])
		}
		return r
	}
}

func noteGhosts() hook {
	last := map[int]map[string]any{}
	return func(s *Service, c *call, next next) *reply {
		at, team := s.at(c, &reply{}), c.id("teamId", "")
		r := next(c)
		switch {
		case c.is("deleteNote") && r.status < http.StatusMultipleChoices:
			last[team] = at.view(at.id, at.item)
		case c.is("listNotes") && r.status == http.StatusOK && last[team] != nil:
			all, put := itemsOf(r)
			put(append(all, last[team]))
		}
		return r
	}
}

// pinnedFirst filters by what a note was when it was made.
func pinnedFirst() hook {
	first := map[string]string{}
	return both(done("addNote", func(s *Service, c *call, r *reply) { first[s.path(c, r)] = fmt.Sprint(r.members()["pinned"]) }),
		func(_ *Service, c *call, next next) *reply {
			pinned := c.query.Get("pinned")
			if !c.is("listNotes") || c.refused != nil || pinned == "" {
				return next(c)
			}
			c.query.Del("pinned")
			r := next(c)
			if all, put := itemsOf(r); r.status == http.StatusOK {
				put(slices.DeleteFunc(all, func(v any) bool { was := first[pathInList(c, v)]; return was != "" && was != pinned }))
			}
			return r
		})
}

// twice lists what some operation has changed a second time.
func twice(op, list string) hook {
	changed := map[string]bool{}
	return both(done(op, func(s *Service, c *call, r *reply) { changed[s.path(c, r)] = true }), done(list, func(_ *Service, c *call, r *reply) {
		all, put := itemsOf(r)
		for _, v := range slices.Clone(all) {
			if changed[pathInList(c, v)] && len(all) < 50 {
				all = append(all, v)
			}
		}
		put(all)
	}))
}

// staleList keeps the list of a team's notes until one is changed or deleted.
func staleList() hook {
	seen := map[string]any{}
	return func(_ *Service, c *call, next next) *reply {
		team := c.values["teamId"]
		if c.is("listNotes") && c.refused == nil && seen[team] != nil && !c.query.Has("pinned") {
			return answer(http.StatusOK, seen[team])
		}
		r := next(c)
		switch {
		case r.status >= http.StatusMultipleChoices:
		case c.is("listNotes") && !c.query.Has("pinned"):
			seen[team] = r.body
		case c.is("replaceNote changeNote deleteNote deleteTeam"):
			delete(seen, team)
		}
		return r
	}
}

// oldInList shows in a list what an item was before some operation.
func oldInList(op, list string) hook {
	old := map[string]map[string]any{}
	return both(before(op, func(s *Service, c *call, r *reply, was map[string]any) {
		at := s.at(c, r)
		if at.item != nil && old[s.path(c, r)] == nil {
			old[s.path(c, r)] = at.view(at.id, &item{members: was})
		}
	}), done(list, func(_ *Service, c *call, r *reply) {
		all, _ := itemsOf(r)
		for n, v := range all {
			if m := old[pathInList(c, v)]; m != nil {
				all[n] = maps.Clone(m)
			}
		}
	}))
}

func ofDeletion() []Defect {
	const still = "deleted-still-there"
	none := func(deletes, ops string, so func(*item) bool) hook { return kept(deletes, ops, so, showKept) }
	return []Defect{
		{Name: "a team is still there", Doc: "what was deleted with 204 is read as before", Check: still, hook: none("deleteTeam", "getTeam", always[*item])},
		{Name: "a note is still there", Doc: "what was deleted with 204 is read as before", Check: still, hook: none("deleteNote", "getNote", always[*item])},
		{Name: "a team with notes is still there", Doc: "what has children is not deleted, and answered with 204", Check: still, hook: none("deleteTeam", "getTeam", func(i *item) bool { return len(i.notes) > 0 })},
		{Name: "a pinned note is still there", Doc: "some are not deleted, and answered with 204", Check: still, hook: none("deleteNote", "getNote", func(i *item) bool { return i.members["pinned"] == true })},
		{Name: "a team without size is still there", Doc: "what lacks an optional property is not deleted", Check: still, hook: none("deleteTeam", "getTeam", func(i *item) bool { return i.members["size"] == nil })},
		{Name: "a second DELETE of a team fails", Doc: "it is answered with 500", Check: "server-error", hook: kept("deleteTeam", "deleteTeam", always[*item], failed)},
		{Name: "a second DELETE of a note fails", Doc: "it is answered with 500", Check: "server-error", hook: kept("deleteNote", "deleteNote", always[*item], failed)},
		{Name: "the neighbour is deleted too", Doc: "DELETE removes the team with the next identifier as well", Check: "deleted-more", Warning: true, hook: done("deleteTeam", func(s *Service, c *call, _ *reply) { delete(s.teams, c.id("teamId", "")+1) })},
		{Name: "all notes are deleted", Doc: "DELETE of a note empties its team", Check: "deleted-more", Warning: true, hook: done("deleteNote", func(s *Service, c *call, _ *reply) {
			if id := c.id("teamId", ""); id != 1 && s.teams[id] != nil {
				clear(s.teams[id].notes)
			}
		})},
		{Name: "a note outlives its team", Doc: "what stood below a deleted team is read", Check: "orphan", hook: orphans("getNote")},
		{Name: "the notes of a deleted team are listed", Doc: "the list below a deleted team is answered with 200", Check: "orphan", Warning: true, hook: orphans("listNotes")},
		{Name: "a note is read below any team", Doc: "the parent in the path is not looked at", Check: "cross-parent", Warning: true, hook: anyParent("getNote")},
		{Name: "a note is replaced below any team", Doc: "the parent in the path is not looked at", Check: "cross-parent", Warning: true, hook: anyParent("replaceNote")},
		{Name: "a note is deleted below any team", Doc: "the parent in the path is not looked at", Check: "cross-parent", Warning: true, hook: anyParent("deleteNote")},
		{Name: "a deleted team is replaced", Doc: "PUT on what was deleted is answered with 200", Check: still, Warning: true, hook: kept("deleteTeam", "replaceTeam", always[*item], restored)},
		{Name: "a deleted team is changed", Doc: "PATCH on what was deleted is answered with 200", Check: still, Warning: true, hook: kept("deleteTeam", "changeTeam", always[*item], restored)},
		{Name: "a deleted note is replaced", Doc: "PUT on what was deleted is answered with 200", Check: still, Warning: true, hook: kept("deleteNote", "replaceNote", always[*item], restored)},
		{Name: "a deleted note is changed", Doc: "PATCH on what was deleted is answered with 200", Check: still, Warning: true, hook: kept("deleteNote", "changeNote", always[*item], restored)},
		{Name: "the first DELETE is not done", Doc: "it is answered with 204, and the second one deletes", Check: still, hook: secondTime()},
		{Name: "HEAD has what was deleted", Doc: "HEAD of a deleted team is answered with 200, and GET with 404", Check: "head-differs", Warning: true, hook: headKept()},
		{Name: "notes are added to a deleted team", Doc: "POST below what was deleted is answered with 201", Check: "orphan", Warning: true, hook: orphans("addNote")},
		{Name: "a name stays taken", Doc: "the name of a deleted team cannot be given again", Check: "still-taken", Warning: true, hook: stillTaken("deleteTeam", "createTeam", "name")},
		{Name: "a title stays taken", Doc: "the title of a deleted note cannot be given again", Check: "still-taken", Warning: true, hook: stillTaken("deleteNote", "addNote", "title")},
		{Name: "a deleted team comes back", Doc: "it is there again after the next creation", Check: still, Warning: true, hook: revived("deleteTeam", "createTeam")},
		{Name: "a deleted note comes back", Doc: "it is there again after the next one", Check: still, Warning: true, hook: revived("deleteNote", "addNote")},
		{Name: "DELETE of a team is late", Doc: "it is answered with 204, and read twice more", Check: still, Warning: true, hook: lateDelete("deleteTeam", "getTeam")},
		{Name: "a team has the notes of another", Doc: "where identifiers are given again, the notes of the deleted team are still below", Check: "orphan", Warning: true, Dress: Dress{Reuse: true}, hook: inherited()},
	}
}

func failed(*Service, *call, spot) *reply {
	return refuse(http.StatusInternalServerError, "it went wrong")
}

// orphans serves calls below a deleted team as if it were there.
func orphans(ops string) hook {
	graves := map[int]*item{}
	return func(s *Service, c *call, next next) *reply {
		id := c.id("teamId", "")
		team := s.teams[id]
		if c.is("deleteTeam") {
			r := next(c)
			if r.status < http.StatusMultipleChoices {
				graves[id] = team
			}
			return r
		}
		if graves[id] != nil && team == nil && c.is(ops) {
			s.teams[id] = graves[id]
			defer delete(s.teams, id)
		}
		return next(c)
	}
}

// anyParent serves calls about a note below another team than its own.
func anyParent(ops string) hook {
	return func(s *Service, c *call, next next) *reply {
		team, id := s.teams[c.id("teamId", "")], c.id("noteId", "n-")
		if !c.is(ops) || team == nil || team.notes[id] != nil {
			return next(c)
		}
		last := 0 // whose note of that number was changed last, as if numbers were those of all
		for other, t := range s.teams {
			if n := t.notes[id]; other != 1 && n != nil && (last == 0 || n.version > s.teams[last].notes[id].version) {
				last = other
			}
		}
		if last == 0 {
			return next(c)
		}
		at := *c
		at.values = map[string]string{"teamId": fmt.Sprint(last), "noteId": c.values["noteId"]}
		return next(&at)
	}
}

// stillTaken refuses a creation with a value that was given up by some operation.
func stillTaken(op, creates, name string) hook {
	given := map[any]bool{}
	return both(func(_ *Service, c *call, next next) *reply {
		if v := c.members()[name]; c.is(creates) && c.refused == nil && given[v] {
			return refuse(http.StatusConflict, "the "+name+" is taken")
		}
		return next(c)
	}, func(s *Service, c *call, next next) *reply {
		at := s.at(c, &reply{})
		var was any
		if at.item != nil {
			was = at.members[name]
		}
		r := next(c)
		if now := s.at(c, r).item; c.is(op) && r.status < http.StatusMultipleChoices && was != nil && (now == nil || now.members[name] != was) {
			given[was] = true
		}
		return r
	})
}

// revived puts the last that was deleted in its place again after a creation.
func revived(deletes, creates string) hook {
	var last spot
	return func(s *Service, c *call, next next) *reply {
		at := s.at(c, &reply{})
		r := next(c)
		switch {
		case r.status >= http.StatusMultipleChoices:
		case c.is(deletes):
			last = at
		case c.is(creates) && last.item != nil && last.all[last.id] == nil && taken(last.all, 0, last.members) == "":
			last.all[last.id], last.item = last.item, nil
		}
		return r
	}
}

// secondTime deletes a team when it is asked to again.
func secondTime() hook {
	begun := map[*item]bool{}
	return func(s *Service, c *call, next next) *reply {
		at := s.at(c, &reply{})
		r := next(c)
		if c.is("deleteTeam") && r.status < http.StatusMultipleChoices && !begun[at.item] {
			begun[at.item] = true
			at.all[at.id] = at.item
		}
		return r
	}
}

// headKept answers HEAD as if nothing were deleted.
func headKept() hook {
	serve := kept("deleteTeam", "getTeam", always[*item], showKept)
	return func(s *Service, c *call, next next) *reply {
		if c.method == http.MethodGet {
			return next(c)
		}
		return serve(s, c, next)
	}
}

func lateDelete(deletes, reads string) hook {
	reading := map[int]int{}
	return kept(deletes, reads, always[*item], func(s *Service, c *call, at spot) *reply {
		if reading[at.id]++; reading[at.id] > 2 {
			return refuse(http.StatusNotFound, "no such "+at.what)
		}
		return showKept(s, c, at)
	})
}

func inherited() hook {
	graves := map[int]*item{}
	return func(s *Service, c *call, next next) *reply {
		id := c.id("teamId", "")
		team := s.teams[id]
		r := next(c)
		switch {
		case r.status >= http.StatusMultipleChoices:
		case c.is("deleteTeam"):
			graves[id] = team
		case c.is("createTeam"):
			if at := s.at(c, r); graves[at.id] != nil {
				at.notes, at.last = graves[at.id].notes, graves[at.id].last
			}
		}
		return r
	}
}
