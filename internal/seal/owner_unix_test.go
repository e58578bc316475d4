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

// Whoever cannot give the new file to the owner of the old one is told who can. Root can.
func TestGiveToNamesTheOwner(t *testing.T) {
	t.Parallel()
	of, err := os.Stat("/")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = giveTo("/etc/keyset", of, file)
	if os.Getuid() == 0 {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if known, ok := errors.AsType[*bellwire.Error](err); !ok || known.Code != bellwire.CodeInvalid || !strings.Contains(known.Hint, "as the user root") {
		t.Errorf("the error is %v", err)
	}
}
