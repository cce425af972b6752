package server

import (
	"errors"
	"time"

	"github.com/labstack/echo/v4"
)

// Observation is what there is to measure of a request. Nothing of it is the
// caller's choice, so that each can be a label.
type Observation struct {
	// Operation is the operationId; "probe"; "iam", where tokens are given out;
	// "page", which is the documentation; or "none" where there is no such path,
	// or no such method of the document's.
	Operation string
	// Status is 0 if the request was dropped without an answer.
	Status   int
	Duration time.Duration
	// Refused is the rule of the document for which the request was refused, as
	// "X-Auth-Token in header: maxLength"; empty where there is none.
	Refused string
}

// WithObserver has observe called when a request is answered, before its
// connection is free again: by several goroutines at once, and it should be
// quick.
func WithObserver(observe func(Observation)) Option {
	return func(s *Server) error {
		if observe == nil {
			return errors.New("observer is nil")
		}
		s.observer = observe
		return nil
	}
}

// operationKey is where a request has the operationId, once it has reached the
// operation and if there is an observer.
const operationKey = "operation"

// ruleKey is where a request that is refused has the rule that it breaks.
const ruleKey = "rule"

// as is a middleware that notes of which operation a request is.
func as(operationID string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Set(operationKey, operationID)
			return next(c)
		}
	}
}

// observed tells the observer of a request that began at start.
func (s *Server) observed(c echo.Context, status int, start time.Time) {
	if s.observer == nil {
		return
	}
	operation, reached := c.Get(operationKey).(string)
	if !reached {
		operation = besideDocument(c)
	}
	rule, _ := c.Get(ruleKey).(string)
	s.observer(Observation{Operation: operation, Status: status, Duration: time.Since(start), Refused: rule})
}

// besideDocument is what a request is counted as that has not reached an
// operation.
func besideDocument(c echo.Context) string {
	switch {
	case isProbe(c):
		return "probe"
	case c.Path() == tokensPath:
		return "iam"
	case isPage(c):
		return "page"
	}
	return "none"
}
