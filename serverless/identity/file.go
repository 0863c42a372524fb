package identity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Write puts the identity into the file path in one step: a reader finds the old
// content or the new, never a part. The file can be read by everybody in the
// machine.
func (i Identity) Write(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("identity: %w; check serverless.identity_file", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("identity: write %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(i.document())
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
