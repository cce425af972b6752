// Package match compares the names that people write with those that there are.
//
//	match.Name("createPet/body/**", "createPet/body/owner/name/maxLength") // true
//	match.Nearest("creatPet", slices.Values(operations))                    // suggests createPet
package match
