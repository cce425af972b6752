package main

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// variable is the variable of the environment that stands for a flag.
func variable(flag string) string {
	return "FACTORY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that were not given to what the environment
// says. An empty variable says nothing.
func fromEnvironment(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		if err == nil {
			err = flagFromEnvironment(flags, f.Name)
		}
	})
	return err
}

// flagFromEnvironment does so for the one flag of this name.
func flagFromEnvironment(flags *pflag.FlagSet, name string) error {
	value := os.Getenv(variable(name))
	if flags.Changed(name) || value == "" {
		return nil
	}
	if flags.Set(name, value) != nil {
		// Not quoted: it may be a secret that went astray.
		return fmt.Errorf("%s: not a value of --%s", variable(name), name)
	}
	return nil
}

// settings are the flags as they may be logged.
func settings(flags *pflag.FlagSet) []slog.Attr {
	var attrs []slog.Attr
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		value := f.Value.String()
		if f.Name == "db" {
			value = withoutPassword(value)
		}
		attrs = append(attrs, slog.String(strings.ReplaceAll(f.Name, "-", "_"), value))
	})
	return attrs
}

// withoutPassword returns a name of a database without what is secret in it.
func withoutPassword(dsn string) string {
	if strings.HasPrefix(dsn, "sqlite:") {
		return dsn
	}
	u, err := url.Parse(dsn)
	if err != nil {
		scheme, _, _ := strings.Cut(dsn, ":")
		return scheme + ":…"
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "xxxxx")
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}
