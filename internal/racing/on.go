//go:build race

package racing

// Enabled is whether the race detector is on.
const Enabled = true
