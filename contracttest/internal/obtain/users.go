package obtain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/internal/match"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// User is one of an auth file of Web Fuzzing Commons
// (https://github.com/WebFuzzing/Commons/blob/master/auth.md).
type User struct {
	Name         string    `json:"name"`
	FixedHeaders []Header  `json:"fixedHeaders"`
	Login        *Login    `json:"loginEndpointAuth"`
	CreateUsers  *Creation `json:"createUsers"`
	// MockHandling is of tests within a service's own process, which sends requests of its own.
	MockHandling bool `json:"requireMockHandling"`
}

// Header is one that a user is known by, or that a login takes.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Login is a request whose answer has a credential.
type Login struct {
	Endpoint    string   `json:"endpoint"`
	External    string   `json:"externalEndpointURL"`
	Verb        string   `json:"verb"`
	ContentType string   `json:"contentType"`
	Raw         string   `json:"payloadRaw"`
	Headers     []Header `json:"headers"`
	UserPwd     *userPwd `json:"payloadUserPwd"`
	Cookies     bool     `json:"expectCookies"`
	Token       *Token   `json:"token"`
}

type userPwd struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	UsernameField string `json:"usernameField"`
	PasswordField string `json:"passwordField"`
}

// Token is where the answer to a login has a credential, and how requests have it.
type Token struct {
	From     string `json:"extractFrom"`
	Selector string `json:"extractSelector"`
	In       string `json:"sendIn"`
	Name     string `json:"sendName"`
	Template string `json:"sendTemplate"`
}

// maxFile is how many bytes of an auth file are read.
const maxFile = 1 << 20

