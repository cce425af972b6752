package plan

import (
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// xml plans the bytes of a body of XML.
func (pl *planner) xml(m *contract.Media, d draft) {
	good, label, err := d.encode(m, d.body.V)
	text := string(good)
	end := strings.LastIndex(text, "</")
	start := strings.IndexAny(text, " >")
	if err != nil || end < 0 || start < 0 { // in UTF-16 it has neither
		return
	}
	raw := func(label, body string, expect Expect) {
		pl.raw(m.Syntax, label, expect, "", d, func(r *wire.Request) { r.Body = []byte(body) })
	}
	if label = strings.ToLower(label); strings.Contains(label, "utf-8") || !strings.Contains(label, "charset") {
		raw("declaration", `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+text, Accept)
		raw("declaration-in-single-quotes", "<?xml version='1.0' encoding='utf-8' standalone='yes'?>"+text, Accept)
	}
	raw("white-space-around", "\n"+text+"\r\n\t ", Accept)
	raw("comment", "<!-- a comment -->"+text, Accept)
	raw("comment-inside", text[:end]+"<!-- a comment -->"+text[end:], Accept)
	raw("processing-instruction", "<?x-unknown a?>"+text, Accept)
	raw("white-space-in-tag", text[:len(text)-1]+" >", Accept)

	raw("not-xml", "not xml", Refuse)
	raw("json", `{"a":1}`, Refuse)
	raw("truncated", text[:len(text)-1], Refuse)
	raw("no-end-tag", text[:end], Refuse)
	raw("start-tag-cut", text[:start], Refuse)
	raw("other-end-tag", text[:end]+"</x-unknown>", Refuse)
	raw("end-tag-in-other-case", text[:end]+otherCase(text[end:]), Refuse)
	raw("second-root", text+text, Refuse)
	raw("trailing-text", text+" x", Refuse)
	raw("trailing-end-tag", text+"</x-unknown>", Refuse)
	raw("text-before", "x "+text, Refuse)
	raw("bare-ampersand", text[:end]+"& "+text[end:], Refuse)
	raw("unknown-entity", text[:end]+"&x-unknown;"+text[end:], Refuse)
	raw("bare-less-than", text[:end]+"< "+text[end:], Refuse)
	raw("attribute-twice", text[:start]+` x-unknown="a" x-unknown="a"`+text[start:], Refuse)
	raw("attribute-without-quotes", text[:start]+` x-unknown=a`+text[start:], Refuse)
	raw("attribute-without-value", text[:start]+` x-unknown`+text[start:], Refuse)
	raw("control-character", text[:end]+"\x01"+text[end:], Refuse)
	raw("invalid-utf-8", text[:end]+"\xff"+text[end:], Refuse)
	raw("comment-without-end", "<!-- a comment "+text, Refuse)
}
