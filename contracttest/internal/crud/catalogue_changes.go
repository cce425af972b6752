package crud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

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
		{Name: "PUT keeps pinned", Doc: "a property with a default that is left out stays", Check: stored, Warning: true, hook: keep("replaceNote", "pinned")},
		{Name: "PUT stores a color beside a size alone", Doc: "of two optional properties one is stored only with the other", Check: stored, Warning: true, hook: before("replaceTeam", func(s *Service, c *call, r *reply, was map[string]any) {
			if _, sent := c.members()["size"]; !sent {
				change(func(m map[string]any) { put(m, "color", was["color"]) })(s, c, r)
			}
		})},
		{Name: "PUT cuts long texts", Doc: "100 characters of a text are stored, and POST stores all", Check: stored, Warning: true, hook: done("replaceNote", cut("text", 100))},
		{Name: "PUT of a team deletes its notes", Doc: "the team is replaced with all that is below it", Check: "changed-more", Warning: true, hook: emptied("replaceTeam")},
		{Name: "PUT ignores the color", Doc: "it is answered as stored, and is not", Check: stored, Warning: true, hook: ignore("replaceTeam", "color")},
		{Name: "PUT ignores the title", Doc: "it is answered as stored, and is not", Check: stored, Warning: true, hook: ignore("replaceNote", "title")},
		{Name: "PUT appends the text", Doc: "the new text follows the old one", Check: stored, Warning: true, hook: before("replaceNote", func(s *Service, c *call, r *reply, was map[string]any) {
			change(func(m map[string]any) {
				if now := textOf(m, "text"); now != "" && len([]rune(textOf(was, "text")+now)) <= 200 {
					m["text"] = textOf(was, "text") + now
				}
			})(s, c, r)
		})},
		{Name: "PUT counts", Doc: "each PUT adds one to the size", Check: stored, Warning: true, hook: before("replaceTeam", func(s *Service, c *call, r *reply, was map[string]any) {
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
		{Name: "what PUT has made is not there", Doc: "it is answered with 201", Check: "created-not-found", Warning: true, Dress: Dress{Upsert: true}, hook: done("replaceTeam", func(s *Service, c *call, r *reply) {
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

// emptied deletes the notes of a team that is changed.
func emptied(op string) hook {
	return done(op, func(s *Service, c *call, _ *reply) {
		if id := c.id("teamId", ""); id != 1 && s.teams[id] != nil {
			clear(s.teams[id].notes)
		}
	})
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
		{Name: "PATCH of a team deletes its notes", Doc: "the team is replaced with all that is below it", Check: "changed-more", Warning: true, hook: emptied("changeTeam")},
		{Name: "PATCH stores sizes in a byte", Doc: "of sizes above 255 the low byte is stored", Check: partial, Warning: true, hook: done("changeTeam", size(func(n int) int { return n % 256 }))},
		{Name: "PATCH turns pinned over", Doc: "true for what is pinned unpins it", Check: partial, Warning: true, hook: before("changeNote", func(s *Service, c *call, r *reply, was map[string]any) {
			if c.members()["pinned"] == true && was["pinned"] == true {
				change(func(m map[string]any) { m["pinned"] = false })(s, c, r)
			}
		})},
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
			Warning: !strings.HasPrefix(ops, "change") && !slices.Contains([]int{http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity}, status),
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
	add("a note is replaced without credential", "replaceNote", http.StatusUnauthorized, perform)
	add("a note is changed without credential", "changeNote", http.StatusUnauthorized, perform)
	add("a note in another media type is added", "addNote", http.StatusUnsupportedMediaType, perform)
	add("a note is replaced in spite of 412", "replaceNote", http.StatusPreconditionFailed, perform)
	add("a note is changed in spite of 412", "changeNote", http.StatusPreconditionFailed, perform)
	add("a note with a used key is added", "addNote", http.StatusUnprocessableEntity, perform)
	add("a team that is not there is made", "replaceTeam", http.StatusNotFound, func(s *Service, c *call, _ *reply) {
		if id := c.id("teamId", ""); c.refused == nil && s.teams[id] == nil && taken(s.teams, id, c.members()) == "" {
			s.put(c, teams, s.teams, id)
		}
	})
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
	used := map[any]bool{}
	all = append(all, Defect{Name: "a refused team takes the name", Doc: "where the address is taken, the name is so afterwards", Check: check, hook: func(_ *Service, c *call, next next) *reply {
		name := c.members()["name"]
		if c.is("createTeam") && c.refused == nil && used[name] {
			return refuse(http.StatusConflict, "the name is taken")
		}
		r := next(c)
		if c.is("createTeam") && r.status == http.StatusConflict && strings.Contains(textOf(r.members(), "error"), "email") {
			used[name] = true
		}
		return r
	}})
	return all
}
