// Package command is what the command lines of this repository share: their
// version, and what they say of a name that is nearly right.
//
//	root := &cobra.Command{Use: "factory"}
//	command.Prepare(root)
package command
