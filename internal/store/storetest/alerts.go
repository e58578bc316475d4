package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var alertTests = []test{
	{name: "Alerts/AreKeptForEachAddress", run: alertsKept},
	{name: "Alerts/AreKeptOnlyWhileAddressesAreSet", run: alertsForgotten},
	{name: "Alerts/AreBounded", run: alertsBounded},
	{name: "Alerts/TellOfFailedJobs", run: func(w *world) {
		w.setAddresses("a@example.com")
		t := w.tenant()
		for _, problem := range []string{"", "the filter is wrong"} {
			j := w.job(t.ID, bellwire.JobCancel, bellwire.JobParams{Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryPending}})
			_, err := w.store.AdvanceJob(w.ctx, &bellwire.JobStep{Job: j, Ended: problem == "", Error: problem, Now: w.tick(time.Second)})
			w.check(err)
		}
		w.alerted("a@example.com", bellwire.OperationalFinished)
	}},
	{name: "Alerts/AreNeverAboutTheTenantOfOperators", run: func(w *world) {
		w.setAddresses("a@example.com")
		w.failOnce(w.operators("ping"))
		w.alerted("a@example.com")
	}},
	{name: "Alerts/SurviveARestart", need: reopens, run: func(w *world) {
		w.setAddresses("a@example.com")
		w.failOnce(w.endpoint(w.tenant()))
		w.reopen()
		w.alerted("a@example.com", bellwire.OperationalFailing)
	}},
}

func (w *world) setAddresses(addresses ...string) {
	w.Helper()
	w.check(w.store.SetAlertAddresses(w.ctx, addresses))
}

// failOnce lets an endpoint begin to fail.
func (w *world) failOnce(ep *bellwire.Endpoint) {
	w.Helper()
	w.publish(ep)
	w.record(counts(w.result(w.take(ep), spent)))
}

// alerted expects the types of the alerts that wait for an address.
func (w *world) alerted(address string, want ...string) []*bellwire.Alert {
	w.Helper()
	alerts, err := w.store.Alerts(w.ctx, address)
	w.check(err)
	var got []string
	for i, a := range alerts {
		got = append(got, a.Type)
		if i > 0 && a.Number <= alerts[i-1].Number {
			w.Errorf("alert %d follows alert %d", a.Number, alerts[i-1].Number)
		}
	}
	w.equal("the alerts for "+address, got, want)
	return alerts
}

func alertsKept(w *world) {
	w.setAddresses("a@example.com", "b@example.com")
	waiting := func(want ...bellwire.AlertAddress) {
		w.Helper()
		got, err := w.store.AlertAddresses(w.ctx)
		w.check(err)
		w.equal("the addresses", got, want)
	}
	waiting()
	t := w.tenant()
	ep := w.endpoint(t, func(ep *bellwire.Endpoint) { ep.URL = "https://example.com/hook?token=abcdefgh12345678" })
	w.failOnce(ep)
	began := w.now
	waiting(bellwire.AlertAddress{Address: "a@example.com", Since: began}, bellwire.AlertAddress{Address: "b@example.com", Since: began})
	alerts := w.alerted("a@example.com", bellwire.OperationalFailing)
	var d bellwire.OperationalData
	w.check(json.Unmarshal(alerts[0].Data, &d))
	w.equal("what the alert is about", fmt.Sprint(d.Tenant, " ", d.Endpoint.ID, " ", d.Endpoint.URL, " ", d.Health.State),
		fmt.Sprint(t.ID, " ", ep.ID, " https://example.com/hook?token=[redacted] ", bellwire.HealthFailing))
	w.told(w.takeOperational()) // nobody listens

	w.tick(time.Minute)
	ep.Status, ep.UpdatedAt = bellwire.EndpointDisabled, w.now
	w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{Before: json.RawMessage(`{"status":"enabled"}`), After: json.RawMessage(`{"status":"disabled"}`)}))
	w.alerted("a@example.com", bellwire.OperationalFailing, bellwire.OperationalDisabled)
	w.check(w.store.EndAlerts(w.ctx, "a@example.com", []int64{alerts[0].Number}, w.now))
	w.alerted("a@example.com", bellwire.OperationalDisabled)
	w.alerted("b@example.com", bellwire.OperationalFailing, bellwire.OperationalDisabled)
	waiting(bellwire.AlertAddress{Address: "a@example.com", Since: w.now, SentAt: w.now}, bellwire.AlertAddress{Address: "b@example.com", Since: began})
	alerts = w.alerted("b@example.com", bellwire.OperationalFailing, bellwire.OperationalDisabled)
	w.check(json.Unmarshal(alerts[1].Data, &d))
	w.equal("the fields that changed", len(d.Before)+len(d.After), 0)
}

// alertsBounded expects that no more alerts are kept for an address than there may be, and further ones after a digest.
func alertsBounded(w *world) {
	w.setAddresses("a@example.com")
	t := w.tenant()
	ep := w.endpoint(t)
	var events []*bellwire.NewEvent
	for range 4 * (bellwire.MaxAlerts/2 - 1) {
		events = append(events, w.event(t.ID, ep))
	}
	w.append(together(events...))
	var results []*bellwire.Result
	for i, due := range w.claim(ep, len(events)).Due {
		end := success // thrice: it recovers
		if i%4 == 0 {
			end = spent
		}
		results = append(results, counts(w.result(due.Delivery, end)))
	}
	w.record(results...)
	count := func() int {
		w.Helper()
		alerts, err := w.store.Alerts(w.ctx, "a@example.com")
		w.check(err)
		return len(alerts)
	}
	w.equal("the alerts at first", count(), bellwire.MaxAlerts-2)
	for i := range 4 {
		w.failOnce(w.endpoint(t))
		w.equal("the alerts", count(), min(bellwire.MaxAlerts-1+i, bellwire.MaxAlerts))
	}
	alerts, err := w.store.Alerts(w.ctx, "a@example.com")
	w.check(err)
	w.setAddresses("a@example.com", "b@example.com")
	w.failOnce(w.endpoint(t))
	w.equal("the alerts for the other address", len(w.alerted("b@example.com", bellwire.OperationalFailing)), 1)
	w.check(w.store.EndAlerts(w.ctx, "a@example.com", []int64{alerts[0].Number, alerts[1].Number}, w.now))
	w.failOnce(w.endpoint(t))
	w.equal("the alerts after a digest", count(), bellwire.MaxAlerts-1)
}

func alertsForgotten(w *world) {
	t := w.tenant()
	w.failOnce(w.endpoint(t))
	w.setAddresses("a@example.com", "b@example.com")
	w.alerted("a@example.com")
	w.failOnce(w.endpoint(t))
	w.setAddresses("b@example.com", "c@example.com")
	w.setAddresses("b@example.com", "c@example.com", "a@example.com")
	w.alerted("a@example.com")
	w.alerted("b@example.com", bellwire.OperationalFailing)
	w.alerted("c@example.com")
	w.setAddresses()
	w.failOnce(w.endpoint(t))
	w.setAddresses("b@example.com")
	w.alerted("b@example.com")
}

// useAlerts calls each verb.
func useAlerts(w *world) {
	w.setAddresses("old@example.com")
	w.setAddresses("a@example.com")
	w.failOnce(w.endpoint(w.tenant()))
	_, err := w.store.AlertAddresses(w.ctx)
	w.check(err)
	alerts := w.alerted("a@example.com", bellwire.OperationalFailing)
	w.check(w.store.EndAlerts(w.ctx, "a@example.com", []int64{alerts[0].Number}, w.now.Add(time.Second)))
}
