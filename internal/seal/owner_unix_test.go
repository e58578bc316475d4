//go:build unix

package seal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Whoever cannot give the new file to the owner of the old one is told who can.
func TestGiveToNamesTheOwner(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root can give files to anybody")
	}
	of, err := os.Stat("/")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err = giveTo("/etc/keyset", of, file)
	if known, ok := errors.AsType[*bellwire.Error](err); !ok || known.Code != bellwire.CodeInvalid || !strings.Contains(known.Hint, "as the user root") {
		t.Errorf("the error is %v", err)
	}
}
