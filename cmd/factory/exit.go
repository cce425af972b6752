package main

// The exit statuses that every command shares.
const (
	exitOK     = 0
	exitCannot = 2 // bad usage, or the command could not be carried out
)

// exitError is an error that ends the program with a status of its own.
// Any other error ends it with exitCannot.
type exitError struct {
	code int
	err  error
}

// exit gives err the exit status code.
func exit(code int, err error) error { return &exitError{code: code, err: err} }

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }
