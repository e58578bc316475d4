package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// Profile has what is needed to call one server.
type Profile struct {
	Server string `yaml:"server"`
	Key    string `yaml:"key,omitempty"`
	Tenant string `yaml:"tenant,omitempty"`
}

// Profiles are the servers that a person uses.
type Profiles struct {
	Current string             `yaml:"current,omitempty"`
	Known   map[string]Profile `yaml:"profiles"`
}

// Names returns the names of all profiles, sorted.
func (p *Profiles) Names() []string { return slices.Sorted(maps.Keys(p.Known)) }

// Find returns the profile with a name.
func (p *Profiles) Find(name string) (Profile, error) {
	found, ok := p.Known[name]
	switch {
	case ok:
		return found, nil
	case len(p.Known) == 0:
		return found, Option("profile", "profile %q does not exist: bellwire profiles save makes one", name)
	}
	return found, Option("profile", "profile %q does not exist; known profiles are %s", name, strings.Join(p.Names(), ", "))
}

// ProfilesFile returns the path of the file with a person's profiles.
func ProfilesFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", Usagef("profiles need a home directory: set HOME or XDG_CONFIG_HOME")
	}
	return filepath.Join(dir, "bellwire", "profiles.yaml"), nil
}

// othersRights are the rights of others than the owner of a file.
const othersRights = 0o077

// ReadProfiles reads a file of profiles, which may be absent. It refuses a file that others may read, because keys are in it.
func ReadProfiles(path string) (*Profiles, error) {
	profiles := &Profiles{Known: make(map[string]Profile)}
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return profiles, nil
	case err != nil:
		return nil, fmt.Errorf("the profiles cannot be read: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("the profiles cannot be read: %w", err)
	}
	if info.Mode().Perm()&othersRights != 0 {
		return nil, Usagef("%s has keys, and must not be accessible to others: chmod 600 %s", path, path)
	}
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(profiles); err != nil && !errors.Is(err, io.EOF) {
		// The library's text is not repeated: it can quote a key.
		return nil, Usagef("%s is not a YAML file of profiles: bellwire profiles save writes one", path)
	}
	if profiles.Known == nil {
		profiles.Known = make(map[string]Profile)
	}
	return profiles, nil
}

// Write replaces the file of profiles, so that a crash leaves the old or the new one.
func (p *Profiles) Write(path string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the profiles cannot be written: %w", err)
		}
	}()
	var text bytes.Buffer
	if err := yaml.NewEncoder(&text).Encode(p); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".profiles-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // it is gone after the rename
	if _, err := file.Write(text.Bytes()); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// ProfileOption is the option that names a profile. In commands that embed it, the profile gives the options --server, --key
// and --tenant, unless they are flags.
//
// A profile that is named goes before the environment. The current one is used only if the environment names no server and has
// no key, so that neither key is sent to the other's server.
type ProfileOption struct {
	Profile string `group:"connection" env:"BELLWIRE_PROFILE" placeholder:"NAME" complete:"profile" help:"Server, key and tenant that were saved under this name. Default: the one that is in use."`
}

// connectionVariables are the variables of the environment instead of which the current profile is not used.
var connectionVariables = []string{"BELLWIRE_SERVER", "BELLWIRE_KEY", "BELLWIRE_ADMIN_KEY"}

// BeforeResolve loads the profile. Kong calls it after reading the command line.
func (o *ProfileOption) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	flags := trace.Command.Flags
	at := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == "profile" })
	name, _ := ctx.FlagValue(flags[at]).(string)
	path, err := ProfilesFile()
	if err != nil {
		if name == "" {
			return nil
		}
		return err
	}
	named := name != ""
	if !named && slices.ContainsFunc(connectionVariables, given) {
		return nil
	}
	profiles, err := ReadProfiles(path)
	if err != nil {
		return err
	}
	if !named {
		name = profiles.Current
	}
	if name == "" {
		return nil
	}
	profile, err := profiles.Find(name)
	if err != nil {
		return err
	}
	ctx.AddResolver(&profileResolver{profile: profile, named: named, elsewhere: otherServer(ctx, profile.Server)})
	return nil
}

func given(variable string) bool { return os.Getenv(variable) != "" }

// otherServer reports whether the command line names another server.
func otherServer(ctx *kong.Context, server string) bool {
	for _, path := range ctx.Path {
		if path.Flag != nil && path.Flag.Name == "server" {
			return ctx.FlagValue(path.Flag) != server
		}
	}
	return false
}

// profileResolver resolves the options that a profile has.
type profileResolver struct {
	profile   Profile
	named     bool // it goes before the environment
	elsewhere bool // the command calls another server, which must not get the key
}

var _ kong.Resolver = (*profileResolver)(nil)

// Validate is part of kong.Resolver.
func (r *profileResolver) Validate(*kong.Application) error { return nil }

// Resolve returns the profile's value of a flag.
func (r *profileResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	switch {
	case !r.named && slices.ContainsFunc(flag.Envs, given):
		return nil, nil
	case flag.Name == "server":
		return unlessBlank(r.profile.Server), nil
	case flag.Name == "key" && !r.elsewhere:
		return unlessBlank(r.profile.Key), nil
	case flag.Name == "tenant" && flag.Tag.Has("profiled"):
		return unlessBlank(r.profile.Tenant), nil
	}
	return nil, nil
}
