package sign_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/receive/sign"
)

// The vectors of the reference libraries: TestSymmetricWebhookSign and TestAsymmetricWebhookSign in
// https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries/go.
const (
	vectorID     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorUnix   = 1614265330
	vectorBody   = `{"test": 2432232314}`
	vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorV1     = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	vectorSeed   = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
	vectorV1a    = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
)

func TestV1OnThePublishedVector(t *testing.T) {
	t.Parallel()
	secret, err := sign.ParseSecret(vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	got := sign.NewMAC(secret).AppendV1([]byte("x "), vectorID, vectorUnix, []byte(vectorBody))
	if string(got) != "x "+vectorV1 {
		t.Errorf("got %q", got)
	}
}

func TestV1aOnThePublishedVector(t *testing.T) {
	t.Parallel()
	key, err := sign.ParsePrivateKey(vectorSeed)
	if err != nil {
		t.Fatal(err)
	}
	got := sign.AppendV1a([]byte("x "), key, vectorID, vectorUnix, []byte(vectorBody))
	if string(got) != "x "+vectorV1a {
		t.Errorf("got %q", got)
	}
}

func TestV1EqualsPlainHMAC(t *testing.T) {
	t.Parallel()
	r := random(t)
	for range 200 {
		// Other users of HMAC-SHA256 may have keys that are longer than a block.
		key := randomBytes(r, 1+r.IntN(100))
		id := string(randomBytes(r, r.IntN(50)))
		unix := r.Int64N(1 << 40)
		body := randomBytes(r, r.IntN(200))
		plain := hmac.New(sha256.New, key)
		fmt.Fprintf(plain, "%s.%d.", id, unix)
		plain.Write(body)
		sum := plain.Sum(nil)
		mac := sign.NewMAC(key)
		if got, want := string(mac.AppendV1(nil, id, unix, body)), "v1,"+base64.StdEncoding.EncodeToString(sum); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		if !mac.VerifyV1([][]byte{{1}, sum}, id, unix, body) {
			t.Fatal("what is signed is not verified")
		}
	}
}

// random returns a source of random numbers. BELLWIRE_SEED repeats a run.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("BELLWIRE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("BELLWIRE_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func decode(t *testing.T, signature string) []byte {
	t.Helper()
	_, encoded, _ := strings.Cut(signature, ",")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestVerifyRefusesChangedDeliveries(t *testing.T) {
	t.Parallel()
	secret, _ := sign.ParseSecret(vectorSecret)
	private, _ := sign.ParsePrivateKey(vectorSeed)
	public := private.Public().(ed25519.PublicKey)
	other, _, _ := ed25519.GenerateKey(nil)
	v1, v1a := decode(t, vectorV1), decode(t, vectorV1a)
	for _, tc := range []struct {
		what       string
		mac        *sign.MAC
		public     ed25519.PublicKey
		v1, v1a    [][]byte
		id, body   string
		unix       int64
		verifiable bool
	}{
		{"nothing", sign.NewMAC(secret), public, [][]byte{v1}, [][]byte{v1a}, vectorID, vectorBody, vectorUnix, true},
		{"others before it", sign.NewMAC(secret), public, [][]byte{v1[1:], nil, v1}, [][]byte{v1a[1:], nil, v1a}, vectorID, vectorBody, vectorUnix, true},
		{"the id", sign.NewMAC(secret), public, [][]byte{v1}, [][]byte{v1a}, vectorID + "x", vectorBody, vectorUnix, false},
		{"the time", sign.NewMAC(secret), public, [][]byte{v1}, [][]byte{v1a}, vectorID, vectorBody, vectorUnix + 1, false},
		{"the body", sign.NewMAC(secret), public, [][]byte{v1}, [][]byte{v1a}, vectorID, vectorBody + " ", vectorUnix, false},
		{"the key", sign.NewMAC(secret[1:]), other, [][]byte{v1}, [][]byte{v1a}, vectorID, vectorBody, vectorUnix, false},
		{"the signature", sign.NewMAC(secret), public, [][]byte{v1[:31]}, [][]byte{v1a[:63]}, vectorID, vectorBody, vectorUnix, false},
		{"all signatures gone", sign.NewMAC(secret), public, nil, nil, vectorID, vectorBody, vectorUnix, false},
	} {
		t.Run(tc.what, func(t *testing.T) {
			if got := tc.mac.VerifyV1(tc.v1, tc.id, tc.unix, []byte(tc.body)); got != tc.verifiable {
				t.Errorf("%s changed: v1 is verified: %t", tc.what, got)
			}
			if got := sign.VerifyV1a(tc.public, tc.v1a, tc.id, tc.unix, []byte(tc.body)); got != tc.verifiable {
				t.Errorf("%s changed: v1a is verified: %t", tc.what, got)
			}
		})
	}
}

func TestMACIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	secret, _ := sign.ParseSecret(vectorSecret)
	mac, noise := sign.NewMAC(secret), sign.NewMAC([]byte("another key"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 200 {
				noise.AppendV1(nil, "a", 1, []byte("b"))
				if got := mac.AppendV1(nil, vectorID, vectorUnix, []byte(vectorBody)); string(got) != vectorV1 {
					t.Errorf("got %q", got)
				}
			}
		}()
	}
	wg.Wait()
}

