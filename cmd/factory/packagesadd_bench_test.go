package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/pgtest"
)

// BenchmarkPackagesAdd adds packages of standard input to a new database: in the order of
// their IDs, and scattered, which has a database go to another of its pages for each.
func BenchmarkPackagesAdd(b *testing.B) {
	for _, size := range []int{100_000, 1_000_000} {
		for name, dsn := range map[string]func(b *testing.B) string{
			"sqlite":   func(b *testing.B) string { b.Helper(); return "sqlite:" + filepath.Join(b.TempDir(), "f.db") },
			"postgres": func(b *testing.B) string { b.Helper(); return pgtest.Start(b).NewDatabase(b) },
		} {
			for order, step := range map[string]int{"ordered": 1, "scattered": 617_921} { // a prime number, so that each ID comes once
				b.Run(fmt.Sprintf("%s/%d/%s", name, size, order), func(b *testing.B) {
					for b.Loop() {
						b.StopTimer()
						in, out := io.Pipe()
						go func() {
							fmt.Fprint(out, "projects:\n- id: project\n  workspaces:\n  - id: development\n    packages:\n")
							for i := range size {
								fmt.Fprintf(out, "    - {id: \"package-%07d\", state: pending}\n", i*step%size)
							}
							_ = out.Close()
						}()
						var stdout, stderr bytes.Buffer
						args := []string{"packages", "add", "--db", dsn(b), "--file", "-"}
						b.StartTimer()
						require.Equal(b, exitOK, Do(b.Context(), args, in, &stdout, &stderr), &stderr)
						require.Equal(b, fmt.Sprintf("added %d, already there 0\n", size), stdout.String())
					}
				})
			}
		}
	}
}
