package crud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Dress is a lawful way in which a service treats its state.
type Dress struct {
	Soft      bool // what is deleted can still be read, and says so
	Late      bool // what is made or deleted is so for who reads a little later: 202
	Reuse     bool // identifiers of what is gone are given again
	Normalise bool // addresses and titles are stored in lower case, names without blanks around them, sizes in fives
	Upsert    bool // PUT makes what is not there

	Newest    bool // lists begin with what was made last
	Pages     bool // a page has ten at most, whatever is asked for
	Short     bool // lists show identifiers and names alone
	Fold      bool // the filter looks for a part of the name, and does not tell small letters from capitals
	Lagging   bool // lists show what is new the third time
	Blind     bool // nothing has an ETag
	Weak      bool // ETags are weak, and for reading alone
	Hash      bool // an ETag is made of what is stored: what is as it was has the one that it had
	Versions  bool // a change needs If-Match: 428
	Silent    bool // PUT and PATCH are answered with 204
	Returns   bool // DELETE is answered with what was deleted
	Again     bool // DELETE of what is not there is answered with 204
	Gone      bool // what was deleted is 410
	Restrict  bool // a team is not deleted that has notes: 409
	Stamps    bool // answers say when they were made, and how often an item was read
	Cached    bool // reads come from a cache for a while, with Age
	Replica   bool // the first read after a change may be as before
	Fixed     bool // the address of a team stays what it was
	Existence bool // what is not there is 404, whatever is wrong with the request
	Absolute  bool // Location has the whole address
	Forbidden bool // what is another caller's is 403
	Expires   bool // what was made or changed 150 changes ago is gone
	Quota     bool // a caller has twenty teams at most: 409
	Slashes   bool // paths end with a slash, and what is asked for without is there: 301
}

// Dresses are the plain service and its correct twins, by name.
func Dresses() map[string]Dress {
	return map[string]Dress{
		"plain": {}, "soft delete": {Soft: true}, "late": {Late: true}, "reused identifiers": {Reuse: true},
		"normalised": {Normalise: true}, "upsert": {Upsert: true},
		"newest first": {Newest: true}, "small pages": {Pages: true}, "short lists": {Short: true}, "search": {Fold: true}, "lagging lists": {Lagging: true},
		"no ETags": {Blind: true}, "weak ETags": {Weak: true}, "hashes": {Hash: true}, "versions": {Versions: true},
		"no content": {Silent: true}, "DELETE returns": {Returns: true}, "DELETE again": {Again: true}, "410": {Gone: true}, "no orphans": {Restrict: true},
		"stamps": {Stamps: true, Blind: true}, "cache": {Cached: true}, "replica": {Replica: true}, "fixed address": {Fixed: true},
		"existence first": {Existence: true}, "absolute Location": {Absolute: true}, "forbidden": {Forbidden: true}, "slashes at the end": {Slashes: true}, "expiry": {Expires: true}, "quota": {Quota: true},
		"upsert, 410, newest first": {Upsert: true, Gone: true, Newest: true}, "normalised, no content, hashes": {Normalise: true, Silent: true, Hash: true},
		"soft delete, DELETE again, short lists": {Soft: true, Again: true, Short: true},
	}
}

// hooks are what a dress does around the service.
func (d Dress) hooks() []hook {
	var all []hook
	add := func(worn bool, some ...hook) {
		if worn {
			all = append(all, some...)
		}
	}
	add(d.Existence, existenceFirst)
	add(d.Cached, cached(bothRead, "replaceTeam changeTeam deleteTeam replaceNote changeNote deleteNote", 2), aged())
	add(d.Replica, cached(bothRead, "replaceTeam changeTeam deleteTeam replaceNote changeNote deleteNote", 1))
	add(d.Stamps, stamped())
	add(d.Short, done(bothList, func(_ *Service, _ *call, r *reply) {
		items, _ := itemsOf(r)
		for _, v := range items {
			maps.DeleteFunc(v.(map[string]any), func(name string, _ any) bool { return !slices.Contains([]string{"id", "name", "title"}, name) })
		}
	}))
	add(d.Lagging, lagging())
	add(d.Pages, asked("listTeams", func(_ *Service, c *call) {
		if limit := atoi(c.query.Get("limit")); limit == 0 || limit > 10 {
			c.query.Set("limit", "10")
		}
	}))
	add(d.Blind, withoutFields("If-Match", "If-None-Match"), tagged(func(string) string { return "" }))
	add(d.Weak, withoutFields("If-Match"), asked(bothRead, func(_ *Service, c *call) {
		c.header = c.header.Clone()
		for n, v := range c.header["If-None-Match"] {
			c.header["If-None-Match"][n] = strings.ReplaceAll(v, "W/", "")
		}
	}), tagged(func(tag string) string { return "W/" + tag }))
	add(d.Versions, func(_ *Service, c *call, next next) *reply {
		if c.refused != nil && c.refused.status == http.StatusBadRequest && c.is(bothReplace+" "+bothChange+" "+bothDelete) && len(c.header.Values("If-Match")) == 0 {
			return refuse(http.StatusPreconditionRequired, "If-Match is missing")
		}
		return next(c)
	})
	add(d.Silent, done(bothReplace+" "+bothChange, func(_ *Service, _ *call, r *reply) {
		if r.status == http.StatusOK {
			r.status, r.body = http.StatusNoContent, nil
			r.header.Del("Content-Type")
		}
	}))
	add(d.Returns, returned)
	add(d.Again, refused(bothDelete, http.StatusNotFound, func(_ *Service, c *call, r *reply) {
		if c.refused == nil {
			*r = reply{status: http.StatusNoContent, header: http.Header{}}
		}
	}))
	add(d.Gone, kept(bothDelete, bothRead+" "+bothReplace+" "+bothChange+" "+bothDelete, always[*item], func(_ *Service, _ *call, at spot) *reply {
		return refuse(http.StatusGone, "the "+at.what+" was deleted")
	}))
	add(d.Restrict, func(s *Service, c *call, next next) *reply {
		if i := s.at(c, &reply{}).item; c.is("deleteTeam") && c.refused == nil && i != nil && i.owner == c.user && len(i.notes) > 0 {
			return refuse(http.StatusConflict, "the team has notes")
		}
		return next(c)
	})
	add(d.Fixed, before("replaceTeam", func(s *Service, c *call, r *reply, was map[string]any) {
		change(func(m map[string]any) { m["email"] = was["email"] })(s, c, r)
		show(func(m map[string]any) { m["email"] = was["email"] })(s, c, r)
	}))
	add(d.Expires, func(s *Service, c *call, next next) *reply {
		maps.DeleteFunc(s.teams, func(id int, t *item) bool { return id != 1 && s.version-t.version > 150 })
		return next(c)
	})
	add(d.Quota, func(s *Service, c *call, next next) *reply {
		own := 0
		for _, t := range s.teams {
			if t.owner == c.user {
				own++
			}
		}
		if c.op == "createTeam" && c.refused == nil && own >= 20 {
			return refuse(http.StatusConflict, "there are twenty teams")
		}
		return next(c)
	})
	add(d.Slashes, func(s *Service, c *call, next next) *reply {
		if c.op == "" && len(s.contract.At(c.path+"/")) > 0 {
			return (&reply{status: http.StatusMovedPermanently}).with("Location", c.path+"/")
		}
		r := next(c)
		if at := r.header.Get("Location"); at != "" {
			r.with("Location", at+"/")
		}
		return r
	})
	add(d.Absolute, done("createTeam", func(_ *Service, c *call, r *reply) {
		r.header.Set("Location", "http://"+c.host+r.header.Get("Location"))
	}))
	return all
}

