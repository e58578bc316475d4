package receive_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/bellwire/bellwire/receive"
)

func ExampleAzakawAPIKey() {
	verifier, err := receive.AzakawAPIKey("", "your-api-key")
	if err != nil {
		panic(err)
	}
	header := http.Header{"X-Api-Key": {"your-api-key"}}
	body := []byte(`{"Type":"RiskAssessmentCalculated","RiskAssessmentId":"12345","SubmissionId":"67890","Risk":"Low","ClientRating":"Retail"}`)

	d, err := verifier.Verify(header, body)
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Type, string(d.Data))
	// Output:
	// RiskAssessmentCalculated {"RiskAssessmentId":"12345","SubmissionId":"67890","Risk":"Low","ClientRating":"Retail"}
}

func ExampleAzakawBasic() {
	verifier, err := receive.AzakawBasic("your-username", "your-password")
	if err != nil {
		panic(err)
	}
	request, err := http.NewRequest(http.MethodPost, "/webhooks", nil)
	if err != nil {
		panic(err)
	}
	request.SetBasicAuth("your-username", "your-password")

	d, err := verifier.Verify(request.Header, []byte(`{"Type":"ProfileStatusUpdated","Status":"Approved"}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Type, string(d.Data))
	// Output:
	// ProfileStatusUpdated {"Status":"Approved"}
}

func TestAzakawRefuses(t *testing.T) {
	t.Parallel()
	verifier, err := receive.AzakawAPIKey("X-Own", "old", "new")
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"Type":"T","a":1}`
	for _, c := range []struct {
		name, header, value, body string
		want                      error
	}{
		{"old key", "X-Own", "old", body, nil},
		{"new key", "X-Own", "new", body, nil},
		{"other key", "X-Own", "other", body, receive.ErrSignature},
		{"other header", "X-Api-Key", "new", body, receive.ErrHeader},
		{"type second", "X-Own", "new", `{"a":1,"Type":"T"}`, receive.ErrBody},
		{"type is a number", "X-Own", "new", `{"Type":1}`, receive.ErrBody},
		{"type is empty", "X-Own", "new", `{"Type":""}`, receive.ErrBody},
		{"cut off", "X-Own", "new", `{"Type":"T",`, receive.ErrBody},
		{"array", "X-Own", "new", `[]`, receive.ErrBody},
		{"empty body", "X-Own", "new", ``, receive.ErrBody},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := verifier.Verify(http.Header{c.header: {c.value}}, []byte(c.body)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	for _, make := range []func() (*receive.AzakawVerifier, error){
		func() (*receive.AzakawVerifier, error) { return receive.AzakawAPIKey("") },
		func() (*receive.AzakawVerifier, error) { return receive.AzakawAPIKey("", "") },
		func() (*receive.AzakawVerifier, error) { return receive.AzakawBasic("", "p") },
	} {
		if _, err := make(); err == nil {
			t.Error("a verifier of nothing was made")
		}
	}
}

func TestAzakawData(t *testing.T) {
	t.Parallel()
	verifier, err := receive.AzakawBasic("u", "p")
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Authorization": {"Basic dTpw"}}
	for body, want := range map[string]string{
		`{"Type":"T"}`:                        `{}`,
		`{"Type":"T",` + "\n" + `"a": 1E400}`: "{\n\"a\": 1E400}",
		// As azakaw's page prints it, spaces and all.
		"{\n\"Type\": \"RiskAssessmentCalculated\",\n\"RiskAssessmentId\": \"12345\",\n\"Risk\": \"Low\"\n}": "{\n\"RiskAssessmentId\": \"12345\",\n\"Risk\": \"Low\"\n}",
		`{"Type":"T","a":{"Type":"x"}}`: `{"a":{"Type":"x"}}`,
	} {
		t.Run(body, func(t *testing.T) {
			d, err := verifier.Verify(header, []byte(body))
			if err != nil || string(d.Data) != want {
				t.Errorf("%s: %+v, %v", body, d, err)
			}
		})
	}
}

func FuzzAzakaw(f *testing.F) {
	for _, body := range []string{`{"Type":"T","a":1}`, `{"Type":"T"}`, ` { "Type" : "T" , "a":[] } `, `{"Type":"T"}}`, `{`} {
		f.Add([]byte(body))
	}
	verifier, err := receive.AzakawAPIKey("", "k")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := verifier.Verify(http.Header{"X-Api-Key": {"k"}}, body)
		if err != nil {
			if !errors.Is(err, receive.ErrBody) {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		if _, err := d.Data.MarshalJSON(); err != nil || d.Type == "" || d.Data[0] != '{' {
			t.Errorf("%q is read as %+v", body, d)
		}
	})
}
