package deploy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// A release is described in .goreleaser.yaml. Members that do not exist there are refused, which "goreleaser check" does as well.
func release(t *testing.T) config.Project {
	t.Helper()
	project, err := config.Load(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestReleaseHasAllPlatforms(t *testing.T) {
	t.Parallel()
	project := release(t)
	if len(project.Builds) != 1 {
		t.Fatalf("%d builds, want 1", len(project.Builds))
	}
	b := project.Builds[0]
	if got := strings.Join(b.Goos, " ") + " on " + strings.Join(b.Goarch, " "); got != "linux darwin windows on amd64 arm64" {
		t.Errorf("builds for %s", got)
	}
	if project.Release.GitHub.Owner == "" || project.Release.GitHub.Name == "" {
		t.Error("goreleaser would refuse its configuration in a repository without a remote that it knows")
	}
	if !project.Source.Enabled || len(project.SBOMs) == 0 || project.Checksum.NameTemplate == "" {
		t.Error("a release must have its source, SBOMs and checksums")
	}
}

// build/ is made once, because the packages contain it.
func prepared(t *testing.T) {
	t.Helper()
	output(t, []string{"GOWORK="}, "deploy/prepare")
}

// pack builds a package of a format as goreleaser does, from the same section of .goreleaser.yaml.
func pack(t *testing.T, format string) string {
	t.Helper()
	section := release(t).NFPMs[0]
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: section.PackageName, Arch: "amd64", Platform: "linux", Version: version,
		Section: section.Section, Maintainer: section.Maintainer, Description: section.Description,
		Vendor: section.Vendor, Homepage: section.Homepage, License: section.License,
	})
	info.Scripts = nfpm.Scripts{
		PostInstall: filepath.Join(root, section.Scripts.PostInstall),
		PreRemove:   filepath.Join(root, section.Scripts.PreRemove),
		PostRemove:  filepath.Join(root, section.Scripts.PostRemove),
	}
	for _, content := range section.Contents {
		source := content.Source
		if source != "" {
			source = filepath.Join(root, source)
		}
		info.Contents = append(info.Contents, &files.Content{
			Source: source, Destination: content.Destination, Type: content.Type,
			FileInfo: &files.ContentFileInfo{Mode: content.FileInfo.Mode},
		})
	}
	info.Contents = append(info.Contents, &files.Content{Source: binary, Destination: filepath.Join(section.Bindir, "bellwire"), FileInfo: &files.ContentFileInfo{Mode: 0o755}})

	packager, err := nfpm.Get(format)
	if err != nil {
		t.Fatal(err)
	}
	var built bytes.Buffer
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		t.Fatal(err)
	}
	if err := packager.Package(info, &built); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bellwire."+format)
	if err := os.WriteFile(file, built.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// installed is what a package must contain, with its mode.
var installed = map[string]os.FileMode{
	"usr/bin/bellwire":                               0o755,
	"usr/lib/systemd/system/bellwire.service":        0o644,
	"usr/lib/sysusers.d/bellwire.conf":               0o644,
	"etc/bellwire/bellwire.yaml":                     0o644,
	"usr/share/man/man1/bellwire-serve.1":            0o644,
	"usr/share/bash-completion/completions/bellwire": 0o644,
	"usr/share/doc/bellwire/LICENSES.txt":            0o644,
}

// The tests share build/, so they are one.
func TestPackages(t *testing.T) {
	t.Parallel()
	prepared(t)

	t.Run("deb", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		output(t, nil, "dpkg-deb", "--extract", pack(t, "deb"), dir)
		for name, mode := range installed {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Error(err)
			} else if info.Mode().Perm() != mode {
				t.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), mode)
			}
		}
		runServer(t, filepath.Join(dir, "usr/bin/bellwire"), filepath.Join(dir, "etc/bellwire/bellwire.yaml"), func(database, keyset string) {
			unit, err := os.ReadFile(filepath.Join(dir, "usr/lib/systemd/system/bellwire.service"))
			if err != nil {
				t.Fatal(err)
			}
			// The unit creates the directories below /var/lib.
			for _, file := range []string{database, keyset} {
				if name := filepath.Base(filepath.Dir(file)); !strings.Contains(string(unit), name) || filepath.Dir(file) != "/var/lib/"+name {
					t.Errorf("the unit does not create the directory of %s", file)
				}
			}
		})
	})

	t.Run("deb control", func(t *testing.T) {
		t.Parallel()
		file := pack(t, "deb")
		if got := output(t, nil, "dpkg-deb", "--field", file, "Package", "Architecture", "Version"); !strings.Contains(got, "Package: bellwire\n") {
			t.Errorf("fields: %s", got)
		}
		dir := t.TempDir()
		output(t, nil, "dpkg-deb", "--control", file, dir)
		conffiles, err := os.ReadFile(filepath.Join(dir, "conffiles"))
		if err != nil || !strings.Contains(string(conffiles), "/etc/bellwire/bellwire.yaml") {
			t.Errorf("the configuration must be kept over upgrades; conffiles: %q, %v", conffiles, err)
		}
		for _, script := range []string{"postinst", "prerm", "postrm"} {
			output(t, nil, "sh", "-n", filepath.Join(dir, script))
		}
	})

	t.Run("rpm", func(t *testing.T) {
		t.Parallel()
		listed := output(t, nil, "rpm", "--query", "--list", "--package", pack(t, "rpm"))
		for name := range installed {
			if !strings.Contains(listed, "/"+name+"\n") {
				t.Errorf("the package lacks %s", name)
			}
		}
	})
}

// A package never proposes to write the file of secrets where there may be one.
func TestPostInstallKeepsSecrets(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "linux", "postinstall.sh"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, command := range []string{"systemd-sysusers", "systemctl"} { // no service runs
		if err := os.WriteFile(filepath.Join(dir, command), []byte("#!/bin/sh\n[ \"$1\" != --quiet ]\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	secrets := filepath.Join(dir, "bellwire.env")
	script := strings.NewReplacer("/etc/bellwire/bellwire.env", secrets, "/run/systemd/system", dir).Replace(string(text))
	said := func(args ...string) string {
		t.Helper()
		return output(t, []string{"PATH=" + dir + ":" + os.Getenv("PATH")}, "sh", append([]string{"-c", script, "postinstall"}, args...)...)
	}
	check := func(args []string, first bool) {
		t.Helper()
		if got := said(args...); strings.Contains(got, "> "+secrets) != first || !strings.Contains(got, "systemctl") {
			t.Errorf("after %q, a package says %s", args, got)
		}
	}
	check([]string{"configure", ""}, true)
	check([]string{"configure"}, true)
	check([]string{"1"}, true)
	check([]string{"configure", "0.1.0"}, false)
	check([]string{"2"}, false)
	if err := os.WriteFile(secrets, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check([]string{"configure"}, false)
	check([]string{"1"}, false)
}

func TestUnit(t *testing.T) {
	t.Parallel()
	unit := filepath.Join(root, "deploy", "systemd", "bellwire.service")
	text, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	// The program is not installed here.
	local := filepath.Join(t.TempDir(), "bellwire.service")
	if err := os.WriteFile(local, bytes.ReplaceAll(text, []byte("/usr/bin/bellwire"), []byte(binary)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", local).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v: %s", err, out)
	}
	// The threshold is in tenths.
	output(t, nil, "systemd-analyze", "security", "--offline=true", "--threshold=20", local)
}