func TestKeysKeepTheirText(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte{0xfb}, 24)
	text := sign.FormatSecret(secret)
	if read, err := sign.ParseSecret(text); err != nil || !bytes.Equal(read, secret) {
		t.Errorf("%q reads as %x, %v", text, read, err)
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, seed := sign.FormatPrivateKey(private), sign.PrivateKeyPrefix+base64.StdEncoding.EncodeToString(private.Seed())
	for _, text := range []string{whole, seed} {
		if read, err := sign.ParsePrivateKey(text); err != nil || !read.Equal(private) {
			t.Errorf("%q does not read back: %v", text, err)
		}
		if of, err := sign.PublicKeyOf(text); err != nil || of != sign.FormatPublicKey(public) {
			t.Errorf("the public key is %q, %v", of, err)
		}
	}
	if read, err := sign.ParsePublicKey(sign.FormatPublicKey(public)); err != nil || !read.Equal(public) {
		t.Errorf("the public key does not read back: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	_, private, _ := ed25519.GenerateKey(nil)
	_, other, _ := ed25519.GenerateKey(nil)
	mixed := append(private.Seed(), other[32:]...)
	b64 := func(n int) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, n)) }
	for _, text := range []string{
		"", "whsec_", b64(32), "WHSEC_" + b64(32), "whsec_" + b64(23), "whsec_" + b64(65), "whsec_" + b64(1<<20),
		"whsec_" + strings.TrimRight(b64(32), "="), "whsec_" + b64(32) + "\n", " whsec_" + b64(32),
		"whsec_" + b64(24)[:8] + "\n" + b64(24)[8:], "whsec_" + b64(24)[:31] + "?",
		"whsec_" + b64(31)[:43] + "d=", // bits that stand for nothing
		"whsec_" + base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 24)), "whpk_" + b64(32), "whsk_" + b64(32),
	} {
		t.Run(fmt.Sprintf("%.60s", text), func(t *testing.T) {
			if _, err := sign.ParseSecret(text); err != sign.ErrSecret {
				t.Errorf("ParseSecret(%.80q): %v", text, err)
			}
		})
	}
	for _, text := range []string{
		"", "whsk_", "whsk_" + b64(31), "whsk_" + b64(33), "whsk_" + b64(63), "whsk_" + b64(65), "whsec_" + b64(32),
		"whsk_" + b64(64), "whsk_" + base64.StdEncoding.EncodeToString(mixed), // the halves do not belong together
	} {
		t.Run(fmt.Sprintf("%.60s", text), func(t *testing.T) {
			if _, err := sign.ParsePrivateKey(text); err != sign.ErrPrivateKey {
				t.Errorf("ParsePrivateKey(%q): %v", text, err)
			}
			if _, err := sign.PublicKeyOf(text); err != sign.ErrPrivateKey {
				t.Errorf("PublicKeyOf(%q): %v", text, err)
			}
		})
	}
	for _, text := range []string{"", "whpk_", "whpk_" + b64(31), "whpk_" + b64(33), "whsec_" + b64(32)} {
		t.Run(fmt.Sprintf("%.60s", text), func(t *testing.T) {
			if _, err := sign.ParsePublicKey(text); err != sign.ErrPublicKey {
				t.Errorf("ParsePublicKey(%q): %v", text, err)
			}
		})
	}
}

