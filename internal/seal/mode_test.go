package seal

import (
	"fmt"
	"io/fs"
	"testing"
)

func TestModesOfKeyFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode                fs.FileMode
		ownedByRoot, asRoot bool
		want                bool
	}{
		{0o600, false, false, true},
		{0o400, false, false, true},
		{0o600, true, true, true},
		{0o640, false, false, false},
		{0o440, false, false, false},
		{0o444, false, false, false},
		{0o440, true, false, true},
		{0o640, true, false, true},
		{0o444, true, false, true},
		{0o644, true, false, false}, // its owner may write it: this is no mount of secrets
		{0o660, true, false, false},
		{0o460, true, false, false},
		{0o446, true, false, false},
		{0o555, true, false, false},
		{0o440, true, true, false},
		{0o444, true, true, false},
		{0o640, true, true, false},
	} {
		t.Run(fmt.Sprint(c.mode, c.ownedByRoot, c.asRoot), func(t *testing.T) {
			if got := tolerable(c.mode, c.ownedByRoot, c.asRoot); got != c.want {
				t.Errorf("%04o, root's %t, as root %t: %t", c.mode, c.ownedByRoot, c.asRoot, got)
			}
		})
	}
}
