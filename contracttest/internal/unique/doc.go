// Package unique makes texts that no other request has had, as two runs of one target and two
// requests of one run must not meet: what has a unique name is refused the second time.
//
//	t := unique.New()
//	suffix, n := t.Next()
//	for _, text := range unique.Candidates("ada@example.com", suffix, n, true) {
//		fmt.Println(text, t.Hide(text)) // ada-qx7m2000@example.com ada-unique00@example.com
//	}
//
// Where a text is to have the form of a planned one, as SKU-00042 has, other letters and digits stand
// in the places of its own. In reports all of them are shown alike, whatever the run.
package unique
