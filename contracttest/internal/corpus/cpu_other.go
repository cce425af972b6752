//go:build !unix

package main

import "time"

var started = time.Now()

// cpu is the time by the clock, where the one of the processors is not to be had.
func cpu() time.Duration { return time.Since(started) }
