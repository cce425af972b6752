package crud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
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
	return slices.Concat(ofCreation(), ofLists(), ofDeletion(), ofPut(), ofPatch(), ofRefusal(), ofValidators(), ofReads())
}

func ofCreation() []Defect {
	const check = "created-differs"
	return []Defect{
		{Name: "each third team is lost", Doc: "it is created with 201, and not there", Check: "created-not-found", hook: done("createTeam", every(3, lose))},
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
				c.query.Set("pinned", fmt.Sprint(c.query.Get("pinned") != "true"))
			}
		})},
		{Name: "the name finds nothing", Doc: "the filter never has an item", Check: "filter-ignored", Warning: true, hook: asked("listTeams", func(_ *Service, c *call) {
			if c.query.Has("name") {
				c.query.Set("name", "")
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
		{Name: "a second DELETE of a team fails", Doc: "it is answered with 500", Check: "delete-again", hook: kept("deleteTeam", "deleteTeam", always[*item], failed)},
		{Name: "a second DELETE of a note fails", Doc: "it is answered with 500", Check: "delete-again", hook: kept("deleteNote", "deleteNote", always[*item], failed)},
		{Name: "the neighbour is deleted too", Doc: "DELETE removes the team with the next identifier as well", Check: "deleted-more", Warning: true, hook: done("deleteTeam", func(s *Service, c *call, _ *reply) { delete(s.teams, c.id("teamId", "")+1) })},
		{Name: "all notes are deleted", Doc: "DELETE of a note empties its team", Check: "deleted-more", Warning: true, hook: done("deleteNote", func(s *Service, c *call, _ *reply) {
			if id := c.id("teamId", ""); id != 1 && s.teams[id] != nil {
				clear(s.teams[id].notes)
			}
		})},
		{Name: "a note outlives its team", Doc: "what stood below a deleted team is read", Check: "orphan", hook: orphans("getNote")},
		{Name: "the notes of a deleted team are listed", Doc: "the list below a deleted team is answered with 200", Check: "orphan", hook: orphans("listNotes")},
		{Name: "a note is read below any team", Doc: "the parent in the path is not looked at", Check: "cross-parent", Warning: true, hook: anyParent("getNote")},
		{Name: "a note is replaced below any team", Doc: "the parent in the path is not looked at", Check: "cross-parent", Warning: true, hook: anyParent("replaceNote")},
		{Name: "a note is deleted below any team", Doc: "the parent in the path is not looked at", Check: "cross-parent", Warning: true, hook: anyParent("deleteNote")},
		{Name: "a deleted team is replaced", Doc: "PUT on what was deleted is answered with 200", Check: still, Warning: true, hook: kept("deleteTeam", "replaceTeam", always[*item], restored)},
		{Name: "a deleted team is changed", Doc: "PATCH on what was deleted is answered with 200", Check: still, Warning: true, hook: kept("deleteTeam", "changeTeam", always[*item], restored)},
		{Name: "a deleted note is replaced", Doc: "PUT on what was deleted is answered with 200", Check: still, Warning: true, hook: kept("deleteNote", "replaceNote", always[*item], restored)},
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
		for other, t := range s.teams {
			if other != 1 && t.notes[id] != nil {
				at := *c
				at.values = map[string]string{"teamId": fmt.Sprint(other), "noteId": c.values["noteId"]}
				return next(&at)
			}
		}
		return next(c)
	}
}

// stillTaken refuses a creation with a value that was given up by some operation.
func stillTaken(op, creates, name string) hook {
	given := map[any]bool{}
	return both(func(s *Service, c *call, next next) *reply {
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

func ofPut() []Defect {
	const stored, same = "put-not-stored", "put-not-idempotent"
	keep := func(ops, name string) hook {
		return before(ops, func(s *Service, c *call, r *reply, was map[string]any) {
			if _, sent := c.members()[name]; !sent && was[name] != nil {
				change(func(m map[string]any) { m[name] = was[name] })(s, c, r)
				show(func(m map[string]any) { m[name] = was[name] })(s, c, r)
			}
		})
	}
	ignore := func(ops, name string) hook {
		return before(ops, func(s *Service, c *call, r *reply, was map[string]any) {
			change(func(m map[string]any) { put(m, name, was[name]) })(s, c, r)
		})
	}
	return []Defect{
		{Name: "PUT keeps the size", Doc: "an optional property that is left out stays", Check: stored, Warning: true, hook: keep("replaceTeam", "size")},
		{Name: "PUT keeps the text", Doc: "an optional property that is left out stays", Check: stored, Warning: true, hook: keep("replaceNote", "text")},
		{Name: "PUT keeps the color", Doc: "a property with a default that is left out stays", Check: stored, Warning: true, hook: keep("replaceTeam", "color")},
		{Name: "PUT ignores the color", Doc: "it is answered as stored, and is not", Check: stored, Warning: true, hook: ignore("replaceTeam", "color")},
		{Name: "PUT ignores the title", Doc: "it is answered as stored, and is not", Check: stored, Warning: true, hook: ignore("replaceNote", "title")},
		{Name: "PUT appends the text", Doc: "the new text follows the old one", Check: same, hook: before("replaceNote", func(s *Service, c *call, r *reply, was map[string]any) {
			change(func(m map[string]any) {
				if now := textOf(m, "text"); now != "" && len([]rune(textOf(was, "text")+now)) <= 200 {
					m["text"] = textOf(was, "text") + now
				}
			})(s, c, r)
		})},
		{Name: "PUT counts", Doc: "each PUT adds one to the size", Check: same, hook: before("replaceTeam", func(s *Service, c *call, r *reply, was map[string]any) {
			n, ok := numberOf(was, "size")
			if _, sent := numberOf(r.members(), "size"); ok && sent && n < 1000 {
				change(func(m map[string]any) { m["size"] = n + 1 })(s, c, r)
				show(func(m map[string]any) { m["size"] = n + 1 })(s, c, r)
			}
		})},
		{Name: "a second PUT has a suffix", Doc: "the same title again is stored with a number", Check: same, hook: before("replaceNote", func(s *Service, c *call, r *reply, was map[string]any) {
			if title := textOf(was, "title"); title == textOf(r.members(), "title") && len([]rune(title)) < 28 {
				change(func(m map[string]any) { m["title"] = title + "-2" })(s, c, r)
			}
		})},
		{Name: "a second PUT is refused", Doc: "the team's own name is taken to be another's", Check: same, Warning: true, hook: func(s *Service, c *call, next next) *reply {
			if i := s.at(c, &reply{}).item; c.is("replaceTeam") && c.refused == nil && i != nil && i.members["name"] == c.members()["name"] {
				return refuse(http.StatusConflict, "the name is taken")
			}
			return next(c)
		}},
		{Name: "PUT of a team makes another", Doc: "the new one has another identifier, and the old one stays", Check: stored, Warning: true, hook: before("replaceTeam", func(s *Service, c *call, r *reply, was map[string]any) {
			at := s.at(c, r)
			s.last++
			s.teams[s.last] = &item{members: at.members, notes: map[int]*item{}, version: at.version, owner: c.user}
			r.body = at.view(s.last, s.teams[s.last])
			at.item.members = was
		})},
		{Name: "PUT changes the neighbour", Doc: "the size of the team before is set too", Check: "changed-more", Warning: true, hook: done("replaceTeam", func(s *Service, c *call, r *reply) {
			if other := s.teams[c.id("teamId", "")-1]; other != nil && c.id("teamId", "") > 2 {
				other.members = maps.Clone(other.members)
				put(other.members, "size", r.members()["size"])
			}
		})},
		{Name: "a second PUT is not stored", Doc: "only the first replacement of a team is", Check: stored, Warning: true, hook: later("replaceTeam")},
		{Name: "a second PUT of a note is not stored", Doc: "only the first replacement of a note is", Check: stored, Warning: true, hook: later("replaceNote")},
		{Name: "PUT answers with what was", Doc: "it is stored, and the answer has the old values", Check: "put-not-stored", Warning: true, hook: before("replaceTeam", func(s *Service, c *call, r *reply, was map[string]any) {
			at := s.at(c, r)
			r.body = at.view(at.id, &item{members: was})
		})},
		{Name: "PUT of what is there is answered with 201", Doc: "nothing was created", Check: "put-status", Dress: Dress{Upsert: true}, hook: before("replaceTeam", func(_ *Service, _ *call, r *reply, _ map[string]any) { r.status = http.StatusCreated })},
		{Name: "PUT of a note that is not there is answered with 200", Doc: "it was created", Check: "put-status", Dress: Dress{Upsert: true}, hook: done("replaceNote", func(_ *Service, _ *call, r *reply) { r.status = http.StatusOK })},
		{Name: "PUT of a team that is not there is answered with 200", Doc: "it was created", Check: "put-status", Dress: Dress{Upsert: true}, hook: done("replaceTeam", func(_ *Service, _ *call, r *reply) { r.status = http.StatusOK })},
		{Name: "what PUT has made is not there", Doc: "it is answered with 201", Check: "created-not-found", Dress: Dress{Upsert: true}, hook: done("replaceTeam", func(s *Service, c *call, r *reply) {
			if r.status == http.StatusCreated {
				lose(s, c, r)
			}
		})},
		{Name: "PUT may take a name", Doc: "the name of another team is stored", Check: "unique-ignored", Warning: true, hook: unchecked("replaceTeam")},
		{Name: "PUT may take a title", Doc: "the title of another note is stored", Check: "unique-ignored", Warning: true, hook: unchecked("replaceNote")},
		{Name: "a name stays taken after PUT", Doc: "the old name cannot be given to another", Check: "still-taken", Warning: true, hook: stillTaken("replaceTeam", "createTeam", "name")},
		{Name: "a title stays taken after PATCH", Doc: "the old title cannot be given to another", Check: "still-taken", Warning: true, hook: stillTaken("changeNote", "addNote", "title")},
	}
}

func put(m map[string]any, name string, v any) {
	m[name] = v
	if v == nil {
		delete(m, name)
	}
}

// later undoes all changes of an item but the first.
func later(op string) hook {
	changed := map[string]bool{}
	return before(op, func(s *Service, c *call, r *reply, was map[string]any) {
		where := s.path(c, r)
		if changed[where] {
			s.at(c, r).item.members = was
		}
		changed[where] = true
	})
}

// unchecked carries out what is refused as a value is taken.
func unchecked(op string) hook {
	return func(s *Service, c *call, next next) *reply {
		r := next(c)
		at := s.at(c, r)
		if !c.is(op) || r.status != http.StatusConflict || at.item == nil {
			return r
		}
		members := maps.Clone(at.members)
		if strings.HasPrefix(op, "replace") {
			members = s.whole(c, at.kind)
		}
		for name, v := range s.take(c, at.kind) {
			put(members, name, v)
		}
		s.store(at.item, members)
		return at.show(http.StatusOK, at.id, at.item)
	}
}

func ofPatch() []Defect {
	const partial = "patch-partial"
	loses := func(ops, name string, to any) hook {
		return done(ops, func(s *Service, c *call, r *reply) {
			if _, sent := c.members()[name]; !sent {
				change(func(m map[string]any) { put(m, name, to) })(s, c, r)
				show(func(m map[string]any) { put(m, name, to) })(s, c, r)
			}
		})
	}
	null := func(ops, name string, to func(was any) any) hook {
		return before(ops, func(s *Service, c *call, r *reply, was map[string]any) {
			if v, sent := c.members()[name]; sent && v == nil && was[name] != nil {
				change(func(m map[string]any) { m[name] = to(was[name]) })(s, c, r)
				show(func(m map[string]any) { m[name] = to(was[name]) })(s, c, r)
			}
		})
	}
	return []Defect{
		{Name: "PATCH loses the size", Doc: "what is not sent is removed", Check: partial, Warning: true, hook: loses("changeTeam", "size", nil)},
		{Name: "PATCH loses the color", Doc: "what is not sent has its default again", Check: partial, Warning: true, hook: loses("changeTeam", "color", "red")},
		{Name: "PATCH loses the text", Doc: "what is not sent is removed", Check: partial, Warning: true, hook: loses("changeNote", "text", nil)},
		{Name: "PATCH unpins", Doc: "what is not sent has its default again", Check: partial, Warning: true, hook: loses("changeNote", "pinned", false)},
		{Name: "PATCH ignores the color", Doc: "it is answered as stored, and is not", Check: partial, Warning: true, hook: before("changeTeam", func(s *Service, c *call, r *reply, was map[string]any) {
			change(func(m map[string]any) { put(m, "color", was["color"]) })(s, c, r)
		})},
		{Name: "PATCH ignores the title beside a text", Doc: "of two properties one is stored", Check: partial, Warning: true, hook: before("changeNote", func(s *Service, c *call, r *reply, was map[string]any) {
			if _, sent := c.members()["text"]; sent {
				change(func(m map[string]any) { put(m, "title", was["title"]) })(s, c, r)
			}
		})},
		{Name: "null does not remove the size", Doc: "it stays", Check: partial, Warning: true, hook: null("changeTeam", "size", func(was any) any { return was })},
		{Name: "null makes the size 0", Doc: "it is not removed", Check: partial, Warning: true, hook: null("changeTeam", "size", func(any) any { return 0 })},
		{Name: "null does not remove the text", Doc: "it stays", Check: partial, Warning: true, hook: null("changeNote", "text", func(was any) any { return was })},
		{Name: "null makes the text null", Doc: "the word is stored", Check: partial, Warning: true, hook: null("changeNote", "text", func(any) any { return "null" })},
		{Name: "a second PATCH is not stored", Doc: "only the first change of a team is", Check: partial, Warning: true, hook: later("changeTeam")},
		{Name: "PATCH is applied by halves", Doc: "where the name is taken, the size is stored and the answer is 409", Check: partial, hook: refused("changeTeam", http.StatusConflict, func(s *Service, c *call, r *reply) {
			sent := s.take(c, teams)
			change(func(m map[string]any) {
				if v, there := sent["size"]; there {
					put(m, "size", v)
				}
				if v, there := sent["color"]; there {
					put(m, "color", v)
				}
			})(s, c, r)
		})},
		{Name: "an invalid PATCH is applied by halves", Doc: "what is valid of it is stored and the answer is 400", Check: partial, hook: refused("changeTeam", http.StatusBadRequest, performValid)},
		{Name: "an invalid PATCH of a note is applied by halves", Doc: "what is valid of it is stored and the answer is 400", Check: partial, hook: refused("changeNote", http.StatusBadRequest, performValid)},
		{Name: "PATCH may take a name", Doc: "the name of another team is stored", Check: "unique-ignored", Warning: true, hook: unchecked("changeTeam")},
		{Name: "PATCH changes the team before too", Doc: "another team has the color as well", Check: "changed-more", Warning: true, hook: done("changeTeam", func(s *Service, c *call, r *reply) {
			if other := s.teams[c.id("teamId", "")-1]; other != nil && c.id("teamId", "") > 2 {
				other.members = maps.Clone(other.members)
				put(other.members, "color", r.members()["color"])
			}
		})},
	}
}

func ofRefusal() []Defect {
	const check = "refused-but-done"
	all := []Defect{}
	add := func(name, ops string, status int, do step) {
		all = append(all, Defect{
			Name: name, Doc: fmt.Sprintf("it is answered with %d, and done", status), Check: check,
			Warning: !strings.HasPrefix(ops, "change") && !slices.Contains([]int{http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed}, status),
			hook:    refused(ops, status, do),
		})
	}
	add("an invalid team is created", "createTeam", http.StatusBadRequest, performValid)
	add("an invalid note is added", "addNote", http.StatusBadRequest, performValid)
	add("an invalid PUT is done", "replaceTeam", http.StatusBadRequest, performValid)
	add("an invalid PUT of a note is done", "replaceNote", http.StatusBadRequest, performValid)
	add("a team is created without credential", "createTeam", http.StatusUnauthorized, perform)
	add("a note is added without credential", "addNote", http.StatusUnauthorized, perform)
	add("a team is replaced without credential", "replaceTeam", http.StatusUnauthorized, perform)
	add("a team is changed without credential", "changeTeam", http.StatusUnauthorized, perform)
	add("a team is deleted without credential", "deleteTeam", http.StatusUnauthorized, perform)
	add("a note is deleted without credential", "deleteNote", http.StatusUnauthorized, perform)
	add("a team in another media type is created", "createTeam", http.StatusUnsupportedMediaType, perform)
	add("a team in another media type is replaced", "replaceTeam", http.StatusUnsupportedMediaType, perform)
	add("a note in another media type is changed", "changeNote", http.StatusUnsupportedMediaType, perform)
	add("a team is replaced in spite of 412", "replaceTeam", http.StatusPreconditionFailed, perform)
	add("a team is changed in spite of 412", "changeTeam", http.StatusPreconditionFailed, perform)
	add("a team is deleted in spite of 412", "deleteTeam", http.StatusPreconditionFailed, perform)
	add("a note is deleted in spite of 412", "deleteNote", http.StatusPreconditionFailed, perform)
	add("a taken name is stored", "replaceTeam", http.StatusConflict, func(s *Service, c *call, r *reply) {
		if at := s.at(c, r); at.item != nil {
			s.store(at.item, s.whole(c, teams))
		}
	})
	add("a taken title is stored", "replaceNote", http.StatusConflict, func(s *Service, c *call, r *reply) {
		if at := s.at(c, r); at.item != nil {
			s.store(at.item, s.whole(c, notes))
		}
	})
	add("a second team of a name is created", "createTeam", http.StatusConflict, func(s *Service, c *call, _ *reply) {
		s.last++
		s.teams[s.last] = &item{notes: map[int]*item{}, owner: c.user}
		s.store(s.teams[s.last], s.whole(c, teams))
	})
	taken := map[any]bool{}
	all = append(all, Defect{Name: "a refused team takes the name", Doc: "where the address is taken, the name is so afterwards", Check: check, hook: func(_ *Service, c *call, next next) *reply {
		name := c.members()["name"]
		if c.is("createTeam") && c.refused == nil && taken[name] {
			return refuse(http.StatusConflict, "the name is taken")
		}
		r := next(c)
		if c.is("createTeam") && r.status == http.StatusConflict && strings.Contains(textOf(r.members(), "error"), "email") {
			taken[name] = true
		}
		return r
	}})
	return all
}

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
		{Name: "If-Match: * is refused", Doc: "it names whatever is there", Check: ignored, hook: matching("replaceTeam", func(_ *item, match string) string { return strings.ReplaceAll(match, "*", `"other"`) })},
		{Name: "the second ETag of a list is not read", Doc: "If-Match may have several", Check: ignored, hook: matching("replaceTeam", func(_ *item, match string) string { first, _, _ := strings.Cut(match, ","); return first })},
		{Name: "a weak ETag is taken", Doc: "If-Match compares strongly", Check: ignored, hook: matching("replaceTeam", func(_ *item, match string) string { return strings.ReplaceAll(match, "W/", "") })},
		{Name: "If-None-Match is ignored", Doc: "a team that is known is sent again", Check: ignored, hook: without("getTeam", "If-None-Match")},
		{Name: "If-None-Match of a note is ignored", Doc: "a note that is known is sent again", Check: ignored, hook: without("getNote", "If-None-Match")},
		{Name: "any ETag is current", Doc: "304 for what has changed", Check: ignored, hook: asked("getTeam", func(_ *Service, c *call) {
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
		{Name: "the ETag is another with each read", Doc: "the one of the last read is refused", Check: ignored, hook: done("getTeam", func(s *Service, c *call, r *reply) {
			s.version++
			r.with("ETag", fmt.Sprintf(`"v%d"`, s.version))
		})},
		{Name: "two writes at once both succeed", Doc: "If-Match is compared before the change is begun", Check: "lost-update", hook: overtaken("replaceTeam changeTeam")},
		{Name: "two writes of a note at once both succeed", Doc: "If-Match is compared before the change is begun", Check: "lost-update", hook: overtaken("replaceNote changeNote")},
	}
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
		{Name: "PATCH does not reach the cache", Doc: "a team that was read is read as it was for ever", Check: stale, Warning: true, hook: cached("getTeam", "changeTeam", -1)},
		{Name: "PUT does not reach the cache", Doc: "a note that was read is read as it was for ever", Check: stale, Warning: true, hook: cached("getNote", "replaceNote", -1)},
		{Name: "PATCH reaches the cache late", Doc: "the third read after it is right", Check: stale, Warning: true, hook: cached("getTeam", "changeTeam", 2)},
		{Name: "DELETE does not reach the cache", Doc: "a note that was read is read after its deletion", Check: "deleted-still-there", hook: cached("getNote", "deleteNote", -1)},
		{Name: "the cache knows notes without their teams", Doc: "a note is read as the one of that number in another team", Check: "created-differs", Warning: true, hook: sharedCache()},
		{Name: "a refusal has the name of the caller before", Doc: "the message of a 409 shows what another one sent", Check: leak, Warning: true, hook: leaked("createTeam")},
		{Name: "after a refusal the next is stored with what it had", Doc: "a note without text has that of the refused one before", Check: leak, Warning: true, hook: leftover()},
		{Name: "after a refusal the next PUT fails", Doc: "the first good request after a 409 is answered with 500", Check: "server-error", hook: poisoned("replaceTeam", http.StatusConflict)},
		{Name: "after a 400 the next PATCH is not stored", Doc: "the first good one after it is answered with 200 and lost", Check: "patch-partial", Warning: true, hook: swallowed()},
	}
}

// cached answers reads from what was read before; some operation does not reach it, but for
// the reads after so many.
func cached(reads, op string, after int) hook {
	seen := map[string]*reply{}
	left := map[string]int{}
	return func(s *Service, c *call, next next) *reply {
		where := c.values["teamId"] + "/" + c.values["noteId"]
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
	return func(s *Service, c *call, next next) *reply {
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