func TestV1NeedsHardlyAnyMemory(t *testing.T) {
	mac, body, dst := sign.NewMAC(make([]byte, 32)), make([]byte, 500), make([]byte, 0, 64)
	// Usually none. The pool is empty after a garbage collection, and often under the race detector.
	if n := testing.AllocsPerRun(100, func() { mac.AppendV1(dst, "evt_1", vectorUnix, body) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

// A server holds the keys of all its endpoints, and few of them are in use. The test is not parallel, because it measures the heap.
func TestKeyThatIsNotInUseNeedsLittleMemory(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // frees what the first one has found to be weak
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	macs, body := make([]*sign.MAC, 10_000), make([]byte, 500)
	before := heap()
	for i := range macs {
		macs[i] = sign.NewMAC(make([]byte, 32))
		macs[i].AppendV1(nil, "evt_1", vectorUnix, body)
	}
	if each := (heap() - before) / int64(len(macs)); each > 200 {
		t.Errorf("a key needs %d bytes", each)
	}
	if want, got := sign.NewMAC(make([]byte, 32)).AppendV1(nil, "evt_1", vectorUnix, body), macs[0].AppendV1(nil, "evt_1", vectorUnix, body); string(got) != string(want) {
		t.Errorf("signed %s after a garbage collection, and %s before", got, want)
	}
	runtime.KeepAlive(macs)
}

func FuzzParseSecret(f *testing.F) {
	f.Add(vectorSecret)
	f.Add("whsec_")
	f.Add("whsec_MfKQ9r8GKYqr\nTwjUPD8ILPZIo2LaLaSw")
	f.Fuzz(func(t *testing.T, text string) {
		secret, err := sign.ParseSecret(text)
		if err != nil {
			return
		}
		if sign.FormatSecret(secret) != text || len(secret) < sign.MinSecret || len(secret) > sign.MaxSecret {
			t.Fatalf("%q was taken as %d bytes", text, len(secret))
		}
	})
}

func BenchmarkV1(b *testing.B) {
	key, body := make([]byte, 32), make([]byte, 500)
	b.Run("prepared", func(b *testing.B) {
		mac, dst := sign.NewMAC(key), make([]byte, 0, 64)
		b.ReportAllocs()
		for b.Loop() {
			dst = mac.AppendV1(dst[:0], "evt_0198c0ffee00700080000000000000001", vectorUnix, body)
		}
	})
	b.Run("crypto-hmac", func(b *testing.B) { // what preparing is measured against
		b.ReportAllocs()
		for b.Loop() {
			h := hmac.New(sha256.New, key)
			fmt.Fprintf(h, "%s.%d.", "evt_0198c0ffee00700080000000000000001", vectorUnix)
			h.Write(body)
			base64.StdEncoding.AppendEncode(nil, h.Sum(nil))
		}
	})
}

func BenchmarkV1a(b *testing.B) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	body, dst := make([]byte, 500), make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		dst = sign.AppendV1a(dst[:0], key, "evt_0198c0ffee00700080000000000000001", vectorUnix, body)
	}
}
