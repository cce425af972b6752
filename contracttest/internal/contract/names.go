package contract

// OperationOf returns the operation that a clause is of.
func (c *Contract) OperationOf(clause *Clause) *Operation { return c.byID[clause.Operation] }

// Names are those of the document's parameters, of the properties of its bodies
// and of its security schemes: what values can be given for.
func (c *Contract) Names() map[string]bool {
	names := map[string]bool{}
	add := func(n *Node) { names[n.Name] = true }
	for _, op := range c.Operations {
		for _, p := range op.Params {
			names[p.Spec.Name] = true
			p.Node.Walk(add)
		}
		if op.Body != nil {
			for _, m := range op.Body.Media {
				m.Node.Walk(add)
			}
		}
		for _, r := range op.Responses {
			for _, m := range r.Media {
				m.Node.Walk(add)
			}
		}
	}
	if c.Doc.Components != nil {
		for name, ref := range c.Doc.Components.SecuritySchemes {
			names[name] = true
			if ref != nil && ref.Value != nil && ref.Value.Type == "apiKey" {
				names[ref.Value.Name] = true
			}
		}
	}
	delete(names, "")
	return names
}
