package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// initialized returns what initdb makes. It runs once in a process, because it takes ten times as long as a copy.
var initialized = sync.OnceValues(func() (made directory, err error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parentDir(), "pgtest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	who, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--no-locale", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return readDirectory(data)
})

// directory is a directory in memory, with each directory before what it contains.
type directory []entry

type entry struct {
	path string // below the directory
	mode fs.FileMode
	data []byte
}

func readDirectory(root string) (directory, error) {
	var d directory
	err := filepath.WalkDir(root, func(path string, found fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := found.Info()
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		e := entry{path: below, mode: info.Mode()}
		if !found.IsDir() {
			if e.data, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		d = append(d, e)
		return nil
	})
	return d, err
}

// write makes a copy at root, which belongs to the user that who names, if it names one.
func (d directory) write(root string, who *syscall.SysProcAttr) error {
	for _, e := range d {
		path := filepath.Join(root, e.path)
		var err error
		if e.mode.IsDir() {
			err = os.Mkdir(path, e.mode.Perm())
		} else {
			err = os.WriteFile(path, e.data, e.mode.Perm())
		}
		if err == nil && who.Credential != nil {
			err = os.Chown(path, int(who.Credential.Uid), int(who.Credential.Gid))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