// existenceFirst looks for an item before it looks at the request.
func existenceFirst(s *Service, c *call, next next) *reply {
	if c.refused == nil || c.values["teamId"] == "" || c.refused.status != http.StatusBadRequest && c.refused.status != http.StatusUnsupportedMediaType {
		return next(c)
	}
	if i := s.at(c, &reply{}).item; i == nil && c.op != "addNote" || s.teams[c.id("teamId", "")] == nil {
		return refuse(http.StatusNotFound, "nothing is there")
	}
	return next(c)
}

// aged says of what comes from the cache that it does.
func aged() hook {
	return done(bothRead, func(_ *Service, _ *call, r *reply) { r.with("Age", "7").with("Cache-Control", "max-age=30") })
}

func stamped() hook {
	reads := map[string]int{}
	served := 0
	stamp := func(m map[string]any) {
		served++
		m["servedAt"] = fmt.Sprintf("2026-05-02T%02d:%02d:%02dZ", served/3600%24, served/60%60, served%60)
	}
	return func(s *Service, c *call, next next) *reply {
		r := next(c)
		if r.status >= http.StatusMultipleChoices {
			return r
		}
		for _, v := range first(itemsOf(r)) {
			if m, ok := v.(map[string]any); ok {
				stamp(m)
				m["reads"] = reads[pathInList(c, v)]
			}
		}
		if m := r.members(); m["id"] != nil {
			if c.is(bothRead) {
				reads[s.path(c, r)]++
			}
			stamp(m)
			m["reads"] = reads[s.path(c, r)]
		}
		return r
	}
}

func first[A, B any](a A, _ B) A { return a }

// lagging hides what is new from the first two reads of a list.
func lagging() hook {
	fresh := map[string]int{}
	return both(done(bothCreate, func(s *Service, c *call, r *reply) { fresh[s.path(c, r)] = 2 }),
		done(bothList, func(_ *Service, c *call, r *reply) {
			all, put := itemsOf(r)
			put(slices.DeleteFunc(all, func(v any) bool {
				path := pathInList(c, v)
				fresh[path]--
				return fresh[path] >= 0
			}))
		}))
}

// withoutFields does not read some header fields.
func withoutFields(names ...string) hook {
	return func(_ *Service, c *call, next next) *reply {
		c.header = c.header.Clone()
		for _, name := range names {
			c.header.Del(name)
		}
		return next(c)
	}
}

// tagged changes the ETags of answers; an empty one is none.
func tagged(to func(string) string) hook {
	return func(_ *Service, c *call, next next) *reply {
		r := next(c)
		if tag := r.header.Get("ETag"); tag != "" {
			if r.header.Del("ETag"); to(tag) != "" {
				r.header.Set("ETag", to(tag))
			}
		}
		return r
	}
}

// returned answers a DELETE with what it has deleted.
func returned(s *Service, c *call, next next) *reply {
	at := s.at(c, &reply{})
	r := next(c)
	if c.is(bothDelete) && r.status == http.StatusNoContent {
		return answer(http.StatusOK, at.view(at.id, at.item))
	}
	return r
}

// Readers reports whether ETags are for reading alone, if there are any.
func (d Dress) Readers() bool { return d.Blind || d.Weak }