// ParseUser reads a user of an auth file, in YAML or JSON; with an empty name, the only one. The
// user's texts are expanded, as by variables of the environment.
func ParseUser(data []byte, name string, expanded func(string) (string, error)) (*User, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%d bytes are more than the %d that are read", len(data), maxFile)
	}
	var file struct {
		Version  any              `yaml:"schemaVersion"`
		Auth     []map[string]any `yaml:"auth"`
		Template map[string]any   `yaml:"authTemplate"`
		Configs  any              `yaml:"configs"` // of other tools
		Others   map[string]any   `yaml:",inline"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, err //nolint:wrapcheck // it names the line
	}
	for _, key := range slices.Sorted(maps.Keys(file.Others)) {
		return nil, fmt.Errorf("%s: no such key%s", key, match.Nearest(key, slices.Values([]string{"schemaVersion", "auth", "authTemplate", "configs"})))
	}
	var names []string
	var found map[string]any
	for _, u := range file.Auth {
		called := fmt.Sprint(u["name"])
		names = append(names, called)
		if found == nil && (called == name || name == "" && len(file.Auth) == 1) {
			found = u
		}
	}
	switch {
	case len(names) == 0:
		return nil, errors.New("auth: want a list of users")
	case found == nil && name == "":
		return nil, fmt.Errorf("it has the users %s: name one by user", strings.Join(names, ", "))
	case found == nil:
		return nil, fmt.Errorf("it has no user %q%s", name, match.Nearest(name, slices.Values(names)))
	}
	whole, err := eachText(merged(found, file.Template), expanded)
	if err != nil {
		return nil, fmt.Errorf("user %v: %w", found["name"], err)
	}
	if err := known(whole, reflect.TypeFor[User]()); err != nil {
		return nil, fmt.Errorf("user %v: %w", found["name"], err)
	}
	text, err := json.Marshal(whole)
	if err != nil {
		return nil, fmt.Errorf("user %v: %w", found["name"], err)
	}
	var u User
	if err := json.Unmarshal(text, &u); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			err = fmt.Errorf("%s: want %s, not %s", wrong.Field, wrong.Type, wrong.Value)
		}
		return nil, fmt.Errorf("user %v: %w", found["name"], err)
	}
	if err := u.check(); err != nil {
		return nil, fmt.Errorf("user %s: %w", u.Name, err)
	}
	return &u, nil
}

// known names the first key of a value that no field takes: what is not read is not passed over.
func known(value any, into reflect.Type) error {
	switch into.Kind() {
	case reflect.Pointer:
		return known(value, into.Elem())
	case reflect.Slice:
		all, _ := value.([]any) // what else it is, is told when it is read
		for _, one := range all {
			if err := known(one, into.Elem()); err != nil {
				return err
			}
		}
	case reflect.Struct:
		object, _ := value.(map[string]any)
		fields := map[string]reflect.Type{}
		for i := range into.NumField() {
			fields[into.Field(i).Tag.Get("json")] = into.Field(i).Type
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			field, ok := fields[key]
			if !ok {
				return fmt.Errorf("%s: no such key%s", key, match.Nearest(key, maps.Keys(fields)))
			}
			if err := known(object[key], field); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return nil
}

// merged is a user with what only the template has.
func merged(user, template map[string]any) map[string]any {
	out := maps.Clone(template)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range user {
		mine, ok := value.(map[string]any)
		theirs, both := out[key].(map[string]any)
		if ok && both {
			value = merged(mine, theirs)
		}
		out[key] = value
	}
	return out
}

// eachText is a value whose texts are expanded.
func eachText(value any, expanded func(string) (string, error)) (_ any, err error) {
	switch v := value.(type) {
	case string:
		return expanded(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if out[key], err = eachText(v[key], expanded); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			if out[i], err = eachText(item, expanded); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return value, nil
}

func (u *User) check() error {
	if u.CreateUsers != nil {
		if err := u.CreateUsers.check(); err != nil {
			return fmt.Errorf("createUsers: %w", err)
		}
	}
	for _, h := range u.FixedHeaders {
		if err := h.check(); err != nil {
			return fmt.Errorf("fixedHeaders: %w", err)
		}
	}
	if u.Login == nil {
		if len(u.FixedHeaders) == 0 {
			return errors.New("want fixedHeaders or loginEndpointAuth")
		}
		return nil
	}
	if err := u.Login.check(); err != nil {
		return fmt.Errorf("loginEndpointAuth: %w", err)
	}
	for _, h := range u.FixedHeaders {
		if in, name := u.Login.gives(); in == inHeader && strings.EqualFold(h.Name, name) {
			return fmt.Errorf("fixedHeaders: %s is also set by the login: remove one of them", h.Name)
		}
	}
	return nil
}

// Where a request has a credential.
const (
	inHeader = "header"
	inQuery  = "query"
)

// gives is where requests have what a login gives.
func (l *Login) gives() (in, name string) {
	if l.Cookies {
		return inHeader, "Cookie"
	}
	return l.Token.In, l.Token.Name
}

func (h Header) check() error {
	if h.Name == "" || strings.ContainsAny(h.Name, " \t\r\n:") || strings.ContainsAny(h.Value, "\r\n\x00") {
		return fmt.Errorf("%q: want a name and a value on one line", h.Name)
	}
	return nil
}

func (l *Login) check() error {
	if err := checkEndpoint(l.Endpoint, l.External, l.Verb); err != nil {
		return err
	}
	switch {
	case l.Raw != "" && l.UserPwd != nil:
		return errors.New("want one of payloadRaw and payloadUserPwd")
	case l.ContentType == "" && (l.Raw != "" || l.UserPwd != nil), strings.ContainsAny(l.ContentType, "\r\n"):
		return errors.New("contentType: want that of the payload, as in application/json")
	case l.UserPwd != nil && (l.UserPwd.UsernameField == "" || l.UserPwd.PasswordField == ""):
		return errors.New("payloadUserPwd: want usernameField and passwordField")
	case l.UserPwd != nil && !l.isForm() && !strings.Contains(l.ContentType, "json"):
		return fmt.Errorf("contentType %q: payloadUserPwd is written as application/json or application/x-www-form-urlencoded: give others as payloadRaw", l.ContentType)
	case l.Cookies == (l.Token != nil):
		return errors.New("want one of expectCookies and token")
	}
	for _, h := range l.Headers {
		if err := h.check(); err != nil {
			return fmt.Errorf("headers: %w", err)
		}
	}
	if l.Token == nil {
		return nil
	}
	switch t := l.Token; {
	case t.From != "body" && t.From != "header":
		return fmt.Errorf("token: extractFrom %q: want body or header", t.From)
	case t.Selector == "" || t.From == "body" && !strings.HasPrefix(t.Selector, "/"):
		return fmt.Errorf("token: extractSelector %q: want a JSON pointer in a body, as in /token, or the name of a header", t.Selector)
	case t.In != inHeader && t.In != inQuery:
		return fmt.Errorf("token: sendIn %q: want header or query", t.In)
	case Header{t.Name, t.Template}.check() != nil:
		return fmt.Errorf("token: sendName %q: want the name of a header or of a query parameter", t.Name)
	case t.Template != "" && !strings.Contains(t.Template, "{token}"):
		return errors.New("token: sendTemplate: {token} is missing, in the place of which the token stands")
	}
	return nil
}

// checkEndpoint checks where a request is sent, and by which method.
func checkEndpoint(endpoint, external, verb string) error {
	switch {
	case (endpoint == "") == (external == ""):
		return errors.New("want one of endpoint and externalEndpointURL")
	case endpoint != "" && (!strings.HasPrefix(endpoint, "/") || strings.ContainsAny(endpoint, " \t\r\n#")):
		return fmt.Errorf("endpoint %q: want a path, as in /login", endpoint)
	case !slices.Contains([]string{"POST", "GET", "PATCH", "DELETE", "PUT"}, verb):
		return fmt.Errorf("verb %q: want POST, GET, PATCH, DELETE or PUT", verb)
	}
	if external != "" {
		if u, err := url.Parse(external); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return errors.New("externalEndpointURL: want http://HOST/PATH or https://…")
		}
	}
	return nil
}

func (l *Login) isForm() bool {
	return strings.HasPrefix(l.ContentType, "application/x-www-form-urlencoded")
}

// request is what a login sends, with the texts of its user.
func (l *Login) request(texts *strings.Replacer) (*wire.Request, error) {
	req := &wire.Request{Method: l.Verb, Body: []byte(texts.Replace(l.Raw))}
	if p := l.UserPwd; p != nil {
		name, password := texts.Replace(p.Username), texts.Replace(p.Password)
		if l.isForm() {
			req.Body = []byte(url.Values{p.UsernameField: {name}, p.PasswordField: {password}}.Encode())
		} else {
			var b bytes.Buffer
			if err := json.NewEncoder(&b).Encode(map[string]string{p.UsernameField: name, p.PasswordField: password}); err != nil {
				return nil, fmt.Errorf("payloadUserPwd: %w", err)
			}
			req.Body = b.Bytes()
		}
	}
	if l.ContentType != "" {
		req.Add("Content-Type", l.ContentType)
	}
	for _, h := range l.Headers {
		req.Add(h.Name, texts.Replace(h.Value))
	}
	return req, nil
}
