package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/internal/match"
)

// FileName is the file that is read where none is named and it is there.
const FileName = "contracttest.yaml"

// maxFile is how many bytes of a file are read.
const maxFile = 1 << 20

// Load reads a file of settings.
func Load(file string) (*Layer, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	return Parse(file, data)
}

// Parse reads a file of settings, whose keys are the names of the flags. In a text, ${NAME} is a
// variable of the environment, and $${NAME} the text ${NAME}; that there is none is an error of
// Check, as something else may be given for the setting. Names of files are relative to the file.
// Its errors name the line.
func Parse(file string, data []byte) (*Layer, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: %d bytes are more than the %d that are read", file, len(data), maxFile)
	}
	l := &Layer{}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if doc.Kind == 0 { // an empty file
		return l, nil
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return l, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: want keys with values, as in target: http://127.0.0.1:8080", file, root.Line)
	}
	r := reader{l, file}
	var wrong []error
	seen := map[string]int{}
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if line := seen[key.Value]; line != 0 {
			wrong = append(wrong, fmt.Errorf("%s:%d: %s: duplicate of line %d", file, key.Line, key.Value, line))
			continue
		}
		seen[key.Value] = key.Line
		if err := r.set(key, value); err != nil {
			wrong = append(wrong, err)
		}
		const most = 10
		if len(wrong) == most {
			break
		}
	}
	if len(wrong) > 0 {
		for _, k := range l.lacks {
			wrong = append(wrong, k.err)
		}
	}
	return l, errors.Join(wrong...)
}

type reader struct {
	*Layer

	file string
}

// ignored are keys for editors, and what begins with x- is for people.
func ignored(key string) bool { return key == "$schema" || strings.HasPrefix(key, "x-") }

func (r reader) set(key, value *yaml.Node) error {
	if ignored(key.Value) {
		return nil
	}
	s := Lookup(key.Value)
	if s == nil {
		return fmt.Errorf("%s:%d: there is no setting %q%s", r.file, key.Line, key.Value, match.Nearest(key.Value, names()))
	}
	if s.Flag {
		return fmt.Errorf("%s:%d: %s can only be given as a flag: --%s", r.file, key.Line, s.Name, s.Name)
	}
	if err := r.setNode(s, key.Line, resolved(value)); err != nil {
		return r.at(s, value.Line, err)
	}
	return nil
}

func (r reader) at(s *Setting, line int, err error) error {
	return fmt.Errorf("%s:%d: %s: %w", r.file, line, s.Name, err)
}

// lacking notes what has no value for want of a variable. It returns any other error.
func (r reader) lacking(s *Setting, name string, line int, err error) error {
	if !errors.Is(err, errNoVariable) {
		return err
	}
	r.lacks = append(r.lacks, lack{s.Name, name, r.at(s, line, err)})
	return nil
}

func names() func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, s := range Table {
			if !s.Flag && !yield(s.Name) {
				return
			}
		}
	}
}

// resolved follows an alias, of which none leads to another.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (r reader) setNode(s *Setting, line int, value *yaml.Node) error {
	origin := fmt.Sprintf("%s:%d", r.file, line)
	switch s.Kind {
	case Headers, Values, Mappings:
		if value.Kind != yaml.MappingNode {
			return fmt.Errorf("want %s", s.Kind)
		}
		for i := 0; i < len(value.Content); i += 2 {
			name := value.Content[i].Value
			texts, err := scalars(resolved(value.Content[i+1]))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if s.Kind != Values && len(texts) > 1 {
				return fmt.Errorf("%s: want one text, not %d", name, len(texts))
			}
			r.Mark(s.Name, Given{name, name + separators[s.Kind] + strings.Join(texts, ","), fmt.Sprintf("%s:%d", r.file, value.Content[i].Line)})
			p, err := r.pair(s, name, texts)
			if err != nil {
				if err := r.lacking(s, name, value.Line, err); err != nil {
					return err
				}
				continue
			}
			if err := r.add(s, p); err != nil {
				return err
			}
		}
		return nil
	case List:
	default:
		if value.Kind != yaml.ScalarNode {
			return fmt.Errorf("want %s", s.Kind)
		}
	}
	texts, err := scalars(value)
	if err != nil {
		return err
	}
	for _, text := range texts {
		r.Mark(s.Name, Given{Text: text, Origin: origin})
		v, err := r.expanded(s, text)
		if err != nil {
			if err := r.lacking(s, "", value.Line, err); err != nil {
				return err
			}
			continue
		}
		if err := r.setText(s, v); err != nil {
			return err
		}
	}
	return nil
}

// pair is a name with its texts.
func (r reader) pair(s *Setting, name string, texts []string) (Pair, error) {
	p := Pair{Name: name}
	expanded := func(text string) (string, error) { return r.expanded(s, text) }
	for _, text := range texts {
		var err error
		if s.Kind == Mappings {
			text, err = expanded(text)
			p.Values = append(p.Values, text)
		} else {
			err = p.put(text, expanded)
		}
		if err != nil {
			return p, fmt.Errorf("%s: %w", name, err)
		}
	}
	return p, nil
}

var separators = map[Kind]string{Headers: ": ", Values: "=", Mappings: "="}

// scalars are the texts of a scalar, or of a list of them.
func scalars(n *yaml.Node) ([]string, error) {
	all := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		all = n.Content
	}
	var texts []string
	for _, n := range all {
		n = resolved(n)
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			return nil, fmt.Errorf("line %d: want a text, or a list of texts", n.Line)
		}
		texts = append(texts, n.Value)
	}
	return texts, nil
}

// inFile is ${NAME}, and $${NAME} where it is meant as it is.
var inFile = regexp.MustCompile(`\$?\$\{([^}]*)\}`)

// variableName is what a variable of the environment may be called.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Expand puts variables of the environment in the place of ${NAME}, as in a file of settings.
func Expand(text string) (string, error) {
	var err error
	text = inFile.ReplaceAllStringFunc(text, func(word string) string {
		if strings.HasPrefix(word, "$$") {
			return word[1:]
		}
		name := inFile.FindStringSubmatch(word)[1]
		value, missing := variable(name)
		if !variableName.MatchString(name) {
			missing = errors.New("want the name of a variable, or $${ for the text ${")
		}
		if missing != nil && err == nil {
			err = fmt.Errorf("${%s}: %w", name, missing)
		}
		return value
	})
	return text, err
}

func (r reader) expanded(s *Setting, text string) (string, error) {
	text, err := Expand(text)
	if err != nil || !s.File || text == "" || text == "-" || strings.Contains(text, "://") || filepath.IsAbs(text) {
		return text, err
	}
	return filepath.Join(filepath.Dir(r.file), text), nil
}

// Find is the file of settings beside a document; empty where there is none.
func Find(spec string) string {
	dir := "."
	if spec != "" && spec != "-" && !strings.Contains(spec, "://") {
		dir = filepath.Dir(spec)
	}
	file := filepath.Join(dir, FileName)
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return ""
	}
	return file
}
