package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace writes a file beside the one that is there, and puts it in its place. A pipe, or
// /dev/stdout, is written to. Others may read the file.
func Replace(file string, data []byte) error {
	const mode = 0o644
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(file, data, mode)
	}
	out, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	err = errors.Join(err, out.Chmod(mode), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return nil
}
