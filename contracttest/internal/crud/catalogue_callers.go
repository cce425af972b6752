package crud

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ofCallers are about what is not for each caller to say or see.
func ofCallers() []Defect {
	const shared, key, written = "object-shared", "idempotency-key", "read-only-stored"
	return []Defect{
		{Name: "another caller reads a team", Doc: "GET does not ask whose it is", Check: shared, Peer: true, hook: everybodys("getTeam")},
		{Name: "another caller replaces a team", Doc: "PUT does not ask whose it is", Check: shared, Peer: true, hook: everybodys("replaceTeam")},
		{Name: "another caller changes a team", Doc: "PATCH does not ask whose it is", Check: shared, Peer: true, hook: everybodys("changeTeam")},
		{Name: "another caller deletes a team", Doc: "DELETE does not ask whose it is", Check: shared, Peer: true, hook: everybodys("deleteTeam")},
		{Name: "another caller lists the teams", Doc: "the list has those of all", Check: shared, Peer: true, hook: everybodys("listTeams")},
		{Name: "another caller reads a note", Doc: "GET does not ask whose the team is", Check: shared, Peer: true, hook: everybodys("getNote")},
		{Name: "another caller lists the notes", Doc: "the list does not ask whose the team is", Check: shared, Peer: true, hook: everybodys("listNotes")},
		{Name: "another caller adds a note", Doc: "POST does not ask whose the team is", Check: shared, Warning: true, Peer: true, hook: everybodys("addNote")},
		{Name: "another caller replaces a note", Doc: "PUT does not ask whose the team is", Check: shared, Peer: true, hook: everybodys("replaceNote")},
		{Name: "another caller deletes a note", Doc: "DELETE does not ask whose the team is", Check: shared, Peer: true, hook: everybodys("deleteNote")},
		{Name: "another caller's change is refused and done", Doc: "PATCH is answered with 404, and done", Check: shared, Peer: true, hook: refused("changeTeam", http.StatusNotFound, func(s *Service, c *call, _ *reply) {
			if c.user == Peer && c.id("teamId", "") != 1 {
				c.user = ""
				s.serve(c)
			}
		})},
		{Name: "another caller reads a team that was changed", Doc: "PATCH makes it everybody's", Check: shared, Peer: true, hook: opened("changeTeam", "getTeam")},

		{Name: "the key is ignored", Doc: "the same note again with its Idempotency-Key is refused as its title is taken", Check: key, Warning: true, hook: withoutFields("Idempotency-Key")},
		{Name: "the key is all that is looked at", Doc: "another note with a used Idempotency-Key is answered as the first, and not added", Check: key, Warning: true, hook: keyAlone(func(c *call) string { return c.values["teamId"] })},
		{Name: "the key is that of all teams", Doc: "a note with an Idempotency-Key that was used in another team is not added", Check: key, Warning: true, hook: keyAlone(func(*call) string { return "" })},

		{Name: "createdAt of a creation is stored", Doc: "a property that is readOnly is taken from the request", Check: written, Warning: true, hook: backdated("createTeam")},
		{Name: "createdAt of a PUT is stored", Doc: "a property that is readOnly is taken from the request", Check: written, Warning: true, hook: backdated("replaceTeam")},
		{Name: "what nobody has documented is stored", Doc: "each property of a creation is stored and shown", Check: "undocumented-stored", Warning: true, hook: unasked("createTeam")},
		{Name: "what nobody has documented is patched", Doc: "each property of a PATCH is stored and shown", Check: "undocumented-stored", Warning: true, hook: unasked("changeNote")},
	}
}

// everybodys does not ask whose a team is, where it is not somebody's.
func everybodys(ops string) hook {
	return asked(ops, func(_ *Service, c *call) {
		if c.user == Peer && c.id("teamId", "") != 1 {
			c.user = ""
		}
	})
}

// opened gives what some operation has changed to all.
func opened(op, ops string) hook {
	changed := map[string]bool{}
	return both(done(op, func(_ *Service, c *call, _ *reply) { changed[c.values["teamId"]] = true }), asked(ops, func(_ *Service, c *call) {
		if c.user == Peer && changed[c.values["teamId"]] {
			c.user = ""
		}
	}))
}

// keyAlone answers what has a used key as what had it first, whatever it is.
func keyAlone(within func(*call) string) hook {
	used := map[string]*reply{}
	return func(_ *Service, c *call, next next) *reply {
		key := c.header.Get("Idempotency-Key")
		if !c.is("addNote") || c.refused != nil || key == "" {
			return next(c)
		}
		key = within(c) + " " + key
		if used[key] != nil {
			return used[key].clone()
		}
		r := next(c)
		if r.status < http.StatusMultipleChoices {
			used[key] = r.clone()
		}
		return r
	}
}

// backdated stores when a team was made as the request has it.
func backdated(op string) hook {
	return done(op, func(s *Service, c *call, r *reply) {
		at := s.at(c, r)
		if made, err := time.Parse(time.RFC3339, textOf(c.members(), "createdAt")); err == nil && at.item != nil {
			at.created = made.UTC()
			r.members()["createdAt"] = made.UTC().Format(time.RFC3339)
		}
	})
}

// unasked stores what is no property of the document.
func unasked(op string) hook {
	return done(op, func(s *Service, c *call, r *reply) {
		sent := c.members()
		maps.DeleteFunc(sent, func(name string, _ any) bool {
			return slices.Contains([]string{"name", "email", "size", "color", "title", "text", "pinned", "id", "createdAt", "deleted"}, name) || strings.TrimSpace(name) == ""
		})
		change(func(m map[string]any) { maps.Copy(m, sent) })(s, c, r)
		show(func(m map[string]any) { maps.Copy(m, sent) })(s, c, r)
	})
}
