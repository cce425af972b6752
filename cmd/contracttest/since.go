package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
)

// openSince loads the version of the document that the one which is tested is held against.
func openSince(cmd *cobra.Command, s *settings) (*contracttest.Contract, error) {
	if info, err := os.Stat(s.Since); err == nil && !info.IsDir() || isURL(s.Since) {
		doc, err := open(cmd.Context(), s.Since, cmd.InOrStdin())
		if err != nil {
			return nil, err
		}
		return doc.load(contracttest.LoadWith(s.Layer))
	}
	data, err := fromGit(cmd.Context(), s.Since, s.Spec)
	if err != nil {
		return nil, err
	}
	contract, err := document{s.Since + ":" + filepath.ToSlash(s.Spec), data}.load(contracttest.LoadWith(s.Layer))
	if err != nil {
		return nil, fmt.Errorf("%w; a document of several files has to be checked out elsewhere (git worktree add), and its file named here", err)
	}
	return contract, nil
}

// fromGit reads a file as it was at a revision.
func fromGit(ctx context.Context, revision, file string) ([]byte, error) {
	switch {
	case file == "-" || isURL(file):
		return nil, errors.New("there is no such file, and only a document that is a file has revisions: name the file of its earlier version")
	case strings.HasPrefix(revision, "-"):
		return nil, errors.New("want a revision of git, a file or a URL")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	object := revision + ":./" + filepath.Base(file)
	git := exec.CommandContext(ctx, "git", "-C", filepath.Dir(file), "show", object) //nolint:gosec // it reads, and the revision is no flag
	var said bytes.Buffer
	git.Stderr = &said
	out, err := git.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := git.Start(); err != nil {
		return nil, fmt.Errorf("there is no such file, and revisions need git: %w", err)
	}
	data, err := readAtMost(out)
	if err != nil {
		cancel() // git may have more to say than is read
	}
	if ended := git.Wait(); err == nil && ended != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		err = fmt.Errorf("there is no such file, and git show %s says: %s", object, printable(first))
	}
	return data, err
}
