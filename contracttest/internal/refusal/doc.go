// Package refusal reads what a refusal says in words, in English: what it is about, and which
// texts would do.
//
//	for _, said := range refusal.Remarks(body) { // {"loc": ["body", "due"], "msg": "expected a date"}
//		fmt.Println(refusal.Names(said.Around, "due"), refusal.Texts(said.Text)) // true [2024-02-29 …]
//	}
//
// What it reads is a guess. It gives values to try, and nobody is blamed by it.
package refusal
