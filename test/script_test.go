package test

import (
	byteorder "encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bellwire/bellwire/internal/testenv"
)

// The scripts in testdata run the binary as a person at a terminal would.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			address, err := freeAddress()
			if err != nil {
				return err
			}
			receiver, err := freeAddress()
			if err != nil {
				return err
			}
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("ADDRESS", address)
			env.Setenv("RECEIVER", receiver)
			env.Setenv("URL", "http://"+address)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"api":       api,
			"exits":     exits,
			"ready":     ready,
			"until":     until,
			"listening": listening,
			"mode":      fileMode,
			"member":    memberOf,
			"marked":    markedText,
			"utf16":     utf16Text,
		},
		RequireUniqueNames: true,
	})
}

// api METHOD PATH BODY: makes a request to the server at $URL with $BELLWIRE_ADMIN_KEY.
func api(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: api METHOD PATH BODY")
	}
	req, err := http.NewRequest(args[0], ts.Getenv("URL")+"/api/v1"+args[1], strings.NewReader(args[2]))
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("BELLWIRE_ADMIN_KEY"))
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode >= 300 {
		ts.Fatalf("%s %s answered %s: %s", args[0], args[1], resp.Status, answer)
	}
	ts.Check(os.WriteFile(ts.MkAbs("answer.json"), answer, 0o600))
}

// exits CODE program args...: the program ends with that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// ready: the server at $URL can take work.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: ready")
	}
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		resp, err := http.Get(ts.Getenv("URL") + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			err = errors.New(resp.Status)
		}
		last = err
	}
	ts.Fatalf("the server is not ready: %v", last)
}

// until PATTERN program args...: runs the program again and again until its standard output matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN program [args...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	var last string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if last = ts.ReadFile("stdout"); pattern.MatchString(last) {
			return
		}
	}
	ts.Fatalf("nothing matches %s in\n%s", args[0], last)
}

// mode FILE MODE: the file has these permissions.
func fileMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode FILE MODE")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%#o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("mode %s, want %s", got, args[1])
	}
}

// listening ADDRESS: somebody accepts connections there.
func listening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listening ADDRESS")
	}
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		connection, err := net.Dial("tcp", args[0])
		if err == nil {
			connection.Close()
			return
		}
		last = err
	}
	ts.Fatalf("nobody listens: %v", last)
}

// member NAME FILE MEMBER: sets the variable to a text field of the JSON object in a file, or in stdout.
func memberOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: member NAME FILE MEMBER")
	}
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &object))
	value, ok := object[args[2]].(string)
	if !ok {
		ts.Fatalf("%s has no text member %s", args[1], args[2])
	}
	ts.Setenv(args[0], value)
}

// marked FROM TO: copies a text with the byte order mark of UTF-8 in front.
func markedText(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: marked FROM TO")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte("\ufeff"+ts.ReadFile(args[0])), 0o600))
}

// utf16 FROM TO: copies a text as UTF-16.
func utf16Text(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: utf16 FROM TO")
	}
	var text []byte
	for _, unit := range utf16.Encode([]rune(ts.ReadFile(args[0]))) {
		text = byteorder.LittleEndian.AppendUint16(text, unit)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
}

func freeAddress() (string, error) {
	port, err := testenv.FreePort()
	return fmt.Sprintf("127.0.0.1:%d", port), err
}
