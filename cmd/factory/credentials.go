package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

//nolint:gosec // G101: an example
const credentialsForm = `  keys:
    - {access_key: AKEXAMPLE, secret_key: SKEXAMPLE, project_id: b384b9e9ab9b4ee8994c8633aabc9505}
  tokens:
    - {token: MIIEXAMPLE, project_id: b384b9e9ab9b4ee8994c8633aabc9505}
  users: # with --iam
    - {name: deployer, password: PWEXAMPLE, domain: example, project_id: b384b9e9ab9b4ee8994c8633aabc9505}
`

// credentialsEnv is the variable that has what is in a file of --credentials.
const credentialsEnv = "FACTORY_CREDENTIALS_YAML" //nolint:gosec // G101: a name

// credentialsFile is the file of --credentials.
type credentialsFile struct {
	Keys []struct {
		AccessKey *scalar `yaml:"access_key"`
		SecretKey *scalar `yaml:"secret_key"`
		ProjectID *scalar `yaml:"project_id"`
	} `yaml:"keys"`
	Tokens []struct {
		Token     *scalar `yaml:"token"`
		ProjectID *scalar `yaml:"project_id"`
	} `yaml:"tokens"`
	Users []struct {
		Name      *scalar `yaml:"name"`
		Password  *scalar `yaml:"password"`
		Domain    *scalar `yaml:"domain"`
		ProjectID *scalar `yaml:"project_id"`
	} `yaml:"users"`
}

// readCredentials returns those of the file, or of the environment if there is
// no file. No error quotes what they hold.
func readCredentials(name string) (server.Credentials, error) {
	if name == "" {
		c, err := parseCredentials([]byte(os.Getenv(credentialsEnv)))
		if err != nil {
			err = fmt.Errorf("%s: %w", credentialsEnv, err)
		}
		return c, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return server.Credentials{}, fmt.Errorf("credentials file: %w", err)
	}
	c, err := parseCredentials(data)
	if err != nil {
		err = fmt.Errorf("credentials file %s: %w", name, err)
	}
	return c, err
}

// place is what may be told of an error of the decoder, whose text can hold a
// secret.
var place = regexp.MustCompile(`line [0-9]+`)

func parseCredentials(data []byte) (server.Credentials, error) {
	var file credentialsFile
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		if e, ok := errors.AsType[*yaml.TypeError](err); ok {
			if m := unknownField.FindStringSubmatch(e.Errors[0]); m != nil {
				known := map[string]string{}
				knownFields(reflect.TypeFor[credentialsFile](), known)
				return server.Credentials{}, fmt.Errorf("%sunknown field: want %s", m[1], known[m[3]])
			}
		}
		where := place.FindString(err.Error())
		if where == "" {
			where = "the text"
		}
		return server.Credentials{}, fmt.Errorf("%s is not of the form that factory serve --help shows", where)
	}
	var c server.Credentials
	for i, k := range file.Keys {
		if k.AccessKey == nil || k.SecretKey == nil || k.ProjectID == nil {
			return server.Credentials{}, fmt.Errorf("key %d: want access_key, secret_key and project_id", i+1)
		}
		if store.CheckName(k.ProjectID.value) != nil {
			return server.Credentials{}, fmt.Errorf("key %d: no project can have this project_id", i+1)
		}
		c.Keys = append(c.Keys, server.Key{AccessKey: k.AccessKey.value, SecretKey: k.SecretKey.value, ProjectID: k.ProjectID.value})
	}
	for i, t := range file.Tokens {
		if t.Token == nil || t.ProjectID == nil {
			return server.Credentials{}, fmt.Errorf("token %d: want token and project_id", i+1)
		}
		if store.CheckName(t.ProjectID.value) != nil {
			return server.Credentials{}, fmt.Errorf("token %d: no project can have this project_id", i+1)
		}
		c.Tokens = append(c.Tokens, server.Token{Token: t.Token.value, ProjectID: t.ProjectID.value})
	}
	for i, u := range file.Users {
		if u.Name == nil || u.Password == nil || u.Domain == nil || u.ProjectID == nil {
			return server.Credentials{}, fmt.Errorf("user %d: want name, password, domain and project_id", i+1)
		}
		if store.CheckName(u.ProjectID.value) != nil {
			return server.Credentials{}, fmt.Errorf("user %d: no project can have this project_id", i+1)
		}
		c.Users = append(c.Users, server.User{
			Name: u.Name.value, Password: u.Password.value, Domain: u.Domain.value, ProjectID: u.ProjectID.value,
		})
	}
	return c, nil
}
