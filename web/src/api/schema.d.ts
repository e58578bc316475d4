// Made by make web from the server's /openapi.json. Do not edit.

export interface paths {
    "/api/v1/alerts/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test e-mail to the addresses that get alerts
         * @description For admin keys. The node that answers sends it, and responds with what the mail server said. Responds with 409 if the node sends no alerts by e-mail.
         */
        post: operations["test-alerts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the audit log
         * @description For admin keys. Lists the calls of the native API and those of dialects, except publishing and plain reads: changes, retries, tests, jobs, disclosed secrets, requests to dialects whose callers must name a person and a reason, and calls that were refused because the key may not make them. Entries are kept for `--audit-retention`, also when their tenant has been deleted.
         */
        get: operations["list-audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backlog": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get what waits
         * @description For admin keys. Counts the deliveries that wait, of all tenants together. With many endpoints, a count takes long, and the answer is an earlier one, at most ten minutes old.
         */
        get: operations["get-backlog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk-jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List jobs over all tenants
         * @description For admin keys. Newest first. They are kept for 30 days after they have ended. A page may have fewer than limit, and still a cursor, after jobs of many tenants.
         */
        get: operations["list-bulk-jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk-jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a job over all tenants with its progress
         * @description For admin keys.
         */
        get: operations["get-bulk-job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change the rate of a job over all tenants
         * @description For admin keys. Changes the jobs of all tenants that have not ended. Responds with 409 if all have ended.
         */
        patch: operations["update-bulk-job"];
        trace?: never;
    };
    "/api/v1/bulk-jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a job over all tenants
         * @description For admin keys. Changes the jobs of all tenants that have not ended. Responds with 409 if all have ended.
         */
        post: operations["cancel-bulk-job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk-jobs/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a job over all tenants
         * @description For admin keys. Changes the jobs of all tenants that have not ended. Responds with 409 if all have ended.
         */
        post: operations["pause-bulk-job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk-jobs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a paused job over all tenants
         * @description For admin keys. Changes the jobs of all tenants that have not ended. Responds with 409 if all have ended.
         */
        post: operations["resume-bulk-job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/console-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the console's sessions
         * @description For admin keys. Sessions that have ended are left out.
         */
        get: operations["list-console-sessions"];
        put?: never;
        /**
         * Sign in to the console
         * @description For admin and publisher keys. The response sets a cookie that authenticates requests of the console with the key's role, until it has not been used for 2 hours, at most 12 hours, or until the key is deleted.
         */
        post: operations["sign-in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/console-sessions/current": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the session of the request
         * @description Responds with 404 to requests with a key.
         */
        get: operations["get-console-session"];
        put?: never;
        post?: never;
        /**
         * Sign out of the console
         * @description Ends the session of the request, and deletes its cookie.
         */
        delete: operations["sign-out"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/console-sessions/exchange": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in to the console with a link's code
         * @description Without a key. A code can be exchanged once, within a minute.
         */
        post: operations["exchange-console-code"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/console-sessions/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create a link that signs in to the console
         * @description For admin keys, and not for console sessions. Whoever opens the link first is signed in as the key.
         */
        post: operations["create-console-link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/console-sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End a session of the console
         * @description For admin keys. Further requests in the session are refused, by all nodes.
         */
        delete: operations["end-console-session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the deliveries of all tenants
         * @description For admin keys. A page can end early, even without any deliveries, where few match: `next_cursor` continues it.
         */
        get: operations["list-all-deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliveries/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry deliveries of all tenants
         * @description For admin keys. Starts a job of each tenant that has something to be done, and responds with 202 and their sum. Tenants take turns. With `dry_run`, or if there is nothing to be done, responds with 200 and the numbers only. Paused tenants and disabled endpoints are left out. Begins the retry schedule of each delivery again, with an attempt at once, or at the deliver_at of its event.
         */
        post: operations["retry-all-deliveries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/dialects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List dialects
         * @description The dialects that an endpoint can have: those of Bellwire, and those that files declare.
         */
        get: operations["list-dialects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Examine the server
         * @description For admin keys. Examines the configuration, the machine, the keyset and the database of the node that answers, as `bellwire doctor` does, and says what to do about each fault. The answer can be five seconds old.
         */
        get: operations["examine-server"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the endpoints of all tenants
         * @description For admin keys. Secrets are not shown. With `event_type`, and with filters beside `sort`, a page can end early, even without any endpoints, where few match: `next_cursor` continues it.
         */
        get: operations["list-all-endpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/event-types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List event types
         * @description For every key.
         */
        get: operations["list-event-types"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/event-types/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an event type
         * @description For every key.
         */
        get: operations["get-event-type"];
        /**
         * Create or replace an event type
         * @description For admin keys. Responds with 201 if the type was created, and 200 if it was replaced. A name has 1 to 128 of the characters `A-Z a-z 0-9 . _ : -`. The schema is that of the newest version. If it no longer guarantees what the present one does, and endpoints that subscribe rely on it, it is refused with the code `breaking_change`: add a version instead, or repeat it with `force=true`.
         */
        put: operations["put-event-type"];
        post?: never;
        /**
         * Delete an event type
         * @description For admin keys. Events of the type can no longer be published, even if endpoints subscribe to it. Existing events remain and are still delivered. To keep the type visible, archive it instead.
         */
        delete: operations["delete-event-type"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/event-types/{name}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count the endpoints of each version of an event type
         * @description For admin keys. Shows which old versions are still read. All endpoints of all tenants are counted, whatever their filters say.
         */
        get: operations["list-event-type-versions"];
        put?: never;
        /**
         * Add a version of an event type
         * @description For admin keys. From then on, events are published in the new version. Endpoints that exist get the version before, which the converter makes of it, until they are moved; new endpoints get the new one.
         */
        post: operations["add-event-type-version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/event-types/{name}/versions/{version}/converter": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Replace the converter to a version
         * @description For admin keys. Deliveries that are attempted from then on are made with it.
         */
        put: operations["put-event-type-converter"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the events of all tenants
         * @description For admin keys. Includes events that no endpoint subscribes to. With `key` and without `tenant`, those of the newest tenants come first. A page can end early, even without any events, where few match: `next_cursor` continues it.
         */
        get: operations["list-all-events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export everything
         * @description For admin keys. Responds with NDJSON, in the format that `POST /imports` reads: event types, keys, tenants, endpoints and events. Keys have the SHA-256 of their secret. Without `secrets`, an endpoint has a field `left_out`, with the names of what is missing. What belongs to one tenant is read at one revision, and the whole as it comes: what changes meanwhile may be missing. Events that are accepted meanwhile are left out, and events of tests are too. A response that ends early is not complete.
         */
        get: operations["export"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ids/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find what has an id
         * @description Tells what an id is of, and of which tenant. Tenants' keys find only what is theirs. Responds with 404 if nothing has the id.
         */
        get: operations["find-id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Import from another system
         * @description For admin keys. The body is NDJSON: one object a line, with a `kind`: `tenant`, `key`, `event_type`, `endpoint` or `event`. A line may refer to what is stored, or to lines before it. Events are history: they are listed at their own times and can be replayed, and are sent to nobody. Nothing that exists is changed: the same body again creates nothing. A body of at most 16 MiB is checked whole before anything changes. A larger one is imported as it comes, up to the first fault: make a dry run of it first. With `Accept: application/x-ndjson`, a dry run answers with every fault when it is found, one a line, and then the report: read the answer while you send.
         */
        post: operations["import"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List jobs of all tenants
         * @description For admin keys.
         */
        get: operations["list-all-jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the operator's keys
         * @description For admin keys. Secrets are not shown.
         */
        get: operations["list-keys"];
        put?: never;
        /**
         * Create an operator's key
         * @description For admin keys. Only this response has the secret.
         */
        post: operations["create-key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete an operator's key
         * @description For admin keys. Further requests with the key are refused.
         */
        delete: operations["delete-key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Watch the attempts of all tenants
         * @description For admin keys. Responds with server-sent events (`text/event-stream`), until the client leaves or its key or session ends. `attempt`: an attempt that has ended, at any node. At most 200 per second; of more, some are left out. `skipped`: how many were left out since the last time, because there are so many (`sampled`) or because the client reads slowly (`dropped`). `counters`: each second, the attempts of the second before, and for operators the published events; the filters other than `tenant` do not apply to them. `gap`: the attempt in `Last-Event-ID` is not remembered any more, so some may be missing. `end`: the problem for which the stream ends. A stream begins with what ends from now on, or after the attempt in `Last-Event-ID`.
         */
        get: operations["watch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the nodes
         * @description For admin keys. Lists the processes that share the database, with the shards that they own. With SQLite there is one.
         */
        get: operations["list-nodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/portal-sessions/exchange": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange the code of a portal session for its token
         * @description Without a key. A code can be exchanged once, within ten minutes.
         */
        post: operations["exchange-portal-code"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/replays": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replay events of all tenants
         * @description For admin keys. Starts a job of each tenant that has something to be done, and responds with 202 and their sum. Tenants take turns. With `dry_run`, or if there is nothing to be done, responds with 200 and the numbers only. Paused tenants and disabled endpoints are left out. Each endpoint gets its events once more, each in a delivery of its own, with the same webhook-id as before.
         */
        post: operations["replay-all-events"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the settings
         * @description For admin keys. Lists the options of the node that answers, with the values in force and where they come from. Secrets are never shown.
         */
        get: operations["list-settings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/statistics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the statistics of all tenants
         * @description For admin keys. Counts the events and attempts of all tenants together, also of deleted ones. With by=tenant, tenants have rows of their own, and deleted ones have none.
         */
        get: operations["get-statistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count the endpoints that subscribe to each event type
         * @description For admin keys. Filters of endpoints do not count. `GET /endpoints?event_type=…` lists them.
         */
        get: operations["list-subscriptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tenants
         * @description For admin keys.
         */
        get: operations["list-tenants"];
        put?: never;
        /**
         * Create a tenant
         * @description For admin keys. Responds with 409 if the id is taken.
         */
        post: operations["create-tenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a tenant */
        get: operations["get-tenant"];
        /**
         * Create or replace a tenant
         * @description For admin keys. Responds with 201 if the tenant was created, and 200 if its name, metadata, limits and settings of dialects were replaced; the ones that are left out become empty. A `status` or `operational_events` that is left out stays as it is.
         */
        put: operations["put-tenant"];
        post?: never;
        /**
         * Delete a tenant
         * @description For admin keys. Deletes the tenant's keys, endpoints, events and deliveries too; open deliveries are canceled. All of it gets 404 at once. Its rows are removed from the database in the background. The header `Bellwire-Gone-By` says when they will be gone, as an estimate; it is missing if there are too many to say. Until then, the 404 of `GET` on the tenant says so too. The tenant bellwire, to which operational events are published, cannot be deleted (409).
         */
        delete: operations["delete-tenant"];
        options?: never;
        head?: never;
        /**
         * Change a tenant
         * @description For admin keys. Only the given fields change.
         */
        patch: operations["update-tenant"];
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deliveries
         * @description A page can end early, even without any deliveries, where few match: `next_cursor` continues it.
         */
        get: operations["list-deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/deliveries/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel many deliveries
         * @description Responds with 202 and a job, or with `dry_run` with 200 and the number only. Ends deliveries that are pending or retrying.
         */
        post: operations["cancel-deliveries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/deliveries/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry many deliveries
         * @description Responds with 202 and a job, or with `dry_run` with 200 and the number only. Begins the retry schedule of each delivery again, with an attempt at once, or at the deliver_at of its event. Deliveries to disabled endpoints are left out.
         */
        post: operations["retry-deliveries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/deliveries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a delivery with its attempts
         * @description Shows the requests and the responses, and what the delivery waits for. Credentials are redacted.
         */
        get: operations["get-delivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/deliveries/{id}/body": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the request body of a delivery
         * @description Makes the body that an attempt would send now, byte for byte. With `attempt`, it is the one that this attempt has sent, made again in the version and the dialect that it recorded; `sent` says whether it has the recorded hash. Bodies are not stored. Responds with 404, and says why, if the data of the event was erased, or if the dialect cannot represent it.
         */
        get: operations["get-delivery-body"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/deliveries/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a delivery
         * @description Responds with 409 if the delivery has ended already.
         */
        post: operations["cancel-delivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/deliveries/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry a delivery now
         * @description Makes one attempt at once, whatever the status of the delivery, which does not affect the schedule. With `restart`, the whole schedule begins again instead; responds with 409 if the delivery has succeeded, is in flight, or waits in memory. A test has no schedule: it is tried once more.
         */
        post: operations["retry-delivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List endpoints
         * @description Secrets are not shown. With `event_type`, and with filters beside `sort`, a page can end early, even without any endpoints, where few match: `next_cursor` continues it.
         */
        get: operations["list-endpoints"];
        put?: never;
        /**
         * Create an endpoint
         * @description Admin keys can also give `id`, `created_at` and `secrets`, as the endpoint had them on another server. The response has the endpoint's `secret`, and with ed25519 its `public_key`, with which receivers verify deliveries.
         */
        post: operations["create-endpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an endpoint
         * @description Secrets are not shown.
         */
        get: operations["get-endpoint"];
        /**
         * Create or replace an endpoint
         * @description Responds with 201 if the endpoint was created, and 200 if all its settings were replaced: those that are left out get their defaults, except `dialect`, `status`, `status_reason`, `secret` and `versions`, which stay as they are. Ids are unique over all tenants. With a tenant's key, the id must have the form of generated ones, such as `ep_` and the 32 hex digits of a UUID; with an admin key, 1 to 64 of the characters `A-Z a-z 0-9 _ -`. The id of a deleted endpoint is a conflict until its deliveries have passed their retention.
         */
        put: operations["put-endpoint"];
        post?: never;
        /**
         * Delete an endpoint
         * @description Its open deliveries are canceled.
         */
        delete: operations["delete-endpoint"];
        options?: never;
        head?: never;
        /**
         * Change an endpoint
         * @description Only the given fields change; null clears where the field says so. Paused endpoints keep their deliveries for later; disabling cancels those that are open. With `replay`, an endpoint that is enabled and does not fail is a conflict.
         */
        patch: operations["update-endpoint"];
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the changes of an endpoint
         * @description Newest first: who changed what, when and from where, also of an endpoint that has been deleted. An endpoint keeps its newest 1,000 changes, up to 512 KiB; a tenant keeps those of the 1,000 endpoints that were deleted last.
         */
        get: operations["list-endpoint-history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints/{id}/missed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count what an endpoint has missed
         * @description Counts what a change with `replay` would send as it enables the endpoint. An endpoint that is enabled and does not fail is a conflict.
         */
        get: operations["count-missed"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints/{id}/probe": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Probe an endpoint
         * @description Delivers the example of an event type to this endpoint only, in one attempt on a new connection, and responds with the attempt once it has ended. A probe is a test in every other respect: it is sent also while the endpoint is paused or disabled.
         */
        post: operations["probe-endpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints/{id}/secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an endpoint's secret
         * @description For admin and tenant keys.
         */
        get: operations["get-endpoint-secret"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints/{id}/secret/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate an endpoint's secret
         * @description Returns a new secret. Until the overlap ends, deliveries carry the signatures of both secrets. At most 5 secrets can sign at the same time; another one is a conflict.
         */
        post: operations["rotate-endpoint-secret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Test an endpoint
         * @description Delivers the example of an event type to this endpoint only, in one attempt, also while it is paused or disabled.
         */
        post: operations["test-endpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints/{id}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the versions that an endpoint gets
         * @description Of the event types that it subscribes to and that have several versions. To move it, change its versions.
         */
        get: operations["list-endpoint-versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/endpoints/{id}/versions/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Preview other versions for an endpoint
         * @description Shows the last events of these types that the endpoint got, as they were sent and as they would be sent in other versions. Changes and sends nothing. There are fewer events than `limit` if there are no more, or if they are large or take long to convert.
         */
        post: operations["preview-endpoint-versions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List events
         * @description Includes events that no endpoint subscribes to.
         */
        get: operations["list-events"];
        put?: never;
        /**
         * Publish an event
         * @description A 202 means that the event and all its deliveries are on disk. For admin and publisher keys. `data` that does not fit the type's schema is refused.
         */
        post: operations["publish-event"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/events/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Publish a batch of events
         * @description A 202 means that the event and all its deliveries are on disk. For admin and publisher keys. Up to 1000 events in at most 16 MiB; all of them are published or none. An error names the event at fault, such as `events[3].data`.
         */
        post: operations["publish-events"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an event
         * @description Says what became of it at each endpoint, and why: also where there is no delivery.
         */
        get: operations["get-event"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/events/{id}/data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Erase the data of an event
         * @description For admin keys. The event stays without its data, and says in `erased` when and by whom it was erased. What attempts have kept of requests and responses is erased too. Open deliveries are canceled, and the event cannot be retried or replayed any more. Responds with 409 while deliveries of the event are still being stored.
         */
        delete: operations["erase-event"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/events/{id}/endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what became of an event at each endpoint
         * @description Like `endpoints` of the event, for tenants with more endpoints than that shows.
         */
        get: operations["list-event-endpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/filters/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try a filter
         * @description Evaluates a filter on the newest stored events, and sends nothing. Fewer events than `limit` are tried if there are no more, or if it takes too long to find or to evaluate them.
         */
        post: operations["try-filter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List jobs
         * @description Jobs that have ended are kept for 30 days, and the newest 200 of a tenant.
         */
        get: operations["list-jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a job with its progress */
        get: operations["get-job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change the rate of a job
         * @description Responds with 409 if the job has ended.
         */
        patch: operations["update-job"];
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a job
         * @description What it has done stays done. A canceled job cannot be resumed. Responds with 409 if the job has ended.
         */
        post: operations["cancel-job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/jobs/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a job
         * @description What it has done stays done. A resumed job continues where it stopped. Responds with 409 if the job has ended.
         */
        post: operations["pause-job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/jobs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a paused job
         * @description The job continues where it was. Responds with 409 if the job has ended.
         */
        post: operations["resume-job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a tenant's keys
         * @description For admin keys. Secrets are not shown.
         */
        get: operations["list-tenant-keys"];
        put?: never;
        /**
         * Create a tenant's key
         * @description For admin keys. Only this response has the secret: Bellwire stores its hash, or with `hmac` the encrypted secret.
         */
        post: operations["create-tenant-key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a tenant's key
         * @description For admin keys. Further requests with the key are refused.
         */
        delete: operations["delete-tenant-key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Watch a tenant's attempts
         * @description Responds with server-sent events (`text/event-stream`), until the client leaves or its key or session ends. `attempt`: an attempt that has ended, at any node. At most 200 per second; of more, some are left out. `skipped`: how many were left out since the last time, because there are so many (`sampled`) or because the client reads slowly (`dropped`). `counters`: each second, the attempts of the second before, and for operators the published events; the filters other than `tenant` do not apply to them. `gap`: the attempt in `Last-Event-ID` is not remembered any more, so some may be missing. `end`: the problem for which the stream ends. A stream begins with what ends from now on, or after the attempt in `Last-Event-ID`.
         */
        get: operations["watch-tenant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/portal-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a tenant's portal sessions
         * @description Sessions that have ended are left out.
         */
        get: operations["list-portal-sessions"];
        put?: never;
        /**
         * Create a portal session
         * @description For admin keys and the tenant's own. Give the `url` to the person for whom it is made: it can be opened once, within ten minutes.
         */
        post: operations["create-portal-session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/portal-sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End a portal session
         * @description Further requests in the session are refused, by all nodes.
         */
        delete: operations["end-portal-session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/replays": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replay events to an endpoint
         * @description Responds with 202 and a job, or with `dry_run` with 200 and the number only. Each event gets a delivery of its own, with the same webhook-id as before. An ordered endpoint gets them after what it has already. The job waits while the endpoint is paused or disabled, or has many deliveries waiting.
         */
        post: operations["replay-events"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/statistics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a tenant's statistics
         * @description Counts events and attempts by minute, hour or day, ten seconds late.
         */
        get: operations["get-tenant-statistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tenants/{tenant}/urls/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check a URL before an endpoint gets it
         * @description Responds with 422 if no endpoint may have the URL. Otherwise it connects to the host as deliveries would, sends no request, and says what came of it. It counts as a test. An endpoint can have a URL that is not reached yet.
         */
        post: operations["check-url"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Actor: {
            /**
             * @description From where the request came. Tenants are not shown addresses of operators.
             * @example 192.0.2.7
             */
            address?: string;
            /**
             * @description The key; null without one. Tenants are not shown keys of operators.
             * @example key_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            key: string | null;
            /**
             * @description The key's name; omitted if it has none, or was deleted.
             * @example billing service
             */
            key_name?: string;
            /**
             * @description key: an API key. configured: the configured admin key. vouched: a caller whom a dialect's API authenticated without a key. bellwire: Bellwire itself. unknown: the change was made before Bellwire kept histories.
             * @enum {string}
             */
            kind: "key" | "configured" | "vouched" | "bellwire" | "unknown";
            /** @description Why Bellwire made the change. */
            reason?: string;
            /** @description The X-Request-Id of the request. */
            request_id?: string;
            /** @enum {string} */
            role?: "admin" | "publisher" | "tenant" | "tenant-read" | "portal";
            /**
             * @description The session in a browser in which it was made, if it was; key has made the session.
             * @example ses_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            session?: string;
        };
        AlertTest: {
            /** @example ops@example.com */
            address: string;
            /**
             * @description What the mail server said when it took it.
             * @example 2.0.0 Ok: queued as 4cXyz
             */
            answer: string;
            /** @description Why it was not sent; empty if it was. */
            error: string;
            /** @description Whether the mail server took the e-mail. */
            sent: boolean;
        };
        AlertTests: {
            data: components["schemas"]["AlertTest"][];
        };
        Attempt: {
            /** @description Of a delivery with many attempts, only the first and the last keep their details. If true, request is null, and the response has only its status. */
            details_dropped: boolean;
            /** @description What went wrong; empty if nothing did. */
            error: string;
            /** @example att_0198c7a3f2e47d0a9b1c2d3e4f506174 */
            id: string;
            /**
             * Format: int64
             * @description From 1 within the delivery.
             */
            number: number;
            /**
             * @description Where the attempt failed, if it did.
             * @enum {string}
             */
            outcome: "ok" | "status" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol";
            /** @description null if it is no longer stored; see details_dropped. */
            request: components["schemas"]["AttemptRequest"] | null;
            /** @description null if there was no response. */
            response: components["schemas"]["AttemptResponse"] | null;
            /** Format: date-time */
            started_at: string;
            /** @description In milliseconds; 0 if the phase did not happen or did not end. */
            timings: components["schemas"]["Timings"];
            /** @enum {string} */
            trigger: "schedule" | "manual" | "test";
        };
        AttemptRequest: {
            /** Format: int64 */
            body_bytes: number;
            /** @description The SHA-256 of the body, in hexadecimal; absent where it was not recorded. */
            body_sha256?: string;
            /**
             * @description The dialect that made the body.
             * @example standard
             */
            dialect?: string;
            /** @description Credentials are redacted. */
            headers: {
                [key: string]: string;
            };
            /** @description Whether there were more headers than fit into 4 KiB. */
            headers_truncated: boolean;
            /** @example POST */
            method: string;
            /** @example https://example.com/webhooks */
            url: string;
            /**
             * Format: int64
             * @description The version of the event's type in which the data was sent.
             * @example 1
             */
            version?: number;
        };
        AttemptResponse: {
            /** @description The first 4 KiB. */
            body: string;
            /**
             * @description The encoding of body: base64 if it is not UTF-8.
             * @enum {string}
             */
            encoding: "text" | "base64";
            headers: {
                [key: string]: string;
            };
            /** @description Whether there were more headers than fit into 4 KiB. */
            headers_truncated: boolean;
            /** @description What was wrong with the response although its status counts, such as an incomplete body. */
            note?: string;
            /**
             * Format: int64
             * @example 200
             */
            status: number;
            /** @description Whether the body was longer. */
            truncated: boolean;
        };
        AuditEntry: {
            /**
             * @description What was done; empty for a call that was refused, and for a request to a dialect whose callers must name a person.
             * @example endpoint.update
             */
            action: string;
            /**
             * @description Fields after the change, in the form of those before it.
             * @example {
             *       "status": "paused"
             *     }
             */
            after: {
                [key: string]: unknown;
            };
            /**
             * Format: date-time
             * @description Time of the first request.
             */
            at: string;
            /**
             * @description Fields before the change, without secrets. Of an endpoint, empty fields are left out, and a long value is given by its size.
             * @example {
             *       "status": "paused"
             *     }
             */
            before: {
                [key: string]: unknown;
            };
            /** @description Who made the change or the request. */
            by: components["schemas"]["Actor"];
            /**
             * Format: int64
             * @description Number of equal requests within a minute, which share an entry.
             * @example 1
             */
            count: number;
            /** @example aud_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /**
             * @description The reason, as given by the caller.
             * @example ticket-4711
             */
            justification: string;
            /**
             * @description The key that was used; null for the configured admin key.
             * @example key_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            key: string | null;
            /**
             * Format: date-time
             * @description Time of the last request.
             */
            last_at: string;
            /** @example GET */
            method: string;
            /** @example /v1/events */
            path: string;
            /**
             * @description The person on whose behalf, as given by the caller.
             * @example support-jane
             */
            principal: string;
            /**
             * @description The error code with which the call was refused, because the key may not make it; null for what was not refused.
             * @example forbidden
             */
            refused: string | null;
            /**
             * @description The id of what the action is about.
             * @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            subject: string;
            /** @example acme */
            tenant: string;
        };
        Auth: {
            /**
             * @description With api_key: the header that carries the key.
             * @example X-Api-Key
             */
            header?: string;
            /** @description With api_key. */
            key?: string;
            /** @description With basic. */
            password?: string;
            /** @description With bearer. */
            token?: string;
            /** @enum {string} */
            type: "none" | "api_key" | "basic" | "bearer";
            /** @description With basic. */
            username?: string;
        };
        Backlog: {
            /**
             * Format: date-time
             * @description When all of this was counted.
             */
            counted_at: string;
            /**
             * Format: int64
             * @description Those of them that are still being stored, because their event has many recipients.
             */
            deferred: number;
            /**
             * Format: date-time
             * @description Since when the one that waits longest has been due; null if none is due.
             */
            oldest_due_at: string | null;
            /**
             * Format: date-time
             * @description When the first of these was published; null if there is none.
             */
            oldest_unmatched_at: string | null;
            /**
             * Format: int64
             * @description Events that were published inside the database and are not matched to endpoints yet.
             */
            unmatched: number;
            /**
             * Format: int64
             * @description Deliveries that wait, to all endpoints together. If there are very many, an estimate.
             */
            waiting: number;
        };
        Batch: {
            /** @description The events, of which all or none are published. */
            events: components["schemas"]["Publication"][];
        };
        BulkCount: {
            /**
             * Format: int64
             * @description Tenants that have something to be done.
             */
            tenants: number;
            /**
             * Format: int64
             * @description What the job would be about: exactly, unless total_is_bound.
             */
            total: number;
            /** @description Whether there are at most as many: filters decide, and could not be asked about all events in time. */
            total_is_bound: boolean;
        };
        BulkInput: {
            /**
             * @description Only deliveries to endpoints that are of this dialect when their turn comes.
             * @example standard
             */
            dialect?: string;
            /** @description Whether only to count. */
            dry_run?: boolean;
            /**
             * @description Only deliveries to this endpoint.
             * @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            endpoint?: string;
            /**
             * @description Only deliveries of this event.
             * @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            event?: string;
            /**
             * @description Only events that this CEL expression takes. Others are skipped, and so are those for which it has no answer.
             * @example data.amount > 100
             */
            filter?: string;
            /**
             * @description Only deliveries whose newest attempt had this outcome: ok, status, blocked, dns, connect, tls, timeout, reset or protocol. Others are skipped.
             * @example timeout
             */
            outcome?: string;
            /**
             * Format: double
             * @description Deliveries per second; as fast as there is room, if it is left out.
             * @example 50
             */
            rate?: number;
            /**
             * @description Only events accepted at or after this time.
             * @example 2026-01-31T12:30:00Z
             */
            since?: string;
            /** @description Of a retry: failed (default), exhausted, canceled or retrying. Of a cancellation: pending or retrying; both, if it is left out. */
            status?: string;
            /**
             * @description Only events of these types: names, or starts of names followed by a single *.
             * @example [
             *       "invoice.*"
             *     ]
             */
            types?: string[];
            /**
             * @description Only events accepted before this time; now, if it is left out or later.
             * @example 2026-02-01T00:00:00Z
             */
            until?: string;
        };
        BulkJob: {
            /** Format: date-time */
            created_at: string;
            /** Format: int64 */
            done: number;
            /**
             * Format: int64
             * @description Of their jobs, those that have failed, such as because the tenant was deleted.
             */
            failed: number;
            /**
             * Format: date-time
             * @description null until all their jobs have ended.
             */
            finished_at: string | null;
            /** @example job_0198c7a3f2e47d0a9b1c2d3e4f506175 */
            id: string;
            /** @enum {string} */
            kind: "replay" | "retry";
            /**
             * Format: int64
             * @description Of their jobs, those that have not ended.
             */
            open: number;
            params: components["schemas"]["JobParams"];
            /**
             * Format: double
             * @description Deliveries per second of each tenant; null for as fast as there is room.
             */
            rate: number | null;
            /** Format: int64 */
            skipped: number;
            /**
             * @description running: a tenant's job is. In the end: canceled or failed if a tenant's job is, else done.
             * @enum {string}
             */
            state: "running" | "paused" | "done" | "canceled" | "failed";
            /**
             * Format: int64
             * @description Tenants that had something to be done when it was created. Each has a job of its own.
             */
            tenants: number;
            /**
             * Format: int64
             * @description The sum over their jobs, like done and skipped.
             */
            total: number;
            /** Format: date-time */
            updated_at: string;
            /**
             * Format: int64
             * @description Of their jobs, those that cannot go on now, such as while the tenant is paused. The job says why.
             */
            waiting: number;
        };
        BulkJobInput: {
            /**
             * @description Only endpoints that are of this dialect when their turn comes.
             * @example standard
             */
            dialect?: string;
            /** @description Whether only to count. */
            dry_run?: boolean;
            /**
             * @description Only events that this CEL expression takes. Others are skipped, and so are those for which it has no answer.
             * @example data.amount > 100
             */
            filter?: string;
            /**
             * @description Only deliveries whose newest attempt had this outcome: ok, status, blocked, dns, connect, tls, timeout, reset or protocol. Others are skipped.
             * @example connect
             */
            outcome?: string;
            /**
             * Format: double
             * @description Deliveries per second of each tenant; as fast as there is room, if it is left out.
             * @example 50
             */
            rate?: number;
            /**
             * @description Only events accepted at or after this time. Required.
             * @example 2026-01-31T10:00:00Z
             */
            since?: string;
            /**
             * @description Of a retry: failed (default), exhausted, canceled or retrying. Of a replay: failed (default), missing, missed or all.
             * @example failed
             */
            status?: string;
            /**
             * @description Only events of these types: names, or starts of names followed by a single *.
             * @example [
             *       "invoice.*"
             *     ]
             */
            types?: string[];
            /**
             * @description Only events accepted before this time; now, if it is left out or later.
             * @example 2026-01-31T11:00:00Z
             */
            until?: string;
        };
        Change: {
            /**
             * @description found: the state that the endpoint had when Bellwire began to keep its history.
             * @enum {string}
             */
            action: "created" | "updated" | "deleted" | "found";
            /**
             * @description The fields that changed, with their values after. All fields of an endpoint that was created. Secrets are never shown: one that changed is [changed].
             * @example {
             *       "status": "paused"
             *     }
             */
            after: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            at: string;
            /**
             * @description The fields that changed, with their values before. All fields of an endpoint that was deleted.
             * @example {
             *       "status": "paused"
             *     }
             */
            before: {
                [key: string]: unknown;
            };
            by: components["schemas"]["Actor"];
        };
        ChangedEndpoint: {
            auth: components["schemas"]["ShownAuth"];
            /**
             * @description How long attempts must have failed before Bellwire disables the endpoint; 0s for never.
             * @example 120h
             */
            auto_disable_after: string;
            /** Format: date-time */
            created_at: string;
            description: string;
            /** @example standard */
            dialect: string;
            /**
             * @example [
             *       "invoice.*"
             *     ]
             */
            events: string[];
            /**
             * @description The CEL expression that events must match; null for none.
             * @example data.amount > 100
             */
            filter: string | null;
            /** @description The values are not shown. */
            headers: {
                [key: string]: string;
            };
            /** @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /**
             * Format: int64
             * @description Maximum number of concurrent requests, including tests and manual retries.
             * @example 64
             */
            max_in_flight: number;
            metadata: {
                [key: string]: string;
            };
            /**
             * @description What happens to an event for which the filter has no answer.
             * @enum {string}
             */
            on_error: "deliver" | "skip";
            /** @enum {string} */
            ordering: "none" | "fifo" | "key";
            /**
             * Format: double
             * @description Events per second; null for no limit.
             */
            rate_limit: number | null;
            /** @description The job that the change has started, if it has started one. */
            replay?: components["schemas"]["Job"];
            /**
             * @description When failed deliveries are attempted again, in one of three forms: `{schedule}`, `{interval, count}` or `{initial, factor, max_interval, max_elapsed}`. An empty schedule means one attempt only. Durations are text such as 5s, 72h or 30d.
             * @example {
             *       "jitter": 0.2,
             *       "schedule": [
             *         "5s",
             *         "5m",
             *         "30m"
             *       ]
             *     }
             */
            retry: {
                /** @description Number of retries; there is one attempt more. */
                count?: number;
                /** @description By which each delay is multiplied for the next; default 2. */
                factor?: number;
                /**
                 * @description The delay before the first retry.
                 * @example 5m
                 */
                initial?: string;
                /**
                 * @description The delay before each of count retries.
                 * @example 5m
                 */
                interval?: string;
                /** @description The random share of each delay, half of it on either side: 0.2 spreads a delay over ±10 %. 0 to 1; default 0. */
                jitter?: number;
                /**
                 * @description No retry is due later than this after the event was accepted, or after the endpoint was last changed, unless Retry-After or the limit min_retry_delay puts it off.
                 * @example 5m
                 */
                max_elapsed?: string;
                /**
                 * @description The longest delay.
                 * @example 5m
                 */
                max_interval?: string;
                /** @description The delay before each retry. */
                schedule?: string[];
            };
            /** @enum {string} */
            signing: "hmac" | "ed25519" | "both";
            /** @enum {string} */
            status: "enabled" | "paused" | "disabled";
            /** @description Why it is paused or disabled, as Bellwire or the request has said; empty if the request has not. */
            status_reason: string;
            /** @example acme */
            tenant: string;
            /**
             * @description How long an attempt may take, from DNS to the last byte of the response.
             * @example 15s
             */
            timeout: string;
            /** Format: date-time */
            updated_at: string;
            /**
             * @description For tenant-read keys, values in the query and parts of the path that look like a token are redacted.
             * @example https://example.com/webhooks
             */
            url: string;
            /** @description The versions that were chosen for it, by event type. It gets other types in the version that was the newest when it was created. */
            versions: {
                [key: string]: number;
            };
        };
        CheckedURL: {
            /**
             * @description Why no connection was made; empty if one was.
             * @example the host name "exampel.com" could not be resolved: no such host
             */
            error: string;
            /**
             * @description ok if a connection was made, with TLS if the URL has it; otherwise as of an attempt.
             * @enum {string}
             */
            outcome: "ok" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol";
            /** @description In milliseconds. There is no first byte, because no request is sent. */
            timings: components["schemas"]["Timings"];
            /**
             * @description As an endpoint would have it.
             * @example https://example.com/webhooks
             */
            url: string;
        };
        ConsoleSession: {
            /**
             * @description The address of the client that got the token.
             * @example 192.0.2.7
             */
            address: string;
            /** Format: date-time */
            created_at: string;
            /** @description Whether this request was made in the session. */
            current: boolean;
            /** @description Whether its code was exchanged for a token. */
            exchanged: boolean;
            /** Format: date-time */
            expires_at: string;
            /** @example ses_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /** @description The key that made the session, and with which it ends; null for the configured admin key. */
            key: string | null;
            /**
             * Format: date-time
             * @description When it was last used, to about a minute; null for never.
             */
            last_used_at: string | null;
            /** @enum {string} */
            role: "admin" | "publisher";
            /** @description The browser that got the token. */
            user_agent: string;
        };
        ConverterInput: {
            /**
             * @description A CEL expression over data, type, id and occurred_at that makes the version's data of that of the next version.
             * @example data.without(["currency"])
             */
            converter: string;
        };
        CreatedEndpoint: {
            auth: components["schemas"]["ShownAuth"];
            /**
             * @description How long attempts must have failed before Bellwire disables the endpoint; 0s for never.
             * @example 120h
             */
            auto_disable_after: string;
            /** Format: date-time */
            created_at: string;
            description: string;
            /** @example standard */
            dialect: string;
            /**
             * @example [
             *       "invoice.*"
             *     ]
             */
            events: string[];
            /**
             * @description The CEL expression that events must match; null for none.
             * @example data.amount > 100
             */
            filter: string | null;
            /** @description The values are not shown. */
            headers: {
                [key: string]: string;
            };
            /** @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /**
             * Format: int64
             * @description Maximum number of concurrent requests, including tests and manual retries.
             * @example 64
             */
            max_in_flight: number;
            metadata: {
                [key: string]: string;
            };
            /**
             * @description What happens to an event for which the filter has no answer.
             * @enum {string}
             */
            on_error: "deliver" | "skip";
            /** @enum {string} */
            ordering: "none" | "fifo" | "key";
            /**
             * @description The ed25519 public key, if the endpoint signs with one.
             * @example whpk_MCowBQYDK2VwAyEAe8Qd
             */
            public_key?: string;
            /**
             * Format: double
             * @description Events per second; null for no limit.
             */
            rate_limit: number | null;
            /**
             * @description When failed deliveries are attempted again, in one of three forms: `{schedule}`, `{interval, count}` or `{initial, factor, max_interval, max_elapsed}`. An empty schedule means one attempt only. Durations are text such as 5s, 72h or 30d.
             * @example {
             *       "jitter": 0.2,
             *       "schedule": [
             *         "5s",
             *         "5m",
             *         "30m"
             *       ]
             *     }
             */
            retry: {
                /** @description Number of retries; there is one attempt more. */
                count?: number;
                /** @description By which each delay is multiplied for the next; default 2. */
                factor?: number;
                /**
                 * @description The delay before the first retry.
                 * @example 5m
                 */
                initial?: string;
                /**
                 * @description The delay before each of count retries.
                 * @example 5m
                 */
                interval?: string;
                /** @description The random share of each delay, half of it on either side: 0.2 spreads a delay over ±10 %. 0 to 1; default 0. */
                jitter?: number;
                /**
                 * @description No retry is due later than this after the event was accepted, or after the endpoint was last changed, unless Retry-After or the limit min_retry_delay puts it off.
                 * @example 5m
                 */
                max_elapsed?: string;
                /**
                 * @description The longest delay.
                 * @example 5m
                 */
                max_interval?: string;
                /** @description The delay before each retry. */
                schedule?: string[];
            };
            /**
             * @description The secret with which receivers verify deliveries.
             * @example whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD
             */
            secret?: string;
            /** @enum {string} */
            signing: "hmac" | "ed25519" | "both";
            /** @enum {string} */
            status: "enabled" | "paused" | "disabled";
            /** @description Why it is paused or disabled, as Bellwire or the request has said; empty if the request has not. */
            status_reason: string;
            /** @example acme */
            tenant: string;
            /**
             * @description How long an attempt may take, from DNS to the last byte of the response.
             * @example 15s
             */
            timeout: string;
            /** Format: date-time */
            updated_at: string;
            /**
             * @description For tenant-read keys, values in the query and parts of the path that look like a token are redacted.
             * @example https://example.com/webhooks
             */
            url: string;
            /** @description The versions that were chosen for it, by event type. It gets other types in the version that was the newest when it was created. */
            versions: {
                [key: string]: number;
            };
        };
        CreatedKey: {
            /** Format: date-time */
            created_at: string;
            /**
             * Format: date-time
             * @description From when on it is refused; null for never.
             */
            expires_at: string | null;
            /** @description Whether the key can sign requests. */
            hmac: boolean;
            /** @example key_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /**
             * Format: date-time
             * @description When it was last used, to about a minute; null if that is not known.
             */
            last_used_at: string | null;
            /** @example billing service */
            name: string;
            /** @enum {string} */
            role: "admin" | "publisher" | "tenant" | "tenant-read";
            /**
             * @description The only operations of a vendor's API that the key permits. A key with scopes can be used nowhere else. Empty: all of its role.
             * @example [
             *       "pcx:webhooks:*"
             *     ]
             */
            scopes: string[];
            /** @description The secret that authenticates requests. It is shown only once. Empty if the key was made with secret_sha256. */
            secret: string;
        };
        Delivery: {
            /**
             * Format: int64
             * @description Number of attempts.
             */
            attempt_count: number;
            /** Format: date-time */
            created_at: string;
            /** @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            endpoint: string;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            event: string;
            /** @example invoice.paid */
            event_type: string;
            /** @example dlv_0198c7a3f2e47d0a9b1c2d3e4f506173 */
            id: string;
            /** @description The job that made this delivery, if it is a replay; else the one that retried or canceled it last; null if none did. */
            job: string | null;
            /**
             * Format: date-time
             * @description When the next attempt is due; null if there is none.
             */
            next_attempt_at: string | null;
            /** @description Why it ended or could not be sent, if the status alone does not say so. */
            reason: string;
            /** @description Whether a job made this delivery, as a replay of the event. */
            replay: boolean;
            /** @description Whether a retry was requested and has not been attempted yet. The status stays until its attempt has ended. */
            retry_requested: boolean;
            /** @enum {string} */
            status: "pending" | "retrying" | "succeeded" | "exhausted" | "canceled";
            /** @description Whether it was created by testing the endpoint. A test is one attempt. */
            test: boolean;
            /** Format: date-time */
            updated_at: string;
        };
        DeliveryWithAttempts: {
            /**
             * Format: int64
             * @description Number of attempts.
             */
            attempt_count: number;
            /** @description The newest attempts, oldest first, up to 4 MiB. attempt_count is the number of all attempts. */
            attempts: components["schemas"]["Attempt"][];
            /** Format: date-time */
            created_at: string;
            /** @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            endpoint: string;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            event: string;
            /** @example invoice.paid */
            event_type: string;
            /** @example dlv_0198c7a3f2e47d0a9b1c2d3e4f506173 */
            id: string;
            /** @description The job that made this delivery, if it is a replay; else the one that retried or canceled it last; null if none did. */
            job: string | null;
            /**
             * Format: date-time
             * @description When the next attempt is due; null if there is none.
             */
            next_attempt_at: string | null;
            /** @description Why it ended or could not be sent, if the status alone does not say so. */
            reason: string;
            /** @description Whether a job made this delivery, as a replay of the event. */
            replay: boolean;
            /** @description Whether a retry was requested and has not been attempted yet. The status stays until its attempt has ended. */
            retry_requested: boolean;
            /** @enum {string} */
            status: "pending" | "retrying" | "succeeded" | "exhausted" | "canceled";
            /** @description Whether it was created by testing the endpoint. A test is one attempt. */
            test: boolean;
            /** Format: date-time */
            updated_at: string;
            /** @description What the delivery waits for; null if it has ended. */
            waiting_for: components["schemas"]["Waiting"] | null;
        };
        DialectList: {
            /** @description By name. */
            data: components["schemas"]["NamedDialect"][];
        };
        DialectSettings: {
            /**
             * @description The header of API keys of new endpoints, in dialects whose customers do not name it, such as azakaw.
             * @example X-API-Key
             */
            api_key_header?: string;
            /** @description The authentication of new endpoints that have none of their own. Its secrets are shown by exports only. If it is left out, or is as it is shown, it stays; the type none removes it. */
            auth?: components["schemas"]["Auth"];
            /** @description Headers of all deliveries. Those of an endpoint come first. They are shown, so that they must not be secret. */
            headers?: {
                [key: string]: string;
            };
            /** @description Whether the vendor's API ignores fields that cannot be changed, so that what it has shown can be sent back. */
            ignore_read_only?: boolean | null;
            /** @description The retry policy of new endpoints that have none of their own. */
            retry?: {
                /** @description Number of retries; there is one attempt more. */
                count?: number;
                /** @description By which each delay is multiplied for the next; default 2. */
                factor?: number;
                /**
                 * @description The delay before the first retry.
                 * @example 5m
                 */
                initial?: string;
                /**
                 * @description The delay before each of count retries.
                 * @example 5m
                 */
                interval?: string;
                /** @description The random share of each delay, half of it on either side: 0.2 spreads a delay over ±10 %. 0 to 1; default 0. */
                jitter?: number;
                /**
                 * @description No retry is due later than this after the event was accepted, or after the endpoint was last changed, unless Retry-After or the limit min_retry_delay puts it off.
                 * @example 5m
                 */
                max_elapsed?: string;
                /**
                 * @description The longest delay.
                 * @example 5m
                 */
                max_interval?: string;
                /** @description The delay before each retry. */
                schedule?: string[];
            };
            /**
             * @description How long an attempt may take, for new endpoints that have no timeout of their own: 1s to 60s.
             * @example 10s
             */
            timeout?: string;
            /**
             * @description The User-Agent of all deliveries.
             * @example azakaw-webhooks/1.0
             */
            user_agent?: string;
        };
        EndpointSecrets: {
            /**
             * @description The ed25519 public key, if the endpoint signs with one.
             * @example whpk_MCowBQYDK2VwAyEAe8Qd
             */
            public_key?: string;
            /**
             * @description The secret with which receivers verify deliveries.
             * @example whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD
             */
            secret?: string;
            /** @description All secrets that sign, newest first. There are several during an overlap. */
            secrets: components["schemas"]["SigningSecret"][];
        };
        EndpointWithHealth: {
            auth: components["schemas"]["ShownAuth"];
            /**
             * @description How long attempts must have failed before Bellwire disables the endpoint; 0s for never.
             * @example 120h
             */
            auto_disable_after: string;
            /** Format: date-time */
            created_at: string;
            description: string;
            /** @example standard */
            dialect: string;
            /**
             * @example [
             *       "invoice.*"
             *     ]
             */
            events: string[];
            /**
             * @description The CEL expression that events must match; null for none.
             * @example data.amount > 100
             */
            filter: string | null;
            /** @description The values are not shown. */
            headers: {
                [key: string]: string;
            };
            /** @description What the endpoint's recent attempts say. */
            health: components["schemas"]["Health"];
            /** @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /**
             * Format: int64
             * @description Maximum number of concurrent requests, including tests and manual retries.
             * @example 64
             */
            max_in_flight: number;
            metadata: {
                [key: string]: string;
            };
            /**
             * @description What happens to an event for which the filter has no answer.
             * @enum {string}
             */
            on_error: "deliver" | "skip";
            /** @enum {string} */
            ordering: "none" | "fifo" | "key";
            /**
             * Format: double
             * @description Events per second; null for no limit.
             */
            rate_limit: number | null;
            /**
             * @description When failed deliveries are attempted again, in one of three forms: `{schedule}`, `{interval, count}` or `{initial, factor, max_interval, max_elapsed}`. An empty schedule means one attempt only. Durations are text such as 5s, 72h or 30d.
             * @example {
             *       "jitter": 0.2,
             *       "schedule": [
             *         "5s",
             *         "5m",
             *         "30m"
             *       ]
             *     }
             */
            retry: {
                /** @description Number of retries; there is one attempt more. */
                count?: number;
                /** @description By which each delay is multiplied for the next; default 2. */
                factor?: number;
                /**
                 * @description The delay before the first retry.
                 * @example 5m
                 */
                initial?: string;
                /**
                 * @description The delay before each of count retries.
                 * @example 5m
                 */
                interval?: string;
                /** @description The random share of each delay, half of it on either side: 0.2 spreads a delay over ±10 %. 0 to 1; default 0. */
                jitter?: number;
                /**
                 * @description No retry is due later than this after the event was accepted, or after the endpoint was last changed, unless Retry-After or the limit min_retry_delay puts it off.
                 * @example 5m
                 */
                max_elapsed?: string;
                /**
                 * @description The longest delay.
                 * @example 5m
                 */
                max_interval?: string;
                /** @description The delay before each retry. */
                schedule?: string[];
            };
            /** @enum {string} */
            signing: "hmac" | "ed25519" | "both";
            /** @enum {string} */
            status: "enabled" | "paused" | "disabled";
            /** @description Why it is paused or disabled, as Bellwire or the request has said; empty if the request has not. */
            status_reason: string;
            /** @example acme */
            tenant: string;
            /**
             * @description How long an attempt may take, from DNS to the last byte of the response.
             * @example 15s
             */
            timeout: string;
            /** Format: date-time */
            updated_at: string;
            /**
             * @description For tenant-read keys, values in the query and parts of the path that look like a token are redacted.
             * @example https://example.com/webhooks
             */
            url: string;
            /** @description The versions that were chosen for it, by event type. It gets other types in the version that was the newest when it was created. */
            versions: {
                [key: string]: number;
            };
        };
        Erasure: {
            /** Format: date-time */
            at: string;
            by: components["schemas"]["Actor"];
        };
        Event: {
            /**
             * Format: date-time
             * @description When Bellwire accepted it.
             */
            created_at: string;
            /** @description Byte for byte as published; null if it was erased. */
            data: unknown;
            /**
             * Format: date-time
             * @description When it is delivered at the earliest; null if that was at once.
             */
            deliver_at: string | null;
            /**
             * Format: int64
             * @description Number of endpoints that receive it. Replays are not counted.
             */
            deliveries: number;
            /** @description When and by whom the data was erased. Omitted if it was not. */
            erased?: components["schemas"]["Erasure"];
            /**
             * Format: date-time
             * @description When it expires: nothing is sent from then on; null if it does not.
             */
            expires_at: string | null;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /** @description The id given by the publisher; null if there is none. */
            idempotency_key: string | null;
            /** @description Whether it is history that was imported, and sent to nobody. Omitted if it is not. */
            imported?: boolean;
            /**
             * Format: date-time
             * @description When it happened according to the publisher, or else when Bellwire accepted it.
             */
            occurred_at: string;
            /** @description The key in whose order endpoints with the ordering key get it; null if there is none. */
            ordering_key: string | null;
            /** @description What became of it, in lists with outcomes=true. Omitted elsewhere, and if it has no delivery. */
            outcomes?: components["schemas"]["EventOutcomes"];
            /** @description Why an event that was published inside the database was not sent. Omitted if it was. */
            problem?: string;
            /** @description Whether it was created by testing an endpoint, not published. */
            test: boolean;
            /** @example invoice.paid */
            type: string;
        };
        EventList: {
            /** @description Newest first. */
            data: components["schemas"]["Event"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description How far back this page and those before it have searched: what next_cursor continues with is older. Absent on the last page.
             */
            searched_to?: string;
        };
        EventOutcomes: {
            /** Format: int64 */
            canceled: number;
            /** @description Whether only the first 100 deliveries of the event are counted, because it has more. */
            capped: boolean;
            /** Format: int64 */
            exhausted: number;
            /** Format: int64 */
            pending: number;
            /** Format: int64 */
            retrying: number;
            /** Format: int64 */
            succeeded: number;
        };
        EventType: {
            /** @description Archived types cannot be published, and endpoints can no longer subscribe to them. */
            archived: boolean;
            /** Format: date-time */
            created_at: string;
            /** @example An invoice was paid in full. */
            description: string;
            /** @description The data that a test delivers; null if there is none. */
            example: unknown;
            /** @example billing */
            group: string;
            /** @example invoice.paid */
            name: string;
            /** @description The versions before it, the first one first. */
            older_versions: components["schemas"]["Older"][];
            /** @description The JSON Schema for the data; null if any data is allowed. */
            schema: unknown;
            /** Format: date-time */
            updated_at: string;
            /**
             * Format: int64
             * @description The newest version, which is published; schema and example are its.
             * @example 1
             */
            version: number;
        };
        EventTypeInput: {
            /** @description Archived types cannot be published, and endpoints can no longer subscribe to them. */
            archived?: boolean;
            /** @example An invoice was paid in full. */
            description?: string;
            /**
             * @description The data that a test of an endpoint delivers.
             * @example {
             *       "invoice": "in_123"
             *     }
             */
            example?: unknown;
            /** @example billing */
            group?: string;
            /**
             * @description A JSON Schema (2020-12) for the data; omitted or null to allow any data.
             * @example {
             *       "type": "object"
             *     }
             */
            schema?: unknown;
        };
        Examination: {
            /** @description The worst first. */
            data: components["schemas"]["Finding"][];
            /** Format: date-time */
            examined_at: string;
        };
        Exchange: {
            /** @description The code in the fragment of a link. */
            code: string;
        };
        ExchangedSession: {
            /**
             * @description view: endpoints, events, deliveries and event types, without secrets. view_secret: secrets and whole URLs of endpoints. manage: create, change and delete endpoints. replay: retry, replay and cancel deliveries. test: send tests and probes.
             * @example [
             *       "view",
             *       "test"
             *     ]
             */
            capabilities: ("view" | "view_secret" | "manage" | "replay" | "test")[];
            /** Format: date-time */
            expires_at: string;
            id: string;
            /** @example acme */
            tenant: string;
            theme: components["schemas"]["Theme"];
            /** @description Authenticates requests in the tenant, as Authorization: Bearer. It is shown only once. */
            token: string;
        };
        ExplainedEvent: {
            /**
             * Format: date-time
             * @description When Bellwire accepted it.
             */
            created_at: string;
            /** @description Byte for byte as published; null if it was erased. */
            data: unknown;
            /**
             * Format: date-time
             * @description When it is delivered at the earliest; null if that was at once.
             */
            deliver_at: string | null;
            /**
             * Format: int64
             * @description Number of endpoints that receive it. Replays are not counted.
             */
            deliveries: number;
            /** @description What became of the event at each endpoint that the tenant has, and at deleted ones, newest first. There can be more: see endpoints_next_cursor. */
            endpoints: components["schemas"]["Explanation"][];
            /** @description If there are more endpoints, the cursor for the rest of them in GET …/events/{id}/endpoints; else null. */
            endpoints_next_cursor: string | null;
            /** @description When and by whom the data was erased. Omitted if it was not. */
            erased?: components["schemas"]["Erasure"];
            /**
             * Format: date-time
             * @description When it expires: nothing is sent from then on; null if it does not.
             */
            expires_at: string | null;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /** @description The id given by the publisher; null if there is none. */
            idempotency_key: string | null;
            /** @description Whether it is history that was imported, and sent to nobody. Omitted if it is not. */
            imported?: boolean;
            /**
             * Format: date-time
             * @description When it happened according to the publisher, or else when Bellwire accepted it.
             */
            occurred_at: string;
            /** @description The key in whose order endpoints with the ordering key get it; null if there is none. */
            ordering_key: string | null;
            /** @description What became of it, in lists with outcomes=true. Omitted elsewhere, and if it has no delivery. */
            outcomes?: components["schemas"]["EventOutcomes"];
            /** @description Why an event that was published inside the database was not sent. Omitted if it was. */
            problem?: string;
            /** @description Whether it was created by testing an endpoint, not published. */
            test: boolean;
            /** @example invoice.paid */
            type: string;
        };
        Explanation: {
            /** @description Who did that. */
            by?: components["schemas"]["Actor"];
            /**
             * @description null if there is none. Of several deliveries, the one that succeeded, or else the latest.
             * @example dlv_0198c7a3f2e47d0a9b1c2d3e4f506173
             */
            delivery: string | null;
            /** @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            endpoint: string;
            /**
             * @description If the delivery is a replay, the job that made it.
             * @example job_0198c7a3f2e47d0a9b1c2d3e4f506175
             */
            job?: string;
            /**
             * @description paused: the delivery waits because the endpoint or the tenant is paused. not_subscribed, filtered, disabled, created_later and deleted: there is no delivery, because of what the endpoint was when the event was stored. unknown: the endpoint's history does not reach back to the event.
             * @enum {string}
             */
            outcome: "delivered" | "pending" | "retrying" | "exhausted" | "canceled" | "paused" | "not_subscribed" | "filtered" | "disabled" | "created_later" | "deleted" | "unknown";
            /** @description Why, in words; empty if the outcome says it all. */
            reason: string;
            /**
             * Format: date-time
             * @description When the endpoint was paused, disabled, deleted or created, if that is the reason.
             */
            since?: string;
        };
        Fault: {
            /**
             * @description The field or parameter at fault, such as retry.schedule[2].
             * @example url
             */
            field: string;
            /**
             * @description What is wrong with it. The field is the subject of the sentence.
             * @example must be an absolute http or https URL, such as https://example.com/hooks
             */
            message: string;
        };
        FilterExample: {
            /**
             * @description The condition that decided, unless the event matched.
             * @example data.amount > 100
             */
            condition?: string;
            /**
             * Format: date-time
             * @description When Bellwire accepted the event.
             */
            created_at: string;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            event: string;
            /** @enum {string} */
            outcome: "matched" | "unmatched" | "error";
            /**
             * @description Why the condition has no answer.
             * @example data.amount does not exist
             */
            problem?: string;
            /** @example invoice.paid */
            type: string;
        };
        FilterTrial: {
            /**
             * @description The endpoint that would have the filter: it is tried on the events in the versions that this endpoint gets. By default events are as they were published.
             * @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            endpoint?: string;
            /**
             * @description The filter, as an endpoint would have it.
             * @example data.amount > 100
             */
            filter: string;
            /**
             * Format: int64
             * @description Number of events: 1 to 1,000; default 100.
             * @example 100
             */
            limit?: number;
            /**
             * @description Patterns of the events to try it on, like those of an endpoint; the filter is checked against the schemas of these types. By default all events, without a check against schemas.
             * @example [
             *       "invoice.*"
             *     ]
             */
            types?: string[];
        };
        Finding: {
            /** @description What to do about it; empty if it is nothing. */
            do: string;
            /** @example Commits are durable. */
            found: string;
            /**
             * @description What was examined; the same in all versions.
             * @example database.durability
             */
            id: string;
            /**
             * @description problem: something fails now, or can lose data. warning: something works less well, or will fail later.
             * @enum {string}
             */
            level: "problem" | "warning" | "note" | "ok";
        };
        Found: {
            /** @description Whether it is an endpoint that was deleted. Deliveries of it may be left. */
            deleted: boolean;
            /**
             * @description In the form of this API.
             * @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            id: string;
            /** @enum {string} */
            kind: "event" | "delivery" | "endpoint" | "job" | "bulk_job" | "key" | "tenant";
            /**
             * @description Where this API has it. An endpoint that was deleted has only its history there, at /history behind the path.
             * @example /api/v1/tenants/acme/events/evt_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            path: string;
            /**
             * @description The tenant that it belongs to, or that it is; null for a key of operators and a job over all tenants.
             * @example acme
             */
            tenant: string | null;
        };
        FoundList: {
            /** @description Usually one. There are several if a tenant, an endpoint and other things were given the same id. */
            data: components["schemas"]["Found"][];
        };
        Health: {
            /**
             * Format: date-time
             * @description When the endpoint last allowed deliveries, in dialects in which it is asked with OPTIONS; null if it was not asked, or has not allowed them.
             */
            allowed_at: string | null;
            /**
             * Format: int64
             * @description How many requests a minute it has allowed then, beside the endpoint's rate_limit; null for any number.
             * @example 120
             */
            allowed_rate: number | null;
            /**
             * @description The endpoint's circuit breaker.
             * @enum {string}
             */
            breaker: "closed" | "open";
            /**
             * Format: int64
             * @description Attempts of the schedule that have failed in a row.
             */
            failures: number;
            /**
             * @description What went wrong with the last attempt; empty if it was acknowledged, or if there was none.
             * @example the endpoint answered 503 Service Unavailable
             */
            last_error: string;
            /**
             * Format: date-time
             * @description When an attempt of the schedule last failed; null if none did.
             */
            last_failure_at: string | null;
            /** @description Where the last attempt failed, or ok if it was acknowledged; null if there was none, or if it failed before Bellwire was upgraded to keep this. */
            last_outcome: ("ok" | "status" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol") | null;
            /**
             * Format: date-time
             * @description When an attempt was last acknowledged, 10 seconds too early at most; null if none was.
             */
            last_success_at: string | null;
            /**
             * Format: date-time
             * @description When the next attempt can be made: a delivery is due, and neither a rest nor the circuit breaker holds it back. null if none waits.
             */
            next_attempt_at: string | null;
            /**
             * Format: date-time
             * @description When the event of the oldest of them was accepted; null if none waits.
             */
            oldest_waiting_at: string | null;
            /**
             * @description Why it is in this state; empty if it is healthy and nothing fails.
             * @example 12 attempts in a row failed since 2026-03-01T12:00:00Z; the last error: the endpoint answered 503 Service Unavailable
             */
            reason: string;
            /**
             * Format: date-time
             * @description When the state began; with failing, the first failure in a row. null if there was no attempt yet.
             */
            since: string | null;
            /**
             * @description failing: three attempts in a row failed, or one that ended its delivery, or one while none was ever acknowledged. recovering: acknowledged again, but not yet three times in a row or for a minute. idle: no attempt for 24 hours.
             * @enum {string}
             */
            state: "healthy" | "failing" | "recovering" | "idle";
            /**
             * Format: int64
             * @description Deliveries that are not acknowledged yet: counted up to 10,000, in lists that are not sorted by it up to 1,000.
             */
            waiting: number;
            /** @description Whether there are more than waiting says. */
            waiting_capped: boolean;
        };
        ImportAnswerLine: {
            /** @description What is wrong with a line of the import. */
            fault?: components["schemas"]["ImportFault"];
            /** @description The last line. Without it, the answer is not complete. */
            report?: components["schemas"]["ImportReport"];
        };
        ImportCounts: {
            /** Format: int64 */
            endpoints: number;
            /** Format: int64 */
            event_types: number;
            /** Format: int64 */
            events: number;
            /** Format: int64 */
            keys: number;
            /** Format: int64 */
            tenants: number;
        };
        ImportFault: {
            /**
             * @description The field at fault; empty if it is the whole line.
             * @example url
             */
            field: string;
            /**
             * Format: int64
             * @example 3
             */
            line: number;
            /** @example must be an absolute http or https URL, such as https://example.com/hooks */
            message: string;
        };
        ImportReport: {
            /** @description What was created, or with dry_run would be. */
            created: components["schemas"]["ImportCounts"];
            /**
             * Format: int64
             * @description Number of faults. Always 0 without dry_run, because a faulty import is refused with 422.
             */
            fault_count: number;
            /** @description The first 100 faults. With Accept: application/x-ndjson, a dry run answers with all. */
            faults: components["schemas"]["ImportFault"][];
            /**
             * Format: int64
             * @description Number of lines that were read.
             */
            lines: number;
            /**
             * Format: int64
             * @description How many of the created events the next clean-up deletes, which begins within a minute: those from before retained_since, or older than the event_retention of their tenant.
             */
            past_retention: number;
            /**
             * Format: date-time
             * @description Events that were accepted earlier are deleted; null: none are.
             */
            retained_since: string | null;
            /** @description What existed already. */
            unchanged: components["schemas"]["ImportCounts"];
        };
        Job: {
            /** @description The job over all tenants that this one is a part of; null if there is none. */
            bulk_job: string | null;
            /** Format: date-time */
            created_at: string;
            /**
             * Format: int64
             * @description Deliveries that were made, retried or canceled.
             */
            done: number;
            /** @description Why the job failed; empty if it did not. */
            error: string;
            /**
             * Format: date-time
             * @description null until the job has ended.
             */
            finished_at: string | null;
            /** @example job_0198c7a3f2e47d0a9b1c2d3e4f506175 */
            id: string;
            /** @enum {string} */
            kind: "replay" | "retry" | "cancel";
            params: components["schemas"]["JobParams"];
            /**
             * Format: double
             * @description Deliveries per second; null for as fast as there is room.
             */
            rate: number | null;
            /**
             * Format: int64
             * @description What was selected, but a filter left out, or was delivered, retried, canceled or deleted meanwhile.
             */
            skipped: number;
            /** @enum {string} */
            state: "running" | "paused" | "done" | "canceled" | "failed";
            /** @example acme */
            tenant: string;
            /**
             * Format: int64
             * @description What was selected when the job was created, before any filter. It grows if more is found on the way, and is done and skipped together in the end.
             */
            total: number;
            /** Format: date-time */
            updated_at: string;
            /** @description What a running job waits for, if it has waited for some seconds; else empty. */
            waiting: string;
        };
        JobChange: {
            /**
             * Format: double
             * @description Deliveries per second; null for as fast as there is room.
             * @example 50
             */
            rate?: number | null;
        };
        JobCount: {
            /**
             * Format: int64
             * @description What the job would be about: exactly, unless total_is_bound.
             */
            total: number;
            /** @description Whether there are at most as many: filters decide, and could not be asked about all events in time. */
            total_is_bound: boolean;
        };
        JobDeliveries: {
            /** Format: int64 */
            canceled: number;
            /** @description Whether there are more of one of them than the 10,000 that are counted. */
            capped: boolean;
            /** Format: int64 */
            exhausted: number;
            /** Format: int64 */
            succeeded: number;
            /**
             * Format: int64
             * @description Not acknowledged yet: pending or retrying.
             */
            waiting: number;
        };
        JobParams: {
            /** @description null for all. */
            dialect: string | null;
            /** @description null for all of the tenant's. */
            endpoint: string | null;
            /**
             * @description null for all.
             * @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            event: string | null;
            /** @description null if there is none. */
            filter: string | null;
            /**
             * @description null for all.
             * @example timeout
             */
            outcome: string | null;
            /** Format: date-time */
            since: string | null;
            status: string | null;
            /** @description Empty for all. */
            types: string[];
            /**
             * Format: date-time
             * @description Just after the creation of the job, if no time or a later one was given; a minute after it, if the job was started by a change of the endpoint.
             */
            until: string;
        };
        JobWithDeliveries: {
            /** @description The job over all tenants that this one is a part of; null if there is none. */
            bulk_job: string | null;
            /** Format: date-time */
            created_at: string;
            /** @description What has become of the deliveries that the job made, retried or canceled, without those that another job has retried or canceled since. */
            deliveries: components["schemas"]["JobDeliveries"];
            /**
             * Format: int64
             * @description Deliveries that were made, retried or canceled.
             */
            done: number;
            /** @description Why the job failed; empty if it did not. */
            error: string;
            /**
             * Format: date-time
             * @description null until the job has ended.
             */
            finished_at: string | null;
            /** @example job_0198c7a3f2e47d0a9b1c2d3e4f506175 */
            id: string;
            /** @enum {string} */
            kind: "replay" | "retry" | "cancel";
            params: components["schemas"]["JobParams"];
            /**
             * Format: double
             * @description Deliveries per second; null for as fast as there is room.
             */
            rate: number | null;
            /**
             * Format: int64
             * @description What was selected, but a filter left out, or was delivered, retried, canceled or deleted meanwhile.
             */
            skipped: number;
            /** @enum {string} */
            state: "running" | "paused" | "done" | "canceled" | "failed";
            /** @example acme */
            tenant: string;
            /**
             * Format: int64
             * @description What was selected when the job was created, before any filter. It grows if more is found on the way, and is done and skipped together in the end.
             */
            total: number;
            /** Format: date-time */
            updated_at: string;
            /** @description What a running job waits for, if it has waited for some seconds; else empty. */
            waiting: string;
        };
        Key: {
            /** Format: date-time */
            created_at: string;
            /**
             * Format: date-time
             * @description From when on it is refused; null for never.
             */
            expires_at: string | null;
            /** @description Whether the key can sign requests. */
            hmac: boolean;
            /** @example key_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /**
             * Format: date-time
             * @description When it was last used, to about a minute; null if that is not known.
             */
            last_used_at: string | null;
            /** @example billing service */
            name: string;
            /** @enum {string} */
            role: "admin" | "publisher" | "tenant" | "tenant-read";
            /**
             * @description The only operations of a vendor's API that the key permits. A key with scopes can be used nowhere else. Empty: all of its role.
             * @example [
             *       "pcx:webhooks:*"
             *     ]
             */
            scopes: string[];
        };
        Link: {
            /**
             * Format: date-time
             * @description When the session ends. The URL can be opened for a minute (console) or ten (portal).
             */
            expires_at: string;
            /** @example ses_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /**
             * @description Where the person opens it, once. The code is in the fragment, which browsers send to no server.
             * @example https://webhooks.example.com/portal?s=ses_…#code=bwx_…
             */
            url: string;
        };
        ListAuditEntry: {
            /** @description Newest first. */
            data: components["schemas"]["AuditEntry"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListBulkJob: {
            /** @description Newest first. */
            data: components["schemas"]["BulkJob"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListChange: {
            /** @description Newest first. */
            data: components["schemas"]["Change"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListConsoleSession: {
            /** @description Newest first. */
            data: components["schemas"]["ConsoleSession"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListEndpointWithHealth: {
            /** @description Newest first. */
            data: components["schemas"]["EndpointWithHealth"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListEventType: {
            /** @description Newest first. */
            data: components["schemas"]["EventType"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListExplanation: {
            /** @description Newest first. */
            data: components["schemas"]["Explanation"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListJob: {
            /** @description Newest first. */
            data: components["schemas"]["Job"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListKey: {
            /** @description Newest first. */
            data: components["schemas"]["Key"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListPortalSession: {
            /** @description Newest first. */
            data: components["schemas"]["PortalSession"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListTenant: {
            /** @description Newest first. */
            data: components["schemas"]["Tenant"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
        };
        ListedDelivery: {
            /**
             * Format: int64
             * @description Number of attempts.
             */
            attempt_count: number;
            /** Format: date-time */
            created_at: string;
            /** @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            endpoint: string;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            event: string;
            /** @example invoice.paid */
            event_type: string;
            /** @example dlv_0198c7a3f2e47d0a9b1c2d3e4f506173 */
            id: string;
            /** @description The job that made this delivery, if it is a replay; else the one that retried or canceled it last; null if none did. */
            job: string | null;
            /**
             * @description What went wrong with the newest attempt; empty if nothing did, or if there was none.
             * @example the endpoint answered 503 Service Unavailable
             */
            last_error: string;
            /** @description Where the newest attempt failed, or ok if it was acknowledged; null if there was none. */
            last_outcome: ("ok" | "status" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol") | null;
            /**
             * Format: int64
             * @description The status of the response to the newest attempt; null if there was no response.
             * @example 503
             */
            last_status: number | null;
            /**
             * Format: date-time
             * @description When the next attempt is due; null if there is none.
             */
            next_attempt_at: string | null;
            /** @description Why it ended or could not be sent, if the status alone does not say so. */
            reason: string;
            /** @description Whether a job made this delivery, as a replay of the event. */
            replay: boolean;
            /** @description Whether a retry was requested and has not been attempted yet. The status stays until its attempt has ended. */
            retry_requested: boolean;
            /** @enum {string} */
            status: "pending" | "retrying" | "succeeded" | "exhausted" | "canceled";
            /** @description Whether it was created by testing the endpoint. A test is one attempt. */
            test: boolean;
            /** Format: date-time */
            updated_at: string;
            /** @description What the delivery waits for; null if it has ended. */
            waiting_for: components["schemas"]["Waiting"] | null;
        };
        Missed: {
            /**
             * Format: date-time
             * @description Events accepted at or after this time are counted: a little before the first failed attempt in a row, or when the endpoint was paused or disabled, whichever came first.
             */
            since: string;
            /**
             * Format: date-time
             * @description When the endpoint was paused or disabled; null if it is enabled.
             */
            stopped_at: string | null;
            /**
             * Format: int64
             * @description What the job would be about: exactly, unless total_is_bound.
             */
            total: number;
            /** @description Whether there are at most as many: filters decide, and could not be asked about all events in time. */
            total_is_bound: boolean;
        };
        MovedSecret: {
            /**
             * Format: date-time
             * @description When it stops to sign; required for all but the newest.
             */
            expires_at?: string;
            /** @description The ed25519 key that signs besides, whsk_ and its base64; by default a new one if signing needs it. */
            private_key?: string;
            /** @description In the dialect's form. */
            secret: string;
        };
        NamedDialect: {
            /** @example standard */
            name: string;
        };
        NewEndpoint: {
            /** @description How Bellwire authenticates, in addition to the signature; null for not at all. */
            auth?: components["schemas"]["Auth"] | null;
            /**
             * @description How long attempts must have failed before Bellwire disables the endpoint: 1s to 8760h; 0s for never. By default that of the dialect, which is 120h in standard and 0s in those of the five vendors.
             * @example 120h
             */
            auto_disable_after?: string;
            /**
             * Format: date-time
             * @description For admin keys: when it was created on another server.
             */
            created_at?: string;
            /** @description null clears it. */
            description?: string | null;
            /** @description The format of deliveries and of the management API; by default that of the server. Settings that the dialect cannot represent are refused. On a change, secrets without the dialect's form are replaced. */
            dialect?: string;
            /**
             * @description Patterns: an exact name of the catalogue, or a prefix ended by *.
             * @example [
             *       "invoice.*"
             *     ]
             */
            events: string[];
            /**
             * @description A CEL expression over type, data, id and occurred_at. Only events of the subscribed types for which it is true are delivered. It is checked against the schemas of these types. null removes it.
             * @example data.amount > 100
             */
            filter?: string | null;
            /** @description Names and values, sent with each delivery. Replaces all present headers; null removes them. A present header that is given with the value [redacted], as it is shown, keeps its value. */
            headers?: {
                [key: string]: string;
            } | null;
            /** @description For admin keys: an id of your own, such as the one on another server. */
            id?: string;
            /**
             * Format: int64
             * @description Maximum number of concurrent requests, including tests and manual retries; default 64.
             */
            max_in_flight?: number;
            /** @description Up to 50 entries of your own. Replaces all present entries; null removes them. */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * @description What happens to an event for which the filter has no answer, because a field is missing, for example; default deliver.
             * @enum {string}
             */
            on_error?: "deliver" | "skip";
            /**
             * @description With fifo, a delivery is sent only after the one before it has ended. With key, that holds among the events with the same ordering_key, and others are sent at the same time. Default none.
             * @enum {string}
             */
            ordering?: "none" | "fifo" | "key";
            /**
             * Format: double
             * @description Events per second, above 0; null for no limit.
             */
            rate_limit?: number | null;
            /** @description When failed deliveries are attempted again, in one of three forms: schedule; interval and count; or initial, factor, max_interval and max_elapsed. By default the dialect's policy. */
            retry?: {
                /** @description Number of retries; there is one attempt more. */
                count?: number;
                /** @description By which each delay is multiplied for the next; default 2. */
                factor?: number;
                /**
                 * @description The delay before the first retry.
                 * @example 5m
                 */
                initial?: string;
                /**
                 * @description The delay before each of count retries.
                 * @example 5m
                 */
                interval?: string;
                /** @description The random share of each delay, half of it on either side: 0.2 spreads a delay over ±10 %. 0 to 1; default 0. */
                jitter?: number;
                /**
                 * @description No retry is due later than this after the event was accepted, or after the endpoint was last changed, unless Retry-After or the limit min_retry_delay puts it off.
                 * @example 5m
                 */
                max_elapsed?: string;
                /**
                 * @description The longest delay.
                 * @example 5m
                 */
                max_interval?: string;
                /** @description The delay before each retry. */
                schedule?: string[];
            };
            /** @description Your own secret instead of a generated one, in the dialect's form; that of standard is whsec_ and the base64 of 24 to 64 bytes. It replaces the present secret at once; to let both sign for a while, rotate it. */
            secret?: string;
            /** @description For admin keys: all secrets that sign, newest first, as they were on another server; instead of secret. */
            secrets?: components["schemas"]["MovedSecret"][];
            /**
             * @description The signature schemes of deliveries; default hmac.
             * @enum {string}
             */
            signing?: "hmac" | "ed25519" | "both";
            /**
             * @description A paused endpoint keeps its deliveries for later, a disabled one receives only tests; default enabled.
             * @enum {string}
             */
            status?: "enabled" | "paused" | "disabled";
            /**
             * @description Why it is paused or disabled. Whoever sees the endpoint sees it. null removes it; another status does too.
             * @example the receiver moves
             */
            status_reason?: string | null;
            /**
             * @description How long an attempt may take: 1s to 60s, by default that of the dialect, which is 15s in standard.
             * @example 15s
             */
            timeout?: string;
            /**
             * Format: uri
             * @description Where to deliver: http or https.
             * @example https://example.com/webhooks
             */
            url: string;
            /** @description Versions of event types that it is to get, by their names. Types that are not named stay. */
            versions?: {
                [key: string]: number;
            };
        };
        NewOperatorKey: {
            /**
             * Format: date-time
             * @description From when on the key is refused; by default never.
             * @example 2027-01-31T00:00:00Z
             */
            expires_at?: string;
            /**
             * @description The id that the key had on another server or in another system: key_ or api_ and 32 hex digits, or a UUID; by default a new one. Responses show it as key_ and the digits.
             * @example key_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            id?: string;
            /** @example billing service */
            name?: string;
            /** @enum {string} */
            role: "admin" | "publisher";
            /** @description The secret that the key had on another server or in another system, 8 to 512 printable ASCII characters; by default a new one. One of Bellwire's contains its id. */
            secret?: string;
            /**
             * @description The SHA-256 of such a secret, in hex, instead of the secret. One of Bellwire's needs its id, too.
             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            secret_sha256?: string;
        };
        NewPortalSession: {
            /**
             * @description What the person may do; by default everything. view is always included.
             * @example [
             *       "view",
             *       "test"
             *     ]
             */
            capabilities?: ("view" | "view_secret" | "manage" | "replay" | "test")[];
            /**
             * @description How long the session lasts: 1m to 24h, by default 1h. It ends with the key that created it.
             * @example 1h
             */
            expires_in?: string;
            /**
             * @description The origins of the pages that may show the portal in a frame, at most 10; by default none.
             * @example [
             *       "https://app.example.com"
             *     ]
             */
            origins?: string[];
            theme?: components["schemas"]["Theme"];
        };
        NewTenant: {
            /** @description The tenant's own settings of dialects, by name, over those of the server. */
            dialects?: {
                [key: string]: components["schemas"]["DialectSettings"];
            };
            /**
             * @description The id, which you choose.
             * @example acme
             */
            id: string;
            /** @description The tenant's own values of limits. */
            limits?: {
                /** @description Attempts of a delivery that are kept with their request and response: half of them from its start, and half from its end. For attempts in between, only time, outcome and timings are kept. Must be a whole number between 2 and 200. */
                attempt_details?: number | null;
                /** @description New entries in the audit log, counted separately for four kinds: changes of the configuration, other actions, requests that a dialect must record, and refused calls. Beyond the limit, changes and actions are made and logged without an entry, those requests are refused, and refused calls are not recorded. No entry is deleted early. Equal requests within a minute are one entry. Must be a whole number between 100 and 10,000,000. */
                audit_entries?: number | null;
                /** @description Endpoints created, changed and deleted, and secrets rotated, with the tenant's own keys. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                change_rate?: number | null;
                /** @description Size of the configuration of all endpoints together: URLs, event patterns, filters, retry policies, chosen versions of event types, settings of dialects, metadata, descriptions, headers and secrets. Every node that sends for the tenant keeps all of it but descriptions and metadata in memory; there it takes about twice its size, plus 1.5 KiB for each endpoint. Their compiled filters may take four times the limit; equal ones count once. Changes that need more than 96 MiB of memory for one tenant are refused, whatever the limit. Must be a number of bytes between 256KiB and 256MiB. */
                configuration_bytes?: number | null;
                /** @description Number of endpoints. Must be a whole number between 1 and 65,536. */
                endpoints?: number | null;
                /** @description How long events are kept, with their deliveries and attempts; 0: forever. The option `--retention` sets it for all tenants. A tenant can have a shorter time, [which deletes its events row by row](retention.md#a-tenant-with-a-time-of-its-own). Must be a time between 1s and 438000h, or 0 for no limit. */
                event_retention?: string | null;
                /** @description Deliveries that wait to be stored. The deliveries of a publish with more than 1,000 of them are stored in steps, after its events. Must be a whole number between 65,536 and 1,000,000,000. */
                fan_out?: number | null;
                /** @description Replays, bulk retries and bulk cancellations that have not ended. Must be a whole number between 1 and 1,000. */
                jobs?: number | null;
                /** @description Number of API keys. Must be a whole number between 1 and 100,000. */
                keys?: number | null;
                /** @description Shortest delay before a retry. Retry policies must not have shorter ones. Policies that are older than the limit keep theirs, but are held to it. It takes precedence over jitter and `max_elapsed`, so a retry can come after `max_elapsed`. Must be a time between 1ms and 1h. */
                min_retry_delay?: string | null;
                /** @description Events published through the API. Events published in SQL are not counted, because they are already stored. Each of n nodes takes an nth of the rate, so publish through all of them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                publish_rate?: number | null;
                /** @description API requests with the tenant's own keys, in all dialects. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                request_rate?: number | null;
                /** @description Manual retries of deliveries, whoever requests them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                retry_rate?: number | null;
                /** @description Number of stored events. Each node counts them at most once a minute, or every ten seconds while the tenant is at the limit, and adds the events that it accepts, so events that other nodes accept in between can exceed the limit. Counting reads one index entry for each event. Must be a whole number between 1 and 100,000,000, or 0 for no limit. */
                stored_events?: number | null;
                /** @description Requests to one host that were not acknowledged. Up to 5 times as many can go to one IP address, whatever the names of its hosts. Each node counts its own requests. Must be a whole number between 1 and 1,000,000,000, or 0 for no limit. */
                target_requests?: number | null;
                /** @description Tests of endpoints, whoever requests them. A test counts once more for each 32 KiB of its example, because the example is stored each time. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                test_rate?: number | null;
            };
            /** @description Up to 50 entries of your own. */
            metadata?: {
                [key: string]: string;
            };
            /**
             * @description A name for people.
             * @example Acme Ltd
             */
            name?: string;
            /** @description Whether Bellwire publishes operational events about the tenant, such as bellwire.endpoint.failing, to the tenant itself, whose endpoints can subscribe to them. The tenant bellwire gets those about all tenants. */
            operational_events?: boolean;
            /**
             * Format: double
             * @description The same as limits.publish_rate: events per second that may be published through the API; 0 for no limit. null restores the server's value.
             * @example 100
             */
            publish_rate?: number | null;
            /**
             * @description paused: nothing is sent to the tenant's endpoints, and everything waits, tests and manual retries too. Events are still taken. active sends what waits.
             * @enum {string}
             */
            status?: "active" | "paused";
            /**
             * @description Why the tenant is paused. The tenant sees it. null removes it; the end of the pause does too.
             * @example the invoice is overdue
             */
            status_reason?: string | null;
        };
        NewTenantKey: {
            /**
             * Format: date-time
             * @description From when on the key is refused; by default never.
             * @example 2027-01-31T00:00:00Z
             */
            expires_at?: string;
            /** @description Whether to store the secret, encrypted, so that the key can sign requests. */
            hmac?: boolean;
            /**
             * @description The id that the key had on another server or in another system: key_ or api_ and 32 hex digits, or a UUID; by default a new one. Responses show it as key_ and the digits.
             * @example key_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            id?: string;
            /** @example customer portal */
            name?: string;
            /** @enum {string} */
            role: "tenant" | "tenant-read";
            /**
             * @description The only operations of a vendor's API that the key permits, such as pcx:webhooks:read of the dialect bluefin; by default all of its role. A key with scopes can be used nowhere else.
             * @example [
             *       "pcx:webhooks:*"
             *     ]
             */
            scopes?: string[];
            /** @description The secret that the key had on another server or in another system, 8 to 512 printable ASCII characters; by default a new one. One of Bellwire's contains its id. */
            secret?: string;
            /**
             * @description The SHA-256 of such a secret, in hex, instead of the secret. One of Bellwire's needs its id, too.
             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            secret_sha256?: string;
        };
        NewVersionInput: {
            /**
             * @description A CEL expression over data, type, id and occurred_at that makes data of the version before.
             * @example data.without(["currency"])
             */
            converter: string;
            /**
             * @description The data that a test of an endpoint delivers. The converter is tried on it.
             * @example {
             *       "currency": "EUR",
             *       "invoice": "in_123"
             *     }
             */
            example?: unknown;
            /**
             * @description A JSON Schema (2020-12) for the data; omitted or null to allow any data.
             * @example {
             *       "type": "object"
             *     }
             */
            schema?: unknown;
        };
        Node: {
            /**
             * @description The URL at which clients reach it; null for other nodes than the one that answers.
             * @example http://10.0.0.5:8080
             */
            address: string | null;
            /** @description Whether its leases hold. Other nodes take the shards of one that is not alive. */
            alive: boolean;
            /** @description Whether it is the node that answers. */
            current: boolean;
            /**
             * Format: int64
             * @description The newest epoch of its shards, which grows with each change of owner; 0 if it owns none.
             * @example 7
             */
            epoch: number;
            /**
             * @description The node's name.
             * @example host-1/10.0.0.5:8080
             */
            id: string;
            /**
             * Format: date-time
             * @description When its leases end unless it renews them; null for leases that do not end.
             */
            lease_expires_at: string | null;
            /**
             * Format: date-time
             * @description When it renewed its leases, as the node that answers has seen: up to a quarter of their term late. null for leases that do not end, as with SQLite.
             */
            lease_renewed_at: string | null;
            /** @description Whether it is shutting down, and hands its shards over. */
            leaving: boolean;
            /**
             * Format: int64
             * @description How many of the 256 shards it owns. Each endpoint belongs to one.
             * @example 128
             */
            shards: number;
            /**
             * Format: date-time
             * @description When its process started; null if the node has not said it.
             */
            started_at: string | null;
            /**
             * @description null if the node has not said it, because its version is older.
             * @example 0.3.0
             */
            version: string | null;
        };
        NodeList: {
            /** @description By name, at most 512. */
            data: components["schemas"]["Node"][];
        };
        Older: {
            /**
             * @description The CEL expression that makes this version's data of that of the next version.
             * @example data.without(["currency"])
             */
            converter: string;
            /** @description Such data; null if there is none. */
            example: unknown;
            /** @description The JSON Schema for the data; null if any data is allowed. */
            schema: unknown;
            /**
             * Format: date-time
             * @description When the next version was added; null if that is not known.
             */
            until: string | null;
            /**
             * Format: int64
             * @example 1
             */
            version: number;
        };
        OwnSession: {
            /**
             * @description The address of the client that got the token.
             * @example 192.0.2.7
             */
            address: string;
            /** Format: date-time */
            created_at: string;
            /** @description Whether this request was made in the session. */
            current: boolean;
            /** @description Whether its code was exchanged for a token. */
            exchanged: boolean;
            /** Format: date-time */
            expires_at: string;
            /** @example ses_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /** @description The key that made the session, and with which it ends; null for the configured admin key. */
            key: string | null;
            /** @description The name of the key that made the session; empty for the configured admin key. */
            key_name: string;
            /**
             * Format: date-time
             * @description When it was last used, to about a minute; null for never.
             */
            last_used_at: string | null;
            /** @enum {string} */
            role: "admin" | "publisher";
            /** @description The browser that got the token. */
            user_agent: string;
        };
        Patch: {
            /** @description How Bellwire authenticates, in addition to the signature; null for not at all. */
            auth?: components["schemas"]["Auth"] | null;
            /**
             * @description How long attempts must have failed before Bellwire disables the endpoint: 1s to 8760h; 0s for never. By default that of the dialect, which is 120h in standard and 0s in those of the five vendors.
             * @example 120h
             */
            auto_disable_after?: string;
            /** @description null clears it. */
            description?: string | null;
            /** @description The format of deliveries and of the management API; by default that of the server. Settings that the dialect cannot represent are refused. On a change, secrets without the dialect's form are replaced. */
            dialect?: string;
            /**
             * @description Patterns: an exact name of the catalogue, or a prefix ended by *.
             * @example [
             *       "invoice.*"
             *     ]
             */
            events?: string[];
            /**
             * @description A CEL expression over type, data, id and occurred_at. Only events of the subscribed types for which it is true are delivered. It is checked against the schemas of these types. null removes it.
             * @example data.amount > 100
             */
            filter?: string | null;
            /** @description Names and values, sent with each delivery. Replaces all present headers; null removes them. A present header that is given with the value [redacted], as it is shown, keeps its value. */
            headers?: {
                [key: string]: string;
            } | null;
            /**
             * Format: int64
             * @description Maximum number of concurrent requests, including tests and manual retries; default 64.
             */
            max_in_flight?: number;
            /** @description Up to 50 entries of your own. Replaces all present entries; null removes them. */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * @description What happens to an event for which the filter has no answer, because a field is missing, for example; default deliver.
             * @enum {string}
             */
            on_error?: "deliver" | "skip";
            /**
             * @description With fifo, a delivery is sent only after the one before it has ended. With key, that holds among the events with the same ordering_key, and others are sent at the same time. Default none.
             * @enum {string}
             */
            ordering?: "none" | "fifo" | "key";
            /**
             * Format: double
             * @description Events per second, above 0; null for no limit.
             */
            rate_limit?: number | null;
            /**
             * @description missed: with the status enabled, also starts a replay of what the endpoint has missed since its attempts began to fail in a row, or it was paused or disabled. Both are done or neither.
             * @example missed
             */
            replay?: string;
            /** @description When failed deliveries are attempted again, in one of three forms: schedule; interval and count; or initial, factor, max_interval and max_elapsed. By default the dialect's policy. */
            retry?: {
                /** @description Number of retries; there is one attempt more. */
                count?: number;
                /** @description By which each delay is multiplied for the next; default 2. */
                factor?: number;
                /**
                 * @description The delay before the first retry.
                 * @example 5m
                 */
                initial?: string;
                /**
                 * @description The delay before each of count retries.
                 * @example 5m
                 */
                interval?: string;
                /** @description The random share of each delay, half of it on either side: 0.2 spreads a delay over ±10 %. 0 to 1; default 0. */
                jitter?: number;
                /**
                 * @description No retry is due later than this after the event was accepted, or after the endpoint was last changed, unless Retry-After or the limit min_retry_delay puts it off.
                 * @example 5m
                 */
                max_elapsed?: string;
                /**
                 * @description The longest delay.
                 * @example 5m
                 */
                max_interval?: string;
                /** @description The delay before each retry. */
                schedule?: string[];
            };
            /** @description Your own secret instead of a generated one, in the dialect's form; that of standard is whsec_ and the base64 of 24 to 64 bytes. It replaces the present secret at once; to let both sign for a while, rotate it. */
            secret?: string;
            /**
             * @description The signature schemes of deliveries; default hmac.
             * @enum {string}
             */
            signing?: "hmac" | "ed25519" | "both";
            /**
             * @description A paused endpoint keeps its deliveries for later, a disabled one receives only tests; default enabled.
             * @enum {string}
             */
            status?: "enabled" | "paused" | "disabled";
            /**
             * @description Why it is paused or disabled. Whoever sees the endpoint sees it. null removes it; another status does too.
             * @example the receiver moves
             */
            status_reason?: string | null;
            /**
             * @description How long an attempt may take: 1s to 60s, by default that of the dialect, which is 15s in standard.
             * @example 15s
             */
            timeout?: string;
            /**
             * Format: uri
             * @description Where to deliver: http or https.
             * @example https://example.com/webhooks
             */
            url?: string;
            /** @description Versions of event types that it is to get, by their names. Types that are not named stay. */
            versions?: {
                [key: string]: number;
            };
        };
        PortalSession: {
            /**
             * @description The address of the client that got the token.
             * @example 192.0.2.7
             */
            address: string;
            /**
             * @description view: endpoints, events, deliveries and event types, without secrets. view_secret: secrets and whole URLs of endpoints. manage: create, change and delete endpoints. replay: retry, replay and cancel deliveries. test: send tests and probes.
             * @example [
             *       "view",
             *       "test"
             *     ]
             */
            capabilities: ("view" | "view_secret" | "manage" | "replay" | "test")[];
            /** Format: date-time */
            created_at: string;
            /** @description Whether its code was exchanged for a token. */
            exchanged: boolean;
            /** Format: date-time */
            expires_at: string;
            /** @example ses_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /** @description The key that made the session, and with which it ends; null for the configured admin key. */
            key: string | null;
            /**
             * Format: date-time
             * @description When it was last used, to about a minute; null for never.
             */
            last_used_at: string | null;
            origins: string[];
            theme: components["schemas"]["Theme"];
            /** @description The browser that got the token. */
            user_agent: string;
        };
        PreviewBody: {
            /** @description Absent if none can be made. */
            body?: string;
            /** @example application/json */
            content_type?: string;
            /**
             * @description Why there is no body, why it is not the one that was sent, or why its data does not fit the schema of the version.
             * @example data.amount does not exist
             */
            problem?: string;
            /**
             * Format: int64
             * @description The version of the data; absent if there is no body.
             * @example 1
             */
            version?: number;
        };
        Probe: {
            /**
             * @description Get this delivery to see the response.
             * @example dlv_0198c7a3f2e47d0a9b1c2d3e4f506173
             */
            delivery: string;
            /** @description Of a delivery with many attempts, only the first and the last keep their details. If true, request is null, and the response has only its status. */
            details_dropped: boolean;
            /** @description What went wrong; empty if nothing did. */
            error: string;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            event: string;
            /** @example att_0198c7a3f2e47d0a9b1c2d3e4f506174 */
            id: string;
            /**
             * Format: int64
             * @description From 1 within the delivery.
             */
            number: number;
            /**
             * @description Where the attempt failed, if it did.
             * @enum {string}
             */
            outcome: "ok" | "status" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol";
            /** @description null if it is no longer stored; see details_dropped. */
            request: components["schemas"]["AttemptRequest"] | null;
            /** @description null if there was no response. */
            response: components["schemas"]["AttemptResponse"] | null;
            /** Format: date-time */
            started_at: string;
            /** @description In milliseconds; 0 if the phase did not happen or did not end. */
            timings: components["schemas"]["Timings"];
            /** @enum {string} */
            trigger: "schedule" | "manual" | "test";
            /** @example invoice.paid */
            type: string;
        };
        Problem: {
            /**
             * @description The kind of problem, for programs. Codes are stable.
             * @example invalid
             */
            code: string;
            /**
             * @description What is wrong, in a sentence. With several errors, the first of them.
             * @example url must be an absolute http or https URL, such as https://example.com/hooks
             */
            detail: string;
            /** @description The fields or parameters at fault, all of them, if there are any. */
            errors?: components["schemas"]["Fault"][];
            /**
             * @description What to do about it, where the detail does not say so already.
             * @example Wait until one of them expires, or rotate with the overlap 0s.
             */
            hint?: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 422
             */
            status: number;
            /**
             * @description The kind of problem, for people.
             * @example Invalid request
             */
            title: string;
            /**
             * Format: uri-reference
             * @description Link to the description of this kind of problem.
             * @example /docs#error-invalid
             */
            type: string;
        };
        Publication: {
            /**
             * @description Any JSON value. It is stored and delivered byte for byte, including white space, escapes, the format of numbers and duplicate names.
             * @example {
             *       "invoice": "in_123",
             *       "total": 1.5
             *     }
             */
            data: unknown;
            /**
             * Format: date-time
             * @description When it is delivered at the earliest, at most 365 days ahead. Until then its deliveries can be canceled. A time in the past means at once.
             * @example 2026-02-01T08:00:00Z
             */
            deliver_at?: string | null;
            /**
             * Format: date-time
             * @description When it expires: nothing is sent from then on, and the deliveries that are still open are canceled. It must be after deliver_at.
             * @example 2026-02-01T20:00:00Z
             */
            expires_at?: string | null;
            /**
             * @description Your idempotency key, kept for 7 days, or as long as the event if that is longer. Publishing the same id with the same type and data returns the first event; with other data it is a conflict.
             * @example in_123-paid
             */
            id?: string | null;
            /**
             * Format: date-time
             * @description When it happened; by default when Bellwire accepted it, which is a different microsecond for each event of a tenant. Give each event its own time if receivers identify events by it, as in the dialect atelio.
             * @example 2026-01-31T12:30:00Z
             */
            occurred_at?: string | null;
            /**
             * @description Endpoints with the ordering key get the events that have the same ordering_key one after the other, in the order of publication. Without it, or with deliver_at, the event is in no order. Other endpoints ignore it.
             * @example in_123
             */
            ordering_key?: string | null;
            /**
             * @description An event type of the catalogue.
             * @example invoice.paid
             */
            type: string;
        };
        Receipt: {
            /**
             * Format: int64
             * @description Number of endpoints that receive it.
             * @example 2
             */
            deliveries: number;
            /** @description Whether the id was known: then this is the first event, and nothing new was stored. */
            duplicate: boolean;
            /**
             * @description The event's id, sent to receivers as webhook-id.
             * @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            id: string;
            /** @example invoice.paid */
            type: string;
        };
        Receipts: {
            /** @description The receipts, in the order of the events. */
            data: components["schemas"]["Receipt"][];
        };
        ReplayInput: {
            /** @description Whether only to count. */
            dry_run?: boolean;
            /**
             * @description Nobody else gets anything.
             * @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172
             */
            endpoint?: string;
            /**
             * @description Only events that this CEL expression takes. Others are skipped, and so are those for which it has no answer.
             * @example data.amount > 100
             */
            filter?: string;
            /**
             * Format: double
             * @description Deliveries per second; as fast as there is room, if it is left out.
             * @example 50
             */
            rate?: number;
            /**
             * @description Only events accepted at or after this time.
             * @example 2026-01-31T12:30:00Z
             */
            since?: string;
            /**
             * @description failed (default): events whose delivery to the endpoint is exhausted or canceled. missing: events that match the endpoint as it is now and of which it has no delivery, also from before it was made; what its filter keeps from it is skipped. missed: both. all: both, and those that were delivered.
             * @example failed
             */
            status?: string;
            /**
             * @description Only events of these types: names, or starts of names followed by a single *.
             * @example [
             *       "invoice.*"
             *     ]
             */
            types?: string[];
            /**
             * @description Only events accepted before this time; now, if it is left out or later.
             * @example 2026-02-01T00:00:00Z
             */
            until?: string;
        };
        RequestBodyOf: {
            /** @example {"type":"invoice.paid","timestamp":"2026-01-31T12:30:00Z","data":{}} */
            body: string;
            /** @description The SHA-256 of the body, in hexadecimal. */
            body_sha256: string;
            /**
             * Format: int64
             * @description The size of the body, as attempts have it in body_bytes.
             */
            bytes: number;
            /** @example application/json */
            content_type: string;
            /**
             * @description The dialect that makes the body.
             * @example standard
             */
            dialect: string;
            /** @description With attempt: what is known of the body that it has sent. */
            sent?: components["schemas"]["SentBody"];
            /**
             * Format: int64
             * @description The version of the event's type in which the data is.
             * @example 1
             */
            version: number;
        };
        RetryInput: {
            /** @description Whether the whole retry schedule begins again, instead of one attempt. */
            restart?: boolean;
        };
        RotatedSecret: {
            /**
             * Format: date-time
             * @description When the previous secret stops to sign; null if it has stopped.
             */
            previous_expires_at: string | null;
            /**
             * @description The ed25519 public key, if the endpoint signs with one.
             * @example whpk_MCowBQYDK2VwAyEAe8Qd
             */
            public_key?: string;
            /**
             * @description The secret with which receivers verify deliveries.
             * @example whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD
             */
            secret?: string;
        };
        Rotation: {
            /**
             * @description How long the previous secret continues to sign, such as 24h (the default) or 0s. In dialects whose deliveries carry one signature, it must be 0s, which is the default there.
             * @example 24h
             */
            overlap?: string;
        };
        SearchedListListedDelivery: {
            /** @description Newest first. */
            data: components["schemas"]["ListedDelivery"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description How far back this page and those before it have searched: what next_cursor continues with is older. Absent on the last page.
             */
            searched_to?: string;
        };
        SearchedListTenantDelivery: {
            /** @description Newest first. */
            data: components["schemas"]["TenantDelivery"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description How far back this page and those before it have searched: what next_cursor continues with is older. Absent on the last page.
             */
            searched_to?: string;
        };
        SentBody: {
            /**
             * Format: int64
             * @example 1
             */
            attempt: number;
            /** @description The SHA-256 of the body that was sent, in hexadecimal; absent where it was not recorded. */
            body_sha256?: string;
            /**
             * @description Why it is not the same, or why that is not known.
             * @example the event type was changed at 2026-01-31T12:30:00Z, after the attempt: its converters make other data now
             */
            reason?: string;
            /** @description Whether the body has this hash: then it is what was sent. */
            same: boolean;
        };
        Setting: {
            /** @example Server */
            group: string;
            /** @example Address to listen on. */
            help: string;
            /**
             * @description The flag without its dashes, which is also the key in the configuration file.
             * @example listen
             */
            name: string;
            /** @description Whether its value is a secret, which is never shown. */
            secret: boolean;
            /**
             * @description Where the value comes from.
             * @enum {string}
             */
            source: "flag" | "environment" | "file" | "default";
            /**
             * @description null if it has no value. The value of a secret is "set"; passwords are left out of URLs.
             * @example 127.0.0.1:8080
             */
            value: string | null;
            /**
             * @description The environment variables that set it.
             * @example [
             *       "BELLWIRE_LISTEN"
             *     ]
             */
            variables: string[];
        };
        SettingList: {
            data: components["schemas"]["Setting"][];
        };
        ShownAuth: {
            /** @description With api_key: the header that carries the key. */
            header?: string;
            /** @enum {string} */
            type: "none" | "api_key" | "basic" | "bearer";
            /** @description With basic. */
            username?: string;
        };
        SignedIn: {
            /**
             * Format: date-time
             * @description When the session ends at the latest.
             */
            expires_at: string;
            /** @example ses_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /**
             * @description The role of the key that made the session.
             * @enum {string}
             */
            role: "admin" | "publisher";
        };
        SigningSecret: {
            /**
             * Format: date-time
             * @description When it stops to sign; null for the newest secret.
             */
            expires_at: string | null;
            /** @description Whether another system made the secret, in a form that the dialect does not give to its own. Omitted if not. */
            imported?: boolean;
            /**
             * @description The ed25519 public key, if the endpoint signs with one.
             * @example whpk_MCowBQYDK2VwAyEAe8Qd
             */
            public_key?: string;
            /**
             * @description The secret with which receivers verify deliveries.
             * @example whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD
             */
            secret?: string;
        };
        Statistics: {
            /** @description Oldest first. An interval in which nothing happened has no row. */
            data: components["schemas"]["StatisticsRow"][];
            /** @enum {string} */
            interval: "minute" | "hour" | "day";
            /** @description Whether groups were taken together because there are too many. Their rows have others too. */
            others: boolean;
            /**
             * Format: date-time
             * @description When the first interval begins.
             */
            since: string;
            /** Format: date-time */
            until: string;
        };
        StatisticsRow: {
            /**
             * Format: date-time
             * @description When the interval begins, in UTC.
             * @example 2026-01-31T12:00:00Z
             */
            at: string;
            /**
             * Format: int64
             * @description Attempts that ended, without those of tests.
             */
            attempts: number;
            /** @description With by=dialect. */
            dialect?: string;
            /** @description With by=endpoint. */
            endpoint?: string;
            /**
             * Format: int64
             * @description All other attempts.
             */
            failed: number;
            /** @description The row counts what has no row of its own, because there are too many groups. */
            others?: boolean;
            /** @description With by=outcome: the outcome of the attempts. */
            outcome?: string;
            /**
             * Format: double
             * @description The time that half of the attempts did not exceed, in milliseconds, wrong by less than 5 %. null if there were none.
             */
            p50_ms: number | null;
            /**
             * Format: double
             * @description The time that 99 of 100 attempts did not exceed, in milliseconds.
             */
            p99_ms: number | null;
            /**
             * Format: int64
             * @description Events that were accepted, without those of tests. null if by has endpoint, dialect or outcome, because an event has none.
             */
            published: number | null;
            /**
             * Format: int64
             * @description Attempts that were acknowledged.
             */
            succeeded: number;
            /** @description With by=tenant. */
            tenant?: string;
            /** @description With by=type. */
            type?: string;
        };
        Subscription: {
            /**
             * Format: int64
             * @description Number of endpoints of all tenants that are not disabled and subscribe to it, by its name or a pattern.
             */
            endpoints: number;
            /** @example invoice.paid */
            event_type: string;
        };
        Subscriptions: {
            /** @description Whether only the newest 10,000 endpoints were counted, because there are more. */
            capped: boolean;
            /** @description By name, with one entry for each event type of the catalogue. */
            data: components["schemas"]["Subscription"][];
        };
        Tenant: {
            /** Format: date-time */
            created_at: string;
            /** @description The tenant's own settings of dialects, by name, over those of the server. */
            dialects: {
                [key: string]: components["schemas"]["DialectSettings"];
            };
            /** @description All limits of this tenant: its own values, and the server's for the others. 0 means no limit. */
            effective_limits: {
                /** @description Attempts of a delivery that are kept with their request and response: half of them from its start, and half from its end. For attempts in between, only time, outcome and timings are kept. Must be a whole number between 2 and 200. */
                attempt_details?: number;
                /** @description New entries in the audit log, counted separately for four kinds: changes of the configuration, other actions, requests that a dialect must record, and refused calls. Beyond the limit, changes and actions are made and logged without an entry, those requests are refused, and refused calls are not recorded. No entry is deleted early. Equal requests within a minute are one entry. Must be a whole number between 100 and 10,000,000. */
                audit_entries?: number;
                /** @description Endpoints created, changed and deleted, and secrets rotated, with the tenant's own keys. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                change_rate?: number;
                /** @description Size of the configuration of all endpoints together: URLs, event patterns, filters, retry policies, chosen versions of event types, settings of dialects, metadata, descriptions, headers and secrets. Every node that sends for the tenant keeps all of it but descriptions and metadata in memory; there it takes about twice its size, plus 1.5 KiB for each endpoint. Their compiled filters may take four times the limit; equal ones count once. Changes that need more than 96 MiB of memory for one tenant are refused, whatever the limit. Must be a number of bytes between 256KiB and 256MiB. */
                configuration_bytes?: number;
                /** @description Number of endpoints. Must be a whole number between 1 and 65,536. */
                endpoints?: number;
                /** @description How long events are kept, with their deliveries and attempts; 0: forever. The option `--retention` sets it for all tenants. A tenant can have a shorter time, [which deletes its events row by row](retention.md#a-tenant-with-a-time-of-its-own). Must be a time between 1s and 438000h, or 0 for no limit. */
                event_retention?: string;
                /** @description Deliveries that wait to be stored. The deliveries of a publish with more than 1,000 of them are stored in steps, after its events. Must be a whole number between 65,536 and 1,000,000,000. */
                fan_out?: number;
                /** @description Replays, bulk retries and bulk cancellations that have not ended. Must be a whole number between 1 and 1,000. */
                jobs?: number;
                /** @description Number of API keys. Must be a whole number between 1 and 100,000. */
                keys?: number;
                /** @description Shortest delay before a retry. Retry policies must not have shorter ones. Policies that are older than the limit keep theirs, but are held to it. It takes precedence over jitter and `max_elapsed`, so a retry can come after `max_elapsed`. Must be a time between 1ms and 1h. */
                min_retry_delay?: string;
                /** @description Events published through the API. Events published in SQL are not counted, because they are already stored. Each of n nodes takes an nth of the rate, so publish through all of them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                publish_rate?: number;
                /** @description API requests with the tenant's own keys, in all dialects. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                request_rate?: number;
                /** @description Manual retries of deliveries, whoever requests them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                retry_rate?: number;
                /** @description Number of stored events. Each node counts them at most once a minute, or every ten seconds while the tenant is at the limit, and adds the events that it accepts, so events that other nodes accept in between can exceed the limit. Counting reads one index entry for each event. Must be a whole number between 1 and 100,000,000, or 0 for no limit. */
                stored_events?: number;
                /** @description Requests to one host that were not acknowledged. Up to 5 times as many can go to one IP address, whatever the names of its hosts. Each node counts its own requests. Must be a whole number between 1 and 1,000,000,000, or 0 for no limit. */
                target_requests?: number;
                /** @description Tests of endpoints, whoever requests them. A test counts once more for each 32 KiB of its example, because the example is stored each time. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                test_rate?: number;
            };
            /** @example acme */
            id: string;
            /** @description The tenant's own values of limits. */
            limits: {
                /** @description Attempts of a delivery that are kept with their request and response: half of them from its start, and half from its end. For attempts in between, only time, outcome and timings are kept. Must be a whole number between 2 and 200. */
                attempt_details?: number;
                /** @description New entries in the audit log, counted separately for four kinds: changes of the configuration, other actions, requests that a dialect must record, and refused calls. Beyond the limit, changes and actions are made and logged without an entry, those requests are refused, and refused calls are not recorded. No entry is deleted early. Equal requests within a minute are one entry. Must be a whole number between 100 and 10,000,000. */
                audit_entries?: number;
                /** @description Endpoints created, changed and deleted, and secrets rotated, with the tenant's own keys. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                change_rate?: number;
                /** @description Size of the configuration of all endpoints together: URLs, event patterns, filters, retry policies, chosen versions of event types, settings of dialects, metadata, descriptions, headers and secrets. Every node that sends for the tenant keeps all of it but descriptions and metadata in memory; there it takes about twice its size, plus 1.5 KiB for each endpoint. Their compiled filters may take four times the limit; equal ones count once. Changes that need more than 96 MiB of memory for one tenant are refused, whatever the limit. Must be a number of bytes between 256KiB and 256MiB. */
                configuration_bytes?: number;
                /** @description Number of endpoints. Must be a whole number between 1 and 65,536. */
                endpoints?: number;
                /** @description How long events are kept, with their deliveries and attempts; 0: forever. The option `--retention` sets it for all tenants. A tenant can have a shorter time, [which deletes its events row by row](retention.md#a-tenant-with-a-time-of-its-own). Must be a time between 1s and 438000h, or 0 for no limit. */
                event_retention?: string;
                /** @description Deliveries that wait to be stored. The deliveries of a publish with more than 1,000 of them are stored in steps, after its events. Must be a whole number between 65,536 and 1,000,000,000. */
                fan_out?: number;
                /** @description Replays, bulk retries and bulk cancellations that have not ended. Must be a whole number between 1 and 1,000. */
                jobs?: number;
                /** @description Number of API keys. Must be a whole number between 1 and 100,000. */
                keys?: number;
                /** @description Shortest delay before a retry. Retry policies must not have shorter ones. Policies that are older than the limit keep theirs, but are held to it. It takes precedence over jitter and `max_elapsed`, so a retry can come after `max_elapsed`. Must be a time between 1ms and 1h. */
                min_retry_delay?: string;
                /** @description Events published through the API. Events published in SQL are not counted, because they are already stored. Each of n nodes takes an nth of the rate, so publish through all of them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                publish_rate?: number;
                /** @description API requests with the tenant's own keys, in all dialects. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                request_rate?: number;
                /** @description Manual retries of deliveries, whoever requests them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                retry_rate?: number;
                /** @description Number of stored events. Each node counts them at most once a minute, or every ten seconds while the tenant is at the limit, and adds the events that it accepts, so events that other nodes accept in between can exceed the limit. Counting reads one index entry for each event. Must be a whole number between 1 and 100,000,000, or 0 for no limit. */
                stored_events?: number;
                /** @description Requests to one host that were not acknowledged. Up to 5 times as many can go to one IP address, whatever the names of its hosts. Each node counts its own requests. Must be a whole number between 1 and 1,000,000,000, or 0 for no limit. */
                target_requests?: number;
                /** @description Tests of endpoints, whoever requests them. A test counts once more for each 32 KiB of its example, because the example is stored each time. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                test_rate?: number;
            };
            metadata: {
                [key: string]: string;
            };
            /** @example Acme Ltd */
            name: string;
            /** @description Whether Bellwire publishes operational events about the tenant to the tenant itself. */
            operational_events: boolean;
            /**
             * Format: double
             * @description The tenant's own limits.publish_rate; null if the server's applies.
             */
            publish_rate: number | null;
            /**
             * @description paused: nothing is sent to the tenant's endpoints, and everything waits. Events are still taken.
             * @enum {string}
             */
            status: "active" | "paused";
            /**
             * @description Why the tenant is paused, as you said; empty if it is not.
             * @example the invoice is overdue
             */
            status_reason: string;
            /**
             * Format: date-time
             * @description When the tenant was last paused or resumed; null: never.
             */
            status_since: string | null;
            /** Format: date-time */
            updated_at: string;
        };
        TenantChange: {
            /** @description The tenant's own settings of dialects, by name. Those of a given dialect are replaced as a whole, and others stay; null removes those of one, or of all. */
            dialects?: {
                [key: string]: components["schemas"]["DialectSettings"];
            } | null;
            /** @description The tenant's own values of limits. Others stay unchanged; null removes one, or all. */
            limits?: {
                /** @description Attempts of a delivery that are kept with their request and response: half of them from its start, and half from its end. For attempts in between, only time, outcome and timings are kept. Must be a whole number between 2 and 200. */
                attempt_details?: number | null;
                /** @description New entries in the audit log, counted separately for four kinds: changes of the configuration, other actions, requests that a dialect must record, and refused calls. Beyond the limit, changes and actions are made and logged without an entry, those requests are refused, and refused calls are not recorded. No entry is deleted early. Equal requests within a minute are one entry. Must be a whole number between 100 and 10,000,000. */
                audit_entries?: number | null;
                /** @description Endpoints created, changed and deleted, and secrets rotated, with the tenant's own keys. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                change_rate?: number | null;
                /** @description Size of the configuration of all endpoints together: URLs, event patterns, filters, retry policies, chosen versions of event types, settings of dialects, metadata, descriptions, headers and secrets. Every node that sends for the tenant keeps all of it but descriptions and metadata in memory; there it takes about twice its size, plus 1.5 KiB for each endpoint. Their compiled filters may take four times the limit; equal ones count once. Changes that need more than 96 MiB of memory for one tenant are refused, whatever the limit. Must be a number of bytes between 256KiB and 256MiB. */
                configuration_bytes?: number | null;
                /** @description Number of endpoints. Must be a whole number between 1 and 65,536. */
                endpoints?: number | null;
                /** @description How long events are kept, with their deliveries and attempts; 0: forever. The option `--retention` sets it for all tenants. A tenant can have a shorter time, [which deletes its events row by row](retention.md#a-tenant-with-a-time-of-its-own). Must be a time between 1s and 438000h, or 0 for no limit. */
                event_retention?: string | null;
                /** @description Deliveries that wait to be stored. The deliveries of a publish with more than 1,000 of them are stored in steps, after its events. Must be a whole number between 65,536 and 1,000,000,000. */
                fan_out?: number | null;
                /** @description Replays, bulk retries and bulk cancellations that have not ended. Must be a whole number between 1 and 1,000. */
                jobs?: number | null;
                /** @description Number of API keys. Must be a whole number between 1 and 100,000. */
                keys?: number | null;
                /** @description Shortest delay before a retry. Retry policies must not have shorter ones. Policies that are older than the limit keep theirs, but are held to it. It takes precedence over jitter and `max_elapsed`, so a retry can come after `max_elapsed`. Must be a time between 1ms and 1h. */
                min_retry_delay?: string | null;
                /** @description Events published through the API. Events published in SQL are not counted, because they are already stored. Each of n nodes takes an nth of the rate, so publish through all of them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                publish_rate?: number | null;
                /** @description API requests with the tenant's own keys, in all dialects. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                request_rate?: number | null;
                /** @description Manual retries of deliveries, whoever requests them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                retry_rate?: number | null;
                /** @description Number of stored events. Each node counts them at most once a minute, or every ten seconds while the tenant is at the limit, and adds the events that it accepts, so events that other nodes accept in between can exceed the limit. Counting reads one index entry for each event. Must be a whole number between 1 and 100,000,000, or 0 for no limit. */
                stored_events?: number | null;
                /** @description Requests to one host that were not acknowledged. Up to 5 times as many can go to one IP address, whatever the names of its hosts. Each node counts its own requests. Must be a whole number between 1 and 1,000,000,000, or 0 for no limit. */
                target_requests?: number | null;
                /** @description Tests of endpoints, whoever requests them. A test counts once more for each 32 KiB of its example, because the example is stored each time. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                test_rate?: number | null;
            } | null;
            /** @description Replaces all entries; null removes them. */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * @description null removes it.
             * @example Acme Ltd
             */
            name?: string | null;
            /** @description Whether Bellwire publishes operational events about the tenant, such as bellwire.endpoint.failing, to the tenant itself, whose endpoints can subscribe to them. The tenant bellwire gets those about all tenants. */
            operational_events?: boolean;
            /**
             * Format: double
             * @description The same as limits.publish_rate: events per second that may be published through the API; 0 for no limit. null restores the server's value.
             * @example 100
             */
            publish_rate?: number | null;
            /**
             * @description paused: nothing is sent to the tenant's endpoints, and everything waits, tests and manual retries too. Events are still taken. active sends what waits.
             * @enum {string}
             */
            status?: "active" | "paused";
            /**
             * @description Why the tenant is paused. The tenant sees it. null removes it; the end of the pause does too.
             * @example the invoice is overdue
             */
            status_reason?: string | null;
        };
        TenantDelivery: {
            /**
             * Format: int64
             * @description Number of attempts.
             */
            attempt_count: number;
            /** Format: date-time */
            created_at: string;
            /** @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            endpoint: string;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            event: string;
            /** @example invoice.paid */
            event_type: string;
            /** @example dlv_0198c7a3f2e47d0a9b1c2d3e4f506173 */
            id: string;
            /** @description The job that made this delivery, if it is a replay; else the one that retried or canceled it last; null if none did. */
            job: string | null;
            /**
             * @description What went wrong with the newest attempt; empty if nothing did, or if there was none.
             * @example the endpoint answered 503 Service Unavailable
             */
            last_error: string;
            /** @description Where the newest attempt failed, or ok if it was acknowledged; null if there was none. */
            last_outcome: ("ok" | "status" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol") | null;
            /**
             * Format: int64
             * @description The status of the response to the newest attempt; null if there was no response.
             * @example 503
             */
            last_status: number | null;
            /**
             * Format: date-time
             * @description When the next attempt is due; null if there is none.
             */
            next_attempt_at: string | null;
            /** @description Why it ended or could not be sent, if the status alone does not say so. */
            reason: string;
            /** @description Whether a job made this delivery, as a replay of the event. */
            replay: boolean;
            /** @description Whether a retry was requested and has not been attempted yet. The status stays until its attempt has ended. */
            retry_requested: boolean;
            /** @enum {string} */
            status: "pending" | "retrying" | "succeeded" | "exhausted" | "canceled";
            /** @example acme */
            tenant: string;
            /** @description Whether it was created by testing the endpoint. A test is one attempt. */
            test: boolean;
            /** Format: date-time */
            updated_at: string;
            /** @description What the delivery waits for; null if it has ended. */
            waiting_for: components["schemas"]["Waiting"] | null;
        };
        TenantEvent: {
            /**
             * Format: date-time
             * @description When Bellwire accepted it.
             */
            created_at: string;
            /** @description With data=true: byte for byte as published; null if it was erased. */
            data?: unknown;
            /**
             * Format: date-time
             * @description When it is delivered at the earliest; null if that was at once.
             */
            deliver_at: string | null;
            /**
             * Format: int64
             * @description Number of endpoints that receive it. Replays are not counted.
             */
            deliveries: number;
            /** @description When and by whom the data was erased. Omitted if it was not. */
            erased?: components["schemas"]["Erasure"];
            /**
             * Format: date-time
             * @description When it expires: nothing is sent from then on; null if it does not.
             */
            expires_at: string | null;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            id: string;
            /** @description The id given by the publisher; null if there is none. */
            idempotency_key: string | null;
            /** @description Whether it is history that was imported, and sent to nobody. Omitted if it is not. */
            imported?: boolean;
            /**
             * Format: date-time
             * @description When it happened according to the publisher, or else when Bellwire accepted it.
             */
            occurred_at: string;
            /** @description The key in whose order endpoints with the ordering key get it; null if there is none. */
            ordering_key: string | null;
            /** @description What became of it, in lists with outcomes=true. Omitted elsewhere, and if it has no delivery. */
            outcomes?: components["schemas"]["EventOutcomes"];
            /** @description Why an event that was published inside the database was not sent. Omitted if it was. */
            problem?: string;
            /** @example acme */
            tenant: string;
            /** @description Whether it was created by testing an endpoint, not published. */
            test: boolean;
            /** @example invoice.paid */
            type: string;
        };
        TenantEventList: {
            /** @description Newest first. */
            data: components["schemas"]["TenantEvent"][];
            /** @description Value of cursor for the next page; null on the last page. */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description How far back this page and those before it have searched: what next_cursor continues with is older. Absent on the last page.
             */
            searched_to?: string;
        };
        Test: {
            /**
             * @description The event type whose example is delivered; by default one that the endpoint subscribes to.
             * @example invoice.paid
             */
            type?: string;
        };
        TestReceipt: {
            /**
             * @description Get this delivery to see the response.
             * @example dlv_0198c7a3f2e47d0a9b1c2d3e4f506173
             */
            delivery: string;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            event: string;
            /** @example invoice.paid */
            type: string;
        };
        Theme: {
            /**
             * @description A color of six hex digits; by default the portal's own.
             * @example #4f46e5
             */
            accent?: string;
            /**
             * @description By default system: as the browser is set.
             * @enum {string}
             */
            mode?: "light" | "dark" | "system";
        };
        Timings: {
            /** Format: double */
            connect: number;
            /** Format: double */
            dns: number;
            /**
             * Format: double
             * @description From the start to the first byte of the response.
             */
            first_byte: number;
            /** Format: double */
            tls: number;
            /** Format: double */
            total: number;
        };
        TriedFilter: {
            /**
             * Format: int64
             * @description Number of events for which the filter has no answer; on_error decides.
             * @example 1
             */
            errors: number;
            /** @description Up to three events of each kind, newest first. */
            examples: components["schemas"]["FilterExample"][];
            /**
             * Format: int64
             * @description Number of events that the endpoint would get.
             * @example 12
             */
            matched: number;
            /**
             * Format: int64
             * @description Number of events that it would not get.
             * @example 87
             */
            unmatched: number;
        };
        TypeVersion: {
            /** @description Whether it was chosen for the endpoint; else it was the newest when the endpoint was created. */
            chosen: boolean;
            /** @example invoice.paid */
            event_type: string;
            /**
             * Format: int64
             * @description The version that is published.
             * @example 2
             */
            newest: number;
            /**
             * Format: int64
             * @description The version that the endpoint gets.
             * @example 1
             */
            version: number;
        };
        TypeVersions: {
            /** @description By name. */
            data: components["schemas"]["TypeVersion"][];
        };
        UrlToCheck: {
            /**
             * Format: uri
             * @description http or https.
             * @example https://example.com/webhooks
             */
            url: string;
        };
        VersionCount: {
            /**
             * Format: int64
             * @description How many of them are disabled.
             * @example 2
             */
            disabled: number;
            /**
             * Format: int64
             * @description Number of endpoints of all tenants that subscribe to the type, by its name or a pattern, and get this version of it.
             * @example 12
             */
            endpoints: number;
            /**
             * Format: int64
             * @example 1
             */
            version: number;
        };
        VersionCounts: {
            /** @description By version, the first one first. */
            data: components["schemas"]["VersionCount"][];
        };
        VersionPreview: {
            /** @description What would be sent with the versions that are tried. */
            after: components["schemas"]["PreviewBody"];
            /** @description What the newest attempt has sent, made again; or what would be sent now, if there was none. */
            before: components["schemas"]["PreviewBody"];
            /** @example dlv_0198c7a3f2e47d0a9b1c2d3e4f506173 */
            delivery: string;
            /** @example evt_0198c7a3f2e47d0a9b1c2d3e4f506172 */
            event: string;
            /** @example invoice.paid */
            event_type: string;
        };
        VersionPreviews: {
            /** @description Newest first. */
            data: components["schemas"]["VersionPreview"][];
        };
        VersionTrial: {
            /**
             * Format: int64
             * @description Number of events: 1 to 20; default 5.
             * @example 5
             */
            limit?: number;
            /**
             * @description The numbers of versions, by event type.
             * @example {
             *       "invoice.paid": 2
             *     }
             */
            versions: {
                [key: string]: number;
            };
        };
        Waiting: {
            /**
             * @description With order: the first delivery in the order that has not ended.
             * @example dlv_0198c7a3f2e47d0a9b1c2d3e4f506173
             */
            behind?: string;
            /** @description For operators: the node that sends for the endpoint, if it is another one. */
            node?: string;
            /**
             * @description retry: its next attempt is due later. deliver_at: its event is to be delivered later. paused: the endpoint is. tenant_paused: the tenant is. ending: the endpoint is disabled or deleted, and the delivery is about to be canceled. order: an earlier delivery in the endpoint's order, or with the same ordering_key, has not ended; behind names it. breaker: the endpoint's circuit breaker is open. rest: the endpoint asked for a rest, or is overloaded. rate_limit: the endpoint's is reached. in_flight: as many requests are in flight as the endpoint takes. unanswered: those in flight bring no answer. failure_rate: too many of the tenant's attempts fail. host_limit: the host has acknowledged too few of the tenant's requests. share: the tenant has its share of the node. fault: the node or its database failed a moment ago. takeover: a node is about to take over the endpoint. other_node: another node sends for the endpoint, and only that one can say more. queued: nothing holds it back; it waits for its turn, or its request is in flight. From breaker on, the reasons are the endpoint's: a delivery whose request is in flight can have another one, such as in_flight.
             * @enum {string}
             */
            reason: "retry" | "deliver_at" | "paused" | "tenant_paused" | "ending" | "order" | "breaker" | "rest" | "rate_limit" | "in_flight" | "unanswered" | "failure_rate" | "host_limit" | "share" | "fault" | "takeover" | "other_node" | "queued";
            /**
             * Format: date-time
             * @description When that ends, if it is known.
             */
            until?: string;
        };
        WholeEndpoint: {
            /** @description How Bellwire authenticates, in addition to the signature; null for not at all. */
            auth?: components["schemas"]["Auth"] | null;
            /**
             * @description How long attempts must have failed before Bellwire disables the endpoint: 1s to 8760h; 0s for never. By default that of the dialect, which is 120h in standard and 0s in those of the five vendors.
             * @example 120h
             */
            auto_disable_after?: string;
            /** @description null clears it. */
            description?: string | null;
            /** @description The format of deliveries and of the management API; by default that of the server. Settings that the dialect cannot represent are refused. On a change, secrets without the dialect's form are replaced. */
            dialect?: string;
            /**
             * @description Patterns: an exact name of the catalogue, or a prefix ended by *.
             * @example [
             *       "invoice.*"
             *     ]
             */
            events: string[];
            /**
             * @description A CEL expression over type, data, id and occurred_at. Only events of the subscribed types for which it is true are delivered. It is checked against the schemas of these types. null removes it.
             * @example data.amount > 100
             */
            filter?: string | null;
            /** @description Names and values, sent with each delivery. Replaces all present headers; null removes them. A present header that is given with the value [redacted], as it is shown, keeps its value. */
            headers?: {
                [key: string]: string;
            } | null;
            /**
             * Format: int64
             * @description Maximum number of concurrent requests, including tests and manual retries; default 64.
             */
            max_in_flight?: number;
            /** @description Up to 50 entries of your own. Replaces all present entries; null removes them. */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * @description What happens to an event for which the filter has no answer, because a field is missing, for example; default deliver.
             * @enum {string}
             */
            on_error?: "deliver" | "skip";
            /**
             * @description With fifo, a delivery is sent only after the one before it has ended. With key, that holds among the events with the same ordering_key, and others are sent at the same time. Default none.
             * @enum {string}
             */
            ordering?: "none" | "fifo" | "key";
            /**
             * Format: double
             * @description Events per second, above 0; null for no limit.
             */
            rate_limit?: number | null;
            /** @description When failed deliveries are attempted again, in one of three forms: schedule; interval and count; or initial, factor, max_interval and max_elapsed. By default the dialect's policy. */
            retry?: {
                /** @description Number of retries; there is one attempt more. */
                count?: number;
                /** @description By which each delay is multiplied for the next; default 2. */
                factor?: number;
                /**
                 * @description The delay before the first retry.
                 * @example 5m
                 */
                initial?: string;
                /**
                 * @description The delay before each of count retries.
                 * @example 5m
                 */
                interval?: string;
                /** @description The random share of each delay, half of it on either side: 0.2 spreads a delay over ±10 %. 0 to 1; default 0. */
                jitter?: number;
                /**
                 * @description No retry is due later than this after the event was accepted, or after the endpoint was last changed, unless Retry-After or the limit min_retry_delay puts it off.
                 * @example 5m
                 */
                max_elapsed?: string;
                /**
                 * @description The longest delay.
                 * @example 5m
                 */
                max_interval?: string;
                /** @description The delay before each retry. */
                schedule?: string[];
            };
            /** @description Your own secret instead of a generated one, in the dialect's form; that of standard is whsec_ and the base64 of 24 to 64 bytes. It replaces the present secret at once; to let both sign for a while, rotate it. */
            secret?: string;
            /**
             * @description The signature schemes of deliveries; default hmac.
             * @enum {string}
             */
            signing?: "hmac" | "ed25519" | "both";
            /**
             * @description A paused endpoint keeps its deliveries for later, a disabled one receives only tests; default enabled.
             * @enum {string}
             */
            status?: "enabled" | "paused" | "disabled";
            /**
             * @description Why it is paused or disabled. Whoever sees the endpoint sees it. null removes it; another status does too.
             * @example the receiver moves
             */
            status_reason?: string | null;
            /**
             * @description How long an attempt may take: 1s to 60s, by default that of the dialect, which is 15s in standard.
             * @example 15s
             */
            timeout?: string;
            /**
             * Format: uri
             * @description Where to deliver: http or https.
             * @example https://example.com/webhooks
             */
            url: string;
            /** @description Versions of event types that it is to get, by their names. Types that are not named stay. */
            versions?: {
                [key: string]: number;
            };
        };
        WholeTenant: {
            /** @description The tenant's own settings of dialects, by name, over those of the server. */
            dialects?: {
                [key: string]: components["schemas"]["DialectSettings"];
            };
            /** @description The tenant's own values of limits. */
            limits?: {
                /** @description Attempts of a delivery that are kept with their request and response: half of them from its start, and half from its end. For attempts in between, only time, outcome and timings are kept. Must be a whole number between 2 and 200. */
                attempt_details?: number | null;
                /** @description New entries in the audit log, counted separately for four kinds: changes of the configuration, other actions, requests that a dialect must record, and refused calls. Beyond the limit, changes and actions are made and logged without an entry, those requests are refused, and refused calls are not recorded. No entry is deleted early. Equal requests within a minute are one entry. Must be a whole number between 100 and 10,000,000. */
                audit_entries?: number | null;
                /** @description Endpoints created, changed and deleted, and secrets rotated, with the tenant's own keys. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                change_rate?: number | null;
                /** @description Size of the configuration of all endpoints together: URLs, event patterns, filters, retry policies, chosen versions of event types, settings of dialects, metadata, descriptions, headers and secrets. Every node that sends for the tenant keeps all of it but descriptions and metadata in memory; there it takes about twice its size, plus 1.5 KiB for each endpoint. Their compiled filters may take four times the limit; equal ones count once. Changes that need more than 96 MiB of memory for one tenant are refused, whatever the limit. Must be a number of bytes between 256KiB and 256MiB. */
                configuration_bytes?: number | null;
                /** @description Number of endpoints. Must be a whole number between 1 and 65,536. */
                endpoints?: number | null;
                /** @description How long events are kept, with their deliveries and attempts; 0: forever. The option `--retention` sets it for all tenants. A tenant can have a shorter time, [which deletes its events row by row](retention.md#a-tenant-with-a-time-of-its-own). Must be a time between 1s and 438000h, or 0 for no limit. */
                event_retention?: string | null;
                /** @description Deliveries that wait to be stored. The deliveries of a publish with more than 1,000 of them are stored in steps, after its events. Must be a whole number between 65,536 and 1,000,000,000. */
                fan_out?: number | null;
                /** @description Replays, bulk retries and bulk cancellations that have not ended. Must be a whole number between 1 and 1,000. */
                jobs?: number | null;
                /** @description Number of API keys. Must be a whole number between 1 and 100,000. */
                keys?: number | null;
                /** @description Shortest delay before a retry. Retry policies must not have shorter ones. Policies that are older than the limit keep theirs, but are held to it. It takes precedence over jitter and `max_elapsed`, so a retry can come after `max_elapsed`. Must be a time between 1ms and 1h. */
                min_retry_delay?: string | null;
                /** @description Events published through the API. Events published in SQL are not counted, because they are already stored. Each of n nodes takes an nth of the rate, so publish through all of them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                publish_rate?: number | null;
                /** @description API requests with the tenant's own keys, in all dialects. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                request_rate?: number | null;
                /** @description Manual retries of deliveries, whoever requests them. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                retry_rate?: number | null;
                /** @description Number of stored events. Each node counts them at most once a minute, or every ten seconds while the tenant is at the limit, and adds the events that it accepts, so events that other nodes accept in between can exceed the limit. Counting reads one index entry for each event. Must be a whole number between 1 and 100,000,000, or 0 for no limit. */
                stored_events?: number | null;
                /** @description Requests to one host that were not acknowledged. Up to 5 times as many can go to one IP address, whatever the names of its hosts. Each node counts its own requests. Must be a whole number between 1 and 1,000,000,000, or 0 for no limit. */
                target_requests?: number | null;
                /** @description Tests of endpoints, whoever requests them. A test counts once more for each 32 KiB of its example, because the example is stored each time. Must be a number between 0.001 and 1,000,000, or 0 for no limit. */
                test_rate?: number | null;
            };
            /** @description Up to 50 entries of your own. */
            metadata?: {
                [key: string]: string;
            };
            /**
             * @description A name for people.
             * @example Acme Ltd
             */
            name?: string;
            /** @description Whether Bellwire publishes operational events about the tenant, such as bellwire.endpoint.failing, to the tenant itself, whose endpoints can subscribe to them. The tenant bellwire gets those about all tenants. */
            operational_events?: boolean;
            /**
             * Format: double
             * @description The same as limits.publish_rate: events per second that may be published through the API; 0 for no limit. null restores the server's value.
             * @example 100
             */
            publish_rate?: number | null;
            /**
             * @description paused: nothing is sent to the tenant's endpoints, and everything waits, tests and manual retries too. Events are still taken. active sends what waits.
             * @enum {string}
             */
            status?: "active" | "paused";
            /**
             * @description Why the tenant is paused. The tenant sees it. null removes it; the end of the pause does too.
             * @example the invoice is overdue
             */
            status_reason?: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    "test-alerts": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertTests"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-audit": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
                /** @description Only what concerns this tenant. */
                tenant?: string;
                /** @description Only what was done with this key. */
                key?: string;
                /** @description At or after this time. */
                since?: string;
                /** @description Before this time. */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListAuditEntry"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-backlog": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backlog"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-bulk-jobs": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBulkJob"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-bulk-job": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. The jobs of tenants have others. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "update-bulk-job": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. The jobs of tenants have others. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "cancel-bulk-job": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Its id. The jobs of tenants have others. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "pause-bulk-job": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Its id. The jobs of tenants have others. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "resume-bulk-job": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Its id. The jobs of tenants have others. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-console-sessions": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListConsoleSession"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "sign-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Created */
            201: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-console-session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnSession"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "sign-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "exchange-console-code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Exchange"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-console-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Link"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "end-console-session": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-all-deliveries": {
        parameters: {
            query?: {
                /** @description Only deliveries of this tenant. */
                tenant?: string;
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
                /** @description Only deliveries to this endpoint. */
                endpoint?: string;
                /** @description Only deliveries in this state. */
                status?: "pending" | "retrying" | "succeeded" | "exhausted" | "canceled";
                /** @description Only deliveries whose newest attempt had this outcome. */
                outcome?: "ok" | "status" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol";
                /** @description Only deliveries of events of this type. */
                type?: string;
                /** @description Only deliveries of events that were accepted at or after this time. */
                since?: string;
                /** @description Only deliveries of events that were accepted before this time. */
                until?: string;
                /** @description Only deliveries to endpoints that are of this dialect now. */
                dialect?: string;
                /** @description Only deliveries that have this job: those that it made, or retried or canceled last. A replay keeps the job that made it. */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchedListTenantDelivery"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "retry-all-deliveries": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkJobInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkCount"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-dialects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DialectList"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "examine-server": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Examination"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-all-endpoints": {
        parameters: {
            query?: {
                /** @description Endpoints of this tenant. */
                tenant?: string;
                /** @description Endpoints with this health. */
                health?: "healthy" | "failing" | "recovering" | "idle";
                /** @description Endpoints with this status. */
                status?: "enabled" | "paused" | "disabled";
                /** @description Endpoints of this dialect. */
                dialect?: string;
                /** @description With true: only endpoints for which deliveries wait. */
                waiting?: boolean;
                /** @description waiting: the endpoints for which deliveries wait, those with most first, counted up to 10,000. Over all tenants, the 10,000 with most, counted a moment ago. Left out: newest first. */
                sort?: "waiting";
                /** @description Endpoints that subscribe to this event type, by its name or a pattern, whatever their filters say. */
                event_type?: string;
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListEndpointWithHealth"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-event-types": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListEventType"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-event-type": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The event type's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventType"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "put-event-type": {
        parameters: {
            query?: {
                /** @description Change the schema even if that breaks what readers rely on. */
                force?: boolean;
            };
            header?: {
                /** @description The ETag of the answer in which it was read: the change is refused with 412 if it was changed since. * for any version. Without it, the change is made whatever the version. */
                "If-Match"?: string;
            };
            path: {
                /** @description The event type's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EventTypeInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventType"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventType"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-event-type": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The event type's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-event-type-versions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The event type's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionCounts"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "add-event-type-version": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
                /** @description The ETag of the answer in which it was read: the change is refused with 412 if it was changed since. * for any version. Without it, the change is made whatever the version. */
                "If-Match"?: string;
            };
            path: {
                /** @description The event type's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewVersionInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventType"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "put-event-type-converter": {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the answer in which it was read: the change is refused with 412 if it was changed since. * for any version. Without it, the change is made whatever the version. */
                "If-Match"?: string;
            };
            path: {
                /** @description The event type's name. */
                name: string;
                /** @description The number of the version. */
                version: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConverterInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventType"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-all-events": {
        parameters: {
            query?: {
                /** @description Only events of this tenant. */
                tenant?: string;
                /** @description Whether to show the data of the events too. */
                data?: boolean;
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
                /** @description Only events of this type. */
                type?: string;
                /** @description Only the event that was published with this id. It is found as long as its id is kept. */
                key?: string;
                /** @description Only events whose data contains this text, as it was published, in upper or lower case. A page ends early after 2,000 events or 16 MiB of data, even without any events: next_cursor continues it. */
                contains?: string;
                /** @description Only events accepted at or after this time. */
                since?: string;
                /** @description Only events accepted before this time. */
                until?: string;
                /** @description Whether to count what became of each event: how many endpoints have got it, or have not. */
                outcomes?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantEventList"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export: {
        parameters: {
            query?: {
                /** @description With the secrets, authentication and headers of endpoints, and with the secrets of keys that sign requests. The audit log says so. */
                secrets?: boolean;
                /** @description With events. */
                events?: boolean;
                /**
                 * @description Only the catalogue and this tenant.
                 * @example acme
                 */
                tenant?: string;
                /** @description Only events that were accepted at this time or later, and those of the hour before. */
                since?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example {"kind":"export","format":1,"secrets":false} */
                    "application/x-ndjson": string;
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "find-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id of an event, a delivery, an endpoint, a job, a key or a tenant, also in the form in which a dialect shows it. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FoundList"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    import: {
        parameters: {
            query?: {
                /** @description Check all lines, and change nothing. */
                dry_run?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {"kind":"tenant","id":"acme"} */
                "application/x-ndjson": string;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportReport"];
                    "application/x-ndjson": components["schemas"]["ImportAnswerLine"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient Storage */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-all-jobs": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
                /** @description Only the parts of this job over all tenants. */
                bulk_job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListJob"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-keys": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListKey"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-key": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewOperatorKey"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedKey"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-key": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    watch: {
        parameters: {
            query?: {
                /**
                 * @description Only attempts at this endpoint.
                 * @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172
                 */
                endpoint?: string;
                /**
                 * @description Only attempts for this event type, or with * at its end for those that begin with it.
                 * @example invoice.*
                 */
                type?: string;
                /**
                 * @description Only attempts in this dialect.
                 * @example standard
                 */
                dialect?: string;
                /** @description Only attempts with this outcome; failed: all but ok. */
                outcome?: "failed" | "ok" | "status" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol";
                /**
                 * @description Only attempts with this status in the response.
                 * @example 503
                 */
                status?: number;
                /**
                 * @description Only attempts of this tenant.
                 * @example acme
                 */
                tenant?: string;
            };
            header?: {
                /** @description The id of the last attempt that was seen, to continue after it. Browsers send it when they come back. */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example event: attempt
                     *     id: att_0198c7a3f2e47d0a9b1c2d3e4f506172
                     *     data: {"tenant":"acme","endpoint":"ep_…","outcome":"ok","status":200}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeList"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "exchange-portal-code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Exchange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExchangedSession"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "replay-all-events": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkJobInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkCount"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingList"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-statistics": {
        parameters: {
            query?: {
                /** @description Only events and attempts of this tenant. */
                tenant?: string;
                /** @description From the interval on that includes this time. By default an hour before until for minutes, a day for hours, 30 days for days. */
                since?: string;
                /** @description Only intervals that begin before this time; by default now. */
                until?: string;
                /** @description The time that a row is about. Without it, one that suits the selected time, and that is still kept. Minutes are kept for 2 days, hours for 60 days, days for 2 years, unless the server is configured otherwise. */
                interval?: "minute" | "hour" | "day";
                /** @description What to split rows by: any of endpoint, type, outcome and dialect, separated by commas; for the statistics of all tenants also tenant. */
                by?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statistics"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Subscriptions"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-tenants": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListTenant"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-tenant": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTenant"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-tenant": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "put-tenant": {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the answer in which it was read: the change is refused with 412 if it was changed since. * for any version. Without it, the change is made whatever the version. */
                "If-Match"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WholeTenant"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-tenant": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    "Bellwire-Gone-By"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "update-tenant": {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the answer in which it was read: the change is refused with 412 if it was changed since. * for any version. Without it, the change is made whatever the version. */
                "If-Match"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TenantChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-deliveries": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
                /** @description Only deliveries to this endpoint. */
                endpoint?: string;
                /** @description Only deliveries in this state. */
                status?: "pending" | "retrying" | "succeeded" | "exhausted" | "canceled";
                /** @description Only deliveries whose newest attempt had this outcome. */
                outcome?: "ok" | "status" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol";
                /** @description Only deliveries of events of this type. */
                type?: string;
                /** @description Only deliveries of events that were accepted at or after this time. */
                since?: string;
                /** @description Only deliveries of events that were accepted before this time. */
                until?: string;
                /** @description Only deliveries to endpoints that are of this dialect now. */
                dialect?: string;
                /** @description Only deliveries that have this job: those that it made, or retried or canceled last. A replay keeps the job that made it. */
                job?: string;
                /** @description Only deliveries of this event. */
                event?: string;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchedListListedDelivery"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "cancel-deliveries": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["BulkInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobCount"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "retry-deliveries": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["BulkInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobCount"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-delivery": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The delivery's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryWithAttempts"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-delivery-body": {
        parameters: {
            query?: {
                /** @description The number of an attempt whose request is stored. By default what would be sent now is made. */
                attempt?: number;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The delivery's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestBodyOf"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "cancel-delivery": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The delivery's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivery"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "retry-delivery": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The delivery's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RetryInput"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivery"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-endpoints": {
        parameters: {
            query?: {
                /** @description Endpoints with this health. */
                health?: "healthy" | "failing" | "recovering" | "idle";
                /** @description Endpoints with this status. */
                status?: "enabled" | "paused" | "disabled";
                /** @description Endpoints of this dialect. */
                dialect?: string;
                /** @description With true: only endpoints for which deliveries wait. */
                waiting?: boolean;
                /** @description waiting: the endpoints for which deliveries wait, those with most first, counted up to 10,000. Over all tenants, the 10,000 with most, counted a moment ago. Left out: newest first. */
                sort?: "waiting";
                /** @description Endpoints that subscribe to this event type, by its name or a pattern, whatever their filters say. */
                event_type?: string;
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListEndpointWithHealth"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-endpoint": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewEndpoint"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedEndpoint"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-endpoint": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointWithHealth"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "put-endpoint": {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the answer in which it was read: the change is refused with 412 if it was changed since. * for any version. Without it, the change is made whatever the version. */
                "If-Match"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WholeEndpoint"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedEndpoint"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedEndpoint"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-endpoint": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "update-endpoint": {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the answer in which it was read: the change is refused with 412 if it was changed since. * for any version. Without it, the change is made whatever the version. */
                "If-Match"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Patch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedEndpoint"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-endpoint-history": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListChange"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "count-missed": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Missed"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "probe-endpoint": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Test"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Probe"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-endpoint-secret": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointSecrets"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "rotate-endpoint-secret": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Rotation"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RotatedSecret"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "test-endpoint": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Test"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestReceipt"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-endpoint-versions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TypeVersions"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "preview-endpoint-versions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The endpoint's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VersionTrial"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionPreviews"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-events": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
                /** @description Only events of this type. */
                type?: string;
                /** @description Only the event that was published with this id. It is found as long as its id is kept. */
                key?: string;
                /** @description Only events whose data contains this text, as it was published, in upper or lower case. A page ends early after 2,000 events or 16 MiB of data, even without any events: next_cursor continues it. */
                contains?: string;
                /** @description Only events accepted at or after this time. */
                since?: string;
                /** @description Only events accepted before this time. */
                until?: string;
                /** @description Whether to count what became of each event: how many endpoints have got it, or have not. */
                outcomes?: boolean;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "publish-event": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Used as `id` if the body has none; otherwise both must be equal. Bare, or a string in quotes.
                 * @example in_123-paid
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The tenant's id.
                 * @example acme
                 */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Publication"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipt"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient Storage */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "publish-events": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the batch repeatable: events without an `id` get this key, a slash and their index, such as `KEY/0`, with at most 128 characters. Bare, or a string in quotes.
                 * @example in_123-paid
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The tenant's id.
                 * @example acme
                 */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Batch"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipts"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient Storage */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-event": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The event's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExplainedEvent"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "erase-event": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The event's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-event-endpoints": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The event's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListExplanation"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "try-filter": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FilterTrial"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriedFilter"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-jobs": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListJob"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-job": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The job's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobWithDeliveries"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "update-job": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The job's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "cancel-job": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The job's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "pause-job": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The job's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "resume-job": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The job's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-tenant-keys": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListKey"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-tenant-key": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTenantKey"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedKey"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-tenant-key": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The key's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "watch-tenant": {
        parameters: {
            query?: {
                /**
                 * @description Only attempts at this endpoint.
                 * @example ep_0198c7a3f2e47d0a9b1c2d3e4f506172
                 */
                endpoint?: string;
                /**
                 * @description Only attempts for this event type, or with * at its end for those that begin with it.
                 * @example invoice.*
                 */
                type?: string;
                /**
                 * @description Only attempts in this dialect.
                 * @example standard
                 */
                dialect?: string;
                /** @description Only attempts with this outcome; failed: all but ok. */
                outcome?: "failed" | "ok" | "status" | "blocked" | "dns" | "connect" | "tls" | "timeout" | "reset" | "protocol";
                /**
                 * @description Only attempts with this status in the response.
                 * @example 503
                 */
                status?: number;
            };
            header?: {
                /** @description The id of the last attempt that was seen, to continue after it. Browsers send it when they come back. */
                "Last-Event-ID"?: string;
            };
            path: {
                /**
                 * @description The tenant's id.
                 * @example acme
                 */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example event: attempt
                     *     id: att_0198c7a3f2e47d0a9b1c2d3e4f506172
                     *     data: {"tenant":"acme","endpoint":"ep_…","outcome":"ok","status":200}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-portal-sessions": {
        parameters: {
            query?: {
                /** @description Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it. */
                limit?: number;
                /** @description The next_cursor of the previous page, with the same other parameters; omitted for the first page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListPortalSession"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-portal-session": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewPortalSession"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Link"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "end-portal-session": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
                /** @description The session's id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "replay-events": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.
                 * @example create-acme-1
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobCount"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-tenant-statistics": {
        parameters: {
            query?: {
                /** @description From the interval on that includes this time. By default an hour before until for minutes, a day for hours, 30 days for days. */
                since?: string;
                /** @description Only intervals that begin before this time; by default now. */
                until?: string;
                /** @description The time that a row is about. Without it, one that suits the selected time, and that is still kept. Minutes are kept for 2 days, hours for 60 days, days for 2 years, unless the server is configured otherwise. */
                interval?: "minute" | "hour" | "day";
                /** @description What to split rows by: any of endpoint, type, outcome and dialect, separated by commas; for the statistics of all tenants also tenant. */
                by?: string;
            };
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statistics"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "check-url": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's id. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UrlToCheck"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckedURL"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
