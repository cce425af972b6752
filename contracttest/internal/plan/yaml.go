package plan

import (
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// yaml plans the bytes of a body of YAML, which is written as JSON otherwise.
func (pl *planner) yaml(m *contract.Media, d draft) {
	good, _, err := d.encode(m, d.body.V)
	if err != nil || len(good) == 0 {
		return
	}
	text := string(good)
	raw := func(label, body string, expect Expect) {
		pl.raw(m.Syntax, label, expect, "", d, func(r *wire.Request) { r.Body = []byte(body) })
	}
	raw("comment", "# a comment\n"+text, Accept)
	raw("document-marker", "---\n"+text+"\n", Accept)
	if members, ok := d.body.V.(map[string]any); ok && len(members) > 0 {
		raw("block", asYAML(members), Accept)
	}

	raw("truncated", text[:len(text)-1], Refuse)
	raw("closed-twice", text+text[len(text)-1:], Refuse)
	raw("open-list", "[", Refuse)
	raw("open-quote", `"x`, Refuse)
	raw("unknown-alias", "*x-unknown", Refuse)
}
