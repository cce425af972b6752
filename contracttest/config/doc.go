// Package config has the settings of a run: one table of them, from which the
// flags of the command, the keys of contracttest.yaml and its JSON Schema are
// made, and which the options of package contracttest set.
//
//	settings, err := config.Load("contracttest.yaml")
//	fmt.Println(settings.Target, settings.Given("target")) // and where that was set
//
// To add a setting, add a row to Table.
package config
