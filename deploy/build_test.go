package deploy

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// imageContext copies what "docker build" is given: the repository without what .dockerignore leaves out.
func imageContext(t *testing.T) string {
	t.Helper()
	dir, ignored := t.TempDir(), ignoredByDocker(t)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || name == "." {
			return err
		}
		if entry.IsDir() {
			if name == ".git" || entry.Name() == "node_modules" {
				return fs.SkipDir
			}
			return nil
		}
		if out, err := ignored.MatchesOrParentMatches(name); err != nil || out {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The image is built from a part of the repository, in another folder; the program must be the same.
func TestBuildIsReproducible(t *testing.T) {
	t.Parallel()
	other := filepath.Join(t.TempDir(), "bellwire")
	if err := build(imageContext(t), other); err != nil {
		t.Fatal(err)
	}
	one, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Error("the same source gave different programs in two folders")
	}
	if got := output(t, nil, other, "version"); !strings.HasPrefix(got, "bellwire "+version+" (commit abc,") {
		t.Errorf("the program says that it is %s", got)
	}
}

// The three modules are published under one version, and "go install" builds the program from them.
func TestGoInstall(t *testing.T) {
	t.Parallel()
	const tag = "v0.1.0"
	proxy, source := t.TempDir(), imageContext(t)
	for path, folder := range map[string]string{"": "", "/client": "client", "/receive": "receive"} {
		publish(t, proxy, module.Version{Path: "github.com/bellwire/bellwire" + path, Version: tag}, filepath.Join(source, folder))
	}
	cache, target := t.TempDir(), t.TempDir()
	upstream := strings.TrimSpace(output(t, nil, "go", "env", "GOMODCACHE"))
	command := exec.CommandContext(t.Context(), "go", "install", "github.com/bellwire/bellwire/cmd/bellwire@latest")
	command.Dir = t.TempDir()
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS="+os.Getenv("GOFLAGS")+" -modcacherw -trimpath", "CGO_ENABLED=0", "GOBIN="+target, "GOMODCACHE="+cache,
		"GOPROXY=file://"+proxy+",file://"+filepath.Join(upstream, "cache", "download"), "GONOSUMDB=*", "GOSUMDB=off")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := output(t, nil, filepath.Join(target, "bellwire"), "version"); !strings.HasPrefix(got, "bellwire 0.1.0 ") {
		t.Errorf("the program says that it is %s", got)
	}
}

// publish adds a module to a proxy of files.
func publish(t *testing.T, proxy string, m module.Version, source string) {
	t.Helper()
	dir := filepath.Join(proxy, m.Path, "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := zip.CreateFromDir(&packed, m, source); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"list": []byte(m.Version + "\n"), m.Version + ".info": []byte(`{"Version":"` + m.Version + `"}`), m.Version + ".mod": mod, m.Version + ".zip": packed.Bytes()}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
