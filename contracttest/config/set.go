package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// SetFlag sets what a flag has. Its errors do not name the flag.
func (l *Layer) SetFlag(s *Setting, text string) error {
	if err := l.setFlag(s, text); err != nil {
		return err
	}
	g := Given{Text: text, Origin: FromFlag}
	if all, ok := s.at(&l.Settings).(*[]Pair); ok {
		g.Name = (*all)[len(*all)-1].Name
	}
	l.Mark(s.Name, g)
	return nil
}

func (l *Layer) setFlag(s *Setting, text string) error {
	switch s.Kind {
	case Headers:
		name, value, ok := strings.Cut(text, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" {
			return errors.New("want 'Name: value'")
		}
		p := Pair{Name: name}
		if err := p.put(value, fromEnvironment); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return l.add(s, p)
	case Values:
		name, list, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return errors.New("want name=a,b: it has no = after a name") // and may be a secret
		}
		if list == "" { // as with a variable of the shell that is not set
			return fmt.Errorf("%q: it has no value, want name=a,b", text)
		}
		p := Pair{Name: name}
		for value := range strings.SplitSeq(list, ",") { // what a variable has is one value, commas and all
			if err := p.put(value, fromEnvironment); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return l.add(s, p)
	case Mappings:
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return l.add(s, Pair{Name: name})
		}
		if s.Secret {
			var err error
			if value, err = fromEnvironment(value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return l.add(s, Pair{Name: name, Values: []string{value}})
	case List:
		if s.Commas {
			for part := range strings.SplitSeq(text, ",") {
				if err := l.setText(s, part); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return l.setText(s, text)
}

func (l *Layer) add(s *Setting, p Pair) error {
	all := s.at(&l.Settings).(*[]Pair) //nolint:forcetypeassert // of these kinds it is one
	*all = append(*all, p)
	return s.checkPair(p)
}

// setText sets what is one text; in a list, one more.
func (l *Layer) setText(s *Setting, text string) (err error) {
	switch v := s.at(&l.Settings).(type) {
	case *string:
		*v = text
	case *bool:
		*v, err = strconv.ParseBool(text)
	case *int:
		*v, err = strconv.Atoi(text)
	case *int64:
		*v, err = strconv.ParseInt(text, 10, 64)
	case *float64:
		if s.Kind == Percent {
			text = strings.TrimSpace(strings.TrimSuffix(text, "%"))
		}
		*v, err = strconv.ParseFloat(text, 64)
	case *time.Duration:
		*v, err = time.ParseDuration(text)
	case *Rate:
		if *v = (Rate{Auto: text == rateAuto}); !v.Auto {
			v.PerSecond, err = strconv.ParseFloat(text, 64)
		}
	case *Shard:
		number, of, _ := strings.Cut(text, "/")
		if v.Number, err = strconv.Atoi(number); err == nil {
			v.Of, err = strconv.Atoi(of)
		}
		if err == nil && *v == (Shard{}) {
			err = errNoShard
		}
	case *[]string:
		*v = append(*v, text)
	default:
		return errors.New("want a mapping of names to values")
	}
	if err != nil {
		return fmt.Errorf("%q: want %s", text, s.Kind)
	}
	return s.check(&l.Settings)
}

// errNoShard is of 0/0, which stands for no setting.
var errNoShard = errors.New("there is no such part")

func (k Kind) String() string {
	return [...]string{"a text", "true or false", "a whole number", "a number", "a time, as in 30s or 1m30s", "a share, as in 90%", "a number or auto", "one part of so many, as in 1/4", "a list of texts", "headers by their names", "values by their names", "a mapping"}[k]
}

// fromCommand is cmd:COMMAND at the end of a value, as a word of it.
var fromCommand = regexp.MustCompile(`(^|[\s,;="'])cmd:(.*)$`)

// put adds a value with its variables. The shell that runs its command has them by itself.
func (p *Pair) put(text string, expanded func(string) (string, error)) error {
	command := ""
	if at := fromCommand.FindStringSubmatchIndex(text); at != nil {
		if command = strings.TrimSpace(text[at[4]:]); command == "" {
			return errors.New("cmd: want a command after it, as in cmd:./token")
		}
		text = text[:at[3]]
	}
	value, err := expanded(text)
	p.Values = append(p.Values, value)
	if command != "" {
		p.Commands = append(p.Commands, make([]string, len(p.Values)-len(p.Commands))...)
		p.Commands[len(p.Values)-1] = command
	}
	return err
}

// fromVariable is env:VARIABLE as a word of a value.
var fromVariable = regexp.MustCompile(`(^|[\s,;="'])env:([^\s,;="']*)`)

// fromEnvironment puts the values of variables of the environment in the place of env:VARIABLE,
// wherever it is a word of the text, so that no secret is on a command line. No env: is ever sent
// as it is: a credential that was meant would be refused for a reason that nobody sees.
func fromEnvironment(text string) (string, error) {
	var err error
	text = fromVariable.ReplaceAllStringFunc(text, func(word string) string {
		parts := fromVariable.FindStringSubmatch(word)
		value, missing := variable(parts[2])
		if missing != nil && err == nil {
			err = fmt.Errorf("env:%s: %w", parts[2], missing)
		}
		return parts[1] + value
	})
	return text, err
}

// variable is one of the environment.
func variable(name string) (string, error) {
	value, ok := os.LookupEnv(name)
	switch {
	case !ok:
		return "", fmt.Errorf("the environment variable is not set%.0w", errNoVariable)
	case value == "":
		return "", fmt.Errorf("the variable is empty%.0w", errNoVariable)
	}
	return value, nil
}

// errNoVariable is of a variable that is missing or empty.
var errNoVariable = errors.New("no variable")
