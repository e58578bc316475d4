package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

func (s *Subject) machineChecks() []check {
	return []check{
		{"machine.descriptors", s.descriptors},
		{"machine.proxies", s.proxies},
		{"machine.certificates", certificates},
		{"machine.file-size", s.fileSize},
		{"machine.disk", s.disk},
		{"machine.file-modes", s.fileModes},
	}
}

func (s *Subject) descriptors(context.Context) result {
	const do = "Raise the limit with ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit."
	switch {
	case s.Descriptors == math.MaxInt:
		return ok("This system does not limit open files.")
	case s.Descriptors < s.LeastDescriptors:
		return problem(fmt.Sprintf("The process may open %d files, and a server does not start with fewer than %d.", s.Descriptors, s.LeastDescriptors), do)
	case s.Descriptors < s.EnoughDescriptors:
		return warning(fmt.Sprintf("The process may open %d files, so that it serves fewer clients and receivers at the same time; %d are enough for all.",
			s.Descriptors, s.EnoughDescriptors), do)
	}
	return ok("The process may open %d files.", s.Descriptors)
}

// ProxyVariables returns the names of the proxy variables that are set.
func ProxyVariables(getenv func(string) string) []string {
	var set []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		for _, name := range []string{name, strings.ToLower(name)} {
			if strings.TrimSpace(getenv(name)) != "" {
				set = append(set, name)
			}
		}
	}
	return set
}

func (s *Subject) proxies(context.Context) result {
	if set := ProxyVariables(s.Getenv); len(set) > 0 {
		return warning("The environment names a proxy ("+list(set)+"), which deliveries ignore: they connect to receivers directly.",
			"Let this machine connect to receivers directly, and unset the variables.")
	}
	return ok("No proxy variables are set; deliveries connect to receivers directly.")
}

// NoRootCertificates reports whether the system has no certificates for verifying endpoints, as in an empty container image.
func NoRootCertificates() bool {
	pool, err := x509.SystemCertPool()
	return err != nil || pool.Equal(x509.NewCertPool())
}

func certificates(context.Context) result {
	if NoRootCertificates() {
		return problem("This machine has no root certificates, so no https endpoint can be reached.", "Install ca-certificates, or name a bundle in SSL_CERT_FILE.")
	}
	return ok("This machine has root certificates.")
}

// fileSize looks for a limit on the size of files, which would stop the database from growing.
func (s *Subject) fileSize(context.Context) result {
	limit, limited := fileSizeLimit()
	if !limited || s.Database.SQLite == "" {
		return ok("Files can grow until the disk is full.")
	}
	const do = "Remove the limit on file sizes (ulimit -f unlimited, or LimitFSIZE=infinity in the systemd unit)."
	var largest int64
	for _, file := range []string{s.Database.SQLite, s.Database.SQLite + "-wal"} {
		if info, err := os.Stat(file); err == nil {
			largest = max(largest, info.Size())
		}
	}
	found := fmt.Sprintf("The process may write files of at most %s, and the database has %s.", size(limit), size(largest))
	if uint64(largest)+s.Limits.FreeBytes > limit {
		return problem(found, do)
	}
	return warning(found, do)
}

// disk looks at the file systems of the SQLite file and of the keyset.
func (s *Subject) disk(context.Context) result {
	dir := filepath.Dir(s.Keyset.File)
	if s.Database.SQLite != "" {
		dir = filepath.Dir(s.Database.SQLite)
	}
	free, total, known := space(dir)
	switch {
	case !known:
		return note("The free space of "+dir+" cannot be determined.", "Watch it with the tools of your system.")
	case s.Database.SQLite == "":
		return ok("The folder of the keyset has %s free; the disk of PostgreSQL cannot be seen from here.", size(free))
	case networkFileSystem(dir):
		return problem("The database is on a network file system, whose locks and syncs SQLite cannot rely on.", "Move the database to a local disk, or use PostgreSQL.")
	case free < s.Limits.FreeBytes:
		return problem(fmt.Sprintf("The disk of the database has %s free of %s; when it is full, publishing is refused.", size(free), size(total)),
			"Free or add space, or shorten --retention.")
	case float64(free) < s.Limits.FreeShare*float64(total):
		return warning(fmt.Sprintf("The disk of the database has %s free of %s.", size(free), size(total)), "Free or add space soon, or shorten --retention.")
	}
	return ok("The disk of the database has %s free of %s.", size(free), size(total))
}

// fileModes looks for files and folders that other users can read or replace. The mode of the keyset is examined with it.
func (s *Subject) fileModes(context.Context) result {
	if runtime.GOOS == "windows" {
		return ok("This system has no file modes.")
	}
	folders := map[string]bool{}
	if s.Keyset.Text == "" {
		folders[filepath.Dir(s.Keyset.File)] = true
	}
	if s.Database.SQLite != "" {
		folders[filepath.Dir(s.Database.SQLite)] = true
		if mode, found := modeOf(s.Database.SQLite); found && mode&0o077 != 0 {
			return warning(fmt.Sprintf("The database %s has mode %04o, so other users of this machine can use it.", s.Database.SQLite, mode),
				"Run chmod 600 "+s.Database.SQLite+".")
		}
	}
	for folder := range folders {
		if info, err := os.Stat(folder); err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return problem("All users of this machine can replace files in "+folder+".", "Run chmod o-w "+folder+".")
		}
	}
	if file := s.Configuration.File; s.Configuration.FileHasSecrets {
		if mode, found := modeOf(file); found && mode&0o077 != 0 {
			return warning(fmt.Sprintf("The configuration file %s contains secrets and has mode %04o.", file, mode), "Run chmod 600 "+file+", or give the secrets in the environment.")
		}
	}
	return ok("Other users of this machine cannot use Bellwire's files.")
}

func modeOf(path string) (mode fs.FileMode, found bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return info.Mode().Perm(), true
}
