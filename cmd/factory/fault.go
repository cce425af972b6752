package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dataarts-go/factory/server"
)

// parseFault reads a fault of --fault. What it means is the server's to check.
func parseFault(text string) (f server.Fault, err error) {
	for part := range strings.SplitSeq(text, ",") {
		name, value, hasValue := strings.Cut(part, "=")
		switch {
		case part == "drop":
			f.Drop = true
		case part == "late":
			f.Late = true
		case !hasValue:
			return f, fmt.Errorf("%q is none of share=, delay=, status=, retry-after=, drop and late", part)
		case name == "share":
			f.Share, err = strconv.ParseFloat(value, 64)
		case name == "delay":
			f.Delay, err = time.ParseDuration(value)
		case name == "status":
			f.Status, err = strconv.Atoi(value)
		case name == "retry-after":
			f.RetryAfter, err = time.ParseDuration(value)
		default:
			return f, fmt.Errorf("%q is none of share=, delay=, status=, retry-after=, drop and late", part)
		}
		if err != nil {
			return f, fmt.Errorf("%s: %w", name, err)
		}
	}
	return f, nil
}
