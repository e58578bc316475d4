package declared

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/verify"
	"github.com/bellwire/bellwire/receive"
)

// ReceivedAt returns the dialect for a receiver at a URL, which some dialects sign with each request.
func (d *Dialect) ReceivedAt(url string) *Dialect {
	at := *d
	at.receiverURL = url
	return &at
}

// SignsURL reports whether the endpoint's URL is signed, so that a receiver must say what it is.
func (d *Dialect) SignsURL() bool {
	return slices.ContainsFunc(d.signatures, func(s scheme) bool {
		return slices.ContainsFunc(s.content, func(part segment) bool { return part.value == valueEndpointURL })
	})
}

// fields returns the values of a form by the names of its fields, nil if the body is none, or has other text in a field.
func (d *Dialect) fields() map[string]segment {
	if d.contentType[0] != formType {
		return nil
	}
	fields, before := make(map[string]segment), ""
	for i, s := range d.body {
		if s.value == valueNone {
			before = s.literal
			continue
		}
		name, separated := strings.CutPrefix(before, "&")
		name, ends := strings.CutSuffix(name, "=")
		decoded, err := url.QueryUnescape(name)
		if separated != (i > 1) || !ends || err != nil || strings.ContainsAny(name, "&=") {
			return nil
		}
		if s.encoding == encodeForm {
			s.encoding = encodeDefault
		}
		fields[decoded], before = s, ""
	}
	if before != "" {
		return nil
	}
	return fields
}

// readForm adds the values of a form to those that were found. A form with other fields was not made by the file.
func readForm(body []byte, fields map[string]segment, found map[segment]string) error {
	given, err := url.ParseQuery(string(body))
	if err != nil || !slices.Equal(slices.Sorted(maps.Keys(given)), slices.Sorted(maps.Keys(fields))) {
		return fmt.Errorf("%w: it is not a form with the fields %s", receive.ErrBody, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
	}
	for name, values := range given {
		s := fields[name]
		if before, has := found[s]; len(values) > 1 || has && before != values[0] {
			return fmt.Errorf("%w: the field %s has several values", receive.ErrBody, name)
		}
		found[s] = values[0]
	}
	return nil
}

// withURL adds the URL of the receiver in the forms in which it is signed.
func (d *Dialect) withURL(found map[segment]string) {
	for i := range d.signatures {
		for _, s := range d.signatures[i].content {
			if s.value == valueEndpointURL {
				found[s] = d.writeURL(d.receiverURL, s.encoding)
			}
		}
	}
}

func (d *Dialect) writeURL(text string, e encoding) string {
	written, err := (&renderer{Dialect: d}).appendEncoded(nil, text, e)
	if err != nil {
		return "" // it is not UTF-8
	}
	return string(written)
}

// otherURLs returns the URLs that are taken for that of the receiver.
func (d *Dialect) otherURLs(e encoding) []verify.Other {
	u, err := url.Parse(d.receiverURL)
	if err != nil {
		return nil
	}
	var others []verify.Other
	add := func(change func(*url.URL), format string, args ...any) {
		changed := *u
		if change(&changed); changed != *u {
			others = append(others, verify.Other{Text: d.writeURL(changed.String(), e), Is: fmt.Sprintf(format, args...)})
		}
	}
	other := map[string]string{"http": "https", "https": "http"}[u.Scheme]
	add(func(u *url.URL) { u.Scheme = other }, "the URL with %s", other)
	add(func(u *url.URL) { u.RawQuery, u.ForceQuery = "", false }, "the URL without its query")
	add(func(u *url.URL) { u.Host = u.Hostname() }, "the URL without its port")
	add(func(u *url.URL) { u.Path = strings.TrimSuffix(u.Path, "/") }, "the URL without the slash at its end")
	add(func(u *url.URL) { u.Path = strings.TrimSuffix(u.Path, "/") + "/" }, "the URL with a slash at its end")
	return others
}
