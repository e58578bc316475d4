package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trap is a fault that other webhook senders had, and the tests that fail if Bellwire has it.
type trap struct {
	fault string
	tests []string // a folder and a test's name; or a file and a text in it, the title of a test
}

// traps are numbered from 1. What another sender was asked to mend, Bellwire must not have.
var traps = []trap{
	{"after a queue or database restarts, the server stays up and does nothing", []string{"test TestNodesLoseTheDatabase", "test TestChaosOfDyingPostgres"}},
	{"work for what was deleted meanwhile fails for ever", []string{"internal/store/sqlite TestDeletedEndpointsWithManyDeliveriesAreSettled", "internal/engine TestJobOfWhatIsDeleted", "internal/service TestDisableAndDeleteCancel"}},
	{"a delivery under way is sent a second time because its attempt takes long", []string{"internal/engine TestAttemptUnderWayIsNotRepeated", "internal/store/storetest Concurrency/NothingIsClaimedTwice", "test TestNodeStandsStill"}},
	{"a manual retry works once only", []string{"internal/engine TestManualRetriesAgainAndAgain"}},
	{"a failed manual retry ends the schedule", []string{"internal/engine TestManualRetry", "internal/store/storetest Manual/FailureLeavesTheSchedule"}},
	{"retries of one event's endpoints overwrite each other", []string{"internal/engine TestEndpointsOfAnEventFailApart"}},
	{"one receiver's success hides another's failure", []string{"internal/engine TestReplayFailed", "internal/engine TestEndpointsOfAnEventFailApart"}},
	{"a customer's bulk retry takes other customers' events", []string{"internal/api TestPortalCapabilities", "internal/engine TestBulkRetry"}},
	{"a replay goes to all endpoints, or ends at 10,000 events", []string{"internal/engine TestReplayFailed", "internal/store/sqlite BenchmarkCountSelected", "internal/store/postgres BenchmarkCountSelected"}},
	{"events for disabled endpoints leave no trace", []string{"internal/api TestExplanations", "internal/engine TestReplayMissing"}},
	{"retries go on after the endpoint was disabled", []string{"internal/engine TestDisablingCancels", "internal/engine TestCanceledByAnotherNode"}},
	{"network errors are not retried", []string{"internal/engine/send TestOutcomesAreDistinguished", "internal/engine/send TestNameResolutionErrorsAreClassified"}},
	{"customers' broken endpoints alarm the operators", []string{"test TestBrokenEndpointsAlarmNobody"}},
	{"what cannot be rendered ends the process at every restart", []string{"internal/engine TestFailingConvertersHarmOneDelivery", "test TestDialectFromAFile"}},
	{"an answer is too large to be recorded", []string{"internal/engine/send TestResponseIsBounded", "internal/engine/send TestEndlessBodiesAreGivenUp", "internal/engine/send TestDrippingReceivers"}},
	{"an answer's headers or body are no text, and cannot be recorded", []string{"internal/engine/send TestHostileReceivers"}},
	{"a body that breaks off is overlooked; here the status decides, and the attempt says that the body broke off", []string{"internal/engine/send TestTheStatusCountsWithoutTheBody", "internal/engine/send TestResetOfTheResponse"}},
	{"numbers, and the order of fields, are changed on the way", []string{"test TestPayloadsArriveUnchangedAndVerified"}},
	{"pages round large numbers", []string{"web/src/lib/json.test.ts pretty keeps digits, escapes and order"}},
	{"signatures of small payloads are wrong", []string{"test TestPayloadsArriveUnchangedAndVerified", "internal/dialect/standard TestVerifiedByTheReferenceLibrary"}},
	{"a rotated secret is not used while events flow", []string{"internal/service TestChangesCountOnOtherNodes", "internal/dialect/standard TestWhichSecretsSign"}},
	{"a second rotation inherits the end of the first, or old secrets stay", []string{"internal/service TestRotateSecret"}},
	{"a secret is in a header of each request", []string{"internal/dialecttest TestDeliveryBodies"}},
	{"secret headers are recognized by their case", []string{"internal/engine/send TestCredentialsAreSentAndRedacted"}},
	{"an error at the start prints credentials", []string{"internal/store/postgres TestStartErrors", "internal/doctor TestSecretsAreNotFound"}},
	{"a test reaches networks that deliveries may not", []string{"test TestPrivateNetworksAreRefused", "internal/engine/send TestReachConnectsAndSendsNothing"}},
	{"other requests to a customer's server are not guarded", []string{"internal/engine/send TestEndpointsAreAskedForPermission", "internal/engine/send TestRebinding"}},
	{"an address is private in another notation", []string{"internal/destination TestCheck", "internal/destination TestNormalizeURL", "internal/engine/send TestRebinding"}},
	{"a proxy resolves names behind the guard", []string{"internal/engine/send TestProxiesAreNotUsed", "test TestProxyVariablesAreNamed"}},
	{"the rate limit is stored and not kept", []string{"internal/engine TestRateLimit", "internal/service TestRateOfEventsOverNodes"}},
	{"429 is answered with the general delays, for ever", []string{"internal/engine TestTooManyRequestsSlowsTheLane", "internal/engine TestEndpointThatTakesFewerThanComes"}},
	{"retries come together after an outage", []string{"internal/engine TestRetriesOfOneMomentAreSpread", "internal/bellwire TestJitterReachesBothSides"}},
	{"each delivery dials", []string{"internal/engine/send TestConnectionsAreUsedAgain"}},
	{"alerts are mixed up, suppressed, skipped, empty or never sent", []string{"internal/store/storetest Alerts/AreKeptForEachAddress", "internal/bellwire TestAutoDisable", "internal/mail TestSend", "internal/engine TestAlertDigests", "test TestAlertEmailSurvivesKill", "test TestOperationalEventsSurviveKills"}},
	{"nobody can explain why an endpoint was disabled", []string{"internal/bellwire TestAutoDisable"}},
	{"what was made under another setting half works", []string{"test TestDialectsThatAreNotServed", "test TestPrivateNetworksAreRefused", "internal/engine TestOldPoliciesAreHeldToTheLimits", "internal/store/storetest Alerts/AreKeptOnlyWhileAddressesAreSet"}},
	{"a change does not reach a cache", []string{"internal/service TestChangesCountOnOtherNodes"}},
	{"concurrent publishes of one id make two events", []string{"internal/store/storetest Concurrency/OneOfManyWinsAKey"}},
	{"attempts are numbered from 0, or manual ones shift them", []string{"internal/engine TestManualRetriesAgainAndAgain"}},
	{"an attempt shows the URL, or the body, of today", []string{"internal/dialecttest TestAttemptBodies"}},
	{"retention deletes what still waits, leaves remains, or never runs", []string{"internal/store/storetest Retention/KeepsWhatIsToBeDelivered", "internal/store/storetest Retention/RemovesWhatHasEnded", "internal/store/postgres TestOldPartitionsKeepOpenDeliveries"}},
	{"an upgrade has retention drop history", []string{"internal/store/sqlite TestMigrationsFillNewColumns", "internal/store/postgres TestMigrationsFillNewColumns", "test TestRollingUpgrade"}},
	{"a migration that was killed leaves a half schema", []string{"internal/store/sqlite TestKilledMigrations", "internal/store/postgres TestKilledMigrations"}},
	{"a scrape counts rows or waits, or a series begins at its first use", []string{"cmd/bellwire TestScrapesDoNotWait", "cmd/bellwire TestGlanceOfALongCount", "internal/engine/lanes TestOpenBreakersAreCounted", "internal/store/postgres TestPlansOfVolume"}},
	{"trouble with the database is answered as the caller's fault", []string{"internal/api TestClosedStoreIsUnavailable", "internal/api TestUnknownPaths"}},
	{"a client differs from the API", []string{"internal/api TestClient", "internal/api TestClientHasAllFields", "internal/api TestSchemasTellWhatAnswersHold", "test TestCommandsCallTheWholeAPI"}},
	{"a command fails in silence, or starts with unknown options", []string{"test TestScripts", "test TestInvalidVariables"}},
	{"a page is blank while it waits, or is of another version than the server", []string{"web/e2e/network.test.ts over a slow network pages show what is to come at once, and nothing jumps", "web/e2e/lists.test.ts an upgrade under an open tab asks to load the page again"}},
	{"the portal's token is in the URL, or needs cookies of others", []string{"web/e2e/portal.test.ts from adding an endpoint to a test event that arrived, in a frame and without a cookie", "internal/api TestSessionsLeaveNoSecretInTheLog"}},
	{"pages call another host than they came from", []string{"web/e2e/prefix.test.ts all of it works below a path, behind a proxy"}},
	{"a portal session reaches others' things", []string{"web/e2e/foreign.test.ts no operation of the API takes a stranger", "internal/api TestPortalCapabilities"}},
	{"going back loses the filter", []string{"web/e2e/traffic.test.ts deliveries are filtered by tokens and the keyboard, and back and forward keep the filter"}},
	{"a paused page asks on", []string{"web/e2e/shell.test.ts paused means no request at all"}},
	{"bulk actions end with the page", []string{"web/e2e/traffic.test.ts all that match become a job with the exact count, and others are left alone"}},
	{"deleting asks nothing; an action that fails loses the page", []string{"web/e2e/endpoint.test.ts deleting names what is lost, and must be typed", "web/e2e/network.test.ts an action over a slow network is sent once, and one without a network says so and loses nothing"}},
	{"times are of mixed zones, and durations negative", []string{"web/src/lib/time.test.ts a span is never negative", "web/src/lib/time.test.ts exact names its zone", "internal/output TestTimes"}},
	{"lists count all rows", []string{"internal/store/sqlite TestStore", "internal/store/postgres TestStore", "internal/store/postgres TestPlansOfVolume", "internal/store/postgres TestListsOfLargeTenants"}},
	{"an attempt does not show its request", []string{"web/e2e/bodies.test.ts the body of a request is shown byte for byte, in every dialect"}},
	{"what follows attempts is deaf after a pause", []string{"internal/live TestResume", "web/e2e/traffic.test.ts the live tail lists attempts, is held and counts, goes on after the connection broke, and is still while paused"}},
	{"nothing says why a signature does not verify", []string{"internal/verify TestMistakes", "web/e2e/traffic.test.ts a signature is checked in the browser, and the mistake is named"}},
	{"what is unknown is ignored, and widens a subscription", []string{"internal/api TestRefusalsListAllFaults"}},
	{"lasting data is in a cache", []string{"internal/store/storetest Store/KeepsAllWhenReopened"}},
	{"what was acknowledged is not visible at once", []string{"internal/store/storetest Append/KeepsEventsAndDeliveries", "internal/service TestChangesCountOnOtherNodes"}},
	{"old wildcards get new kinds of events", []string{"internal/engine TestOperationalEventsAreAskedFor"}},
}

// Each trap has its tests, and these exist.
func TestTraps(t *testing.T) {
	t.Parallel()
	for i, trap := range traps {
		if len(trap.tests) == 0 {
			t.Errorf("trap %d has no test: %s", i+1, trap.fault)
		}
		for _, test := range trap.tests {
			if !isThere(t, test) {
				t.Errorf("trap %d: there is no test %s", i+1, test)
			}
		}
	}
}

// isThere reports whether a test exists.
func isThere(t *testing.T, test string) bool {
	t.Helper()
	place, name, _ := strings.Cut(test, " ")
	if strings.HasSuffix(place, ".ts") {
		return strings.Contains(contents(t, "../../"+place), name)
	}
	files, err := filepath.Glob(filepath.Join("../..", place, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(") || strings.Contains(string(text), `name: "`+name+`"`) {
			return true
		}
	}
	return false
}
