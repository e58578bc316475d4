package filter_test

import (
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
)

// invoice is data of about 500 bytes.
const invoice = `{"id":"inv_01J9ZQ4T7C8E","object":"invoice","number":"2026-000431","customer":{"id":"cus_8821","name":"Ada Lovelace","email":"ada@example.com",` +
	`"address":{"line1":"12 St James's Square","city":"London","country":"GB"}},"currency":"EUR","amount":129900,"tax":20740.34,"paid":true,` +
	`"lines":[{"sku":"A-100","quantity":3,"price":19900},{"sku":"B-200","quantity":1,"price":70200}],"tags":["priority","export"],` +
	`"note":"Delivered to the back door, as agreed by phone.","metadata":{"order":"9007199254740993"}}`

func BenchmarkMatch(b *testing.B) {
	for name, text := range map[string]string{
		"three conditions": `data.amount > 100000 && data.customer.address.country == "GB" && "export" in data.tags`,
		"one condition":    `data.currency == "EUR"`,
		"exact number":     `data.tax > 20740.33`,
		"type alone":       `type.startsWith("invoice.")`,
		"macro":            `data.lines.exists(l, l.sku == "B-200" && l.price > 70000)`,
		"regexp":           `data.customer.email.matches("@example\\.com$")`,
	} {
		b.Run(name, func(b *testing.B) {
			p, err := filter.Compile(text)
			if err != nil {
				b.Fatal(err)
			}
			e := &bellwire.Event{Type: "invoice.paid", Data: []byte(invoice)}
			b.ReportAllocs()
			for b.Loop() {
				if matched, err := p.Match(e); err != nil || !matched {
					b.Fatal(matched, err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := filter.Compile(`data.amount > 100000 && data.customer.address.country == "GB" && "export" in data.tags`); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLargeData(b *testing.B) {
	p, err := filter.Compile(`data.last == 1 && data.text != ""`)
	if err != nil {
		b.Fatal(err)
	}
	e := &bellwire.Event{Data: []byte(`{"text":"` + strings.Repeat(`x`, 1<<20) + `","last":1}`)}
	b.SetBytes(int64(len(e.Data)))
	for b.Loop() {
		if matched, err := p.Match(e); err != nil || !matched {
			b.Fatal(matched, err)
		}
	}
}

func BenchmarkLoops(b *testing.B) {
	p, err := filter.Compile(`data.exists(a, data.exists(b, a + b == 3))`)
	if err != nil {
		b.Fatal(err)
	}
	e := &bellwire.Event{Data: []byte("[" + strings.Repeat("1,", 40) + "1]")}
	steps := 0
	for b.Loop() {
		ev := filter.Begin(e)
		if matched, err := ev.Match(p); err != nil || matched {
			b.Fatal(matched, err)
		}
		steps += ev.Steps()
		ev.End()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
}
