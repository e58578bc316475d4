"""A client of the webhooks API with Python's standard library alone, written from the description of the signature."""

import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.request
import uuid

base, account, key_id = sys.argv[1:]
secret = sys.stdin.read()


def call(method, path, body=None, skew=0):
    data = b"" if body is None else json.dumps(body, ensure_ascii=False, indent=1).encode()
    nonce = uuid.uuid4().hex + uuid.uuid4().hex
    timestamp = str(int(time.time()) + skew)
    canonical = "\n".join([method + " " + path, nonce, timestamp, "", hashlib.sha256(data).hexdigest()])
    response = hmac.new(secret.encode(), canonical.encode(), hashlib.sha256).hexdigest()
    request = urllib.request.Request(base + path, data or None, method=method, headers={
        "Authorization": f'Hmac id="{key_id}", nonce="{nonce}", timestamp="{timestamp}", response="{response}"',
        "Content-Type": "application/json",
    })
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text, status = answer.read(), answer.status
    except urllib.error.HTTPError as refusal:
        text, status = refusal.read(), refusal.code
    print(status)
    return json.loads(text) if text else None


webhooks = f"/api/v4/accounts/{account}/webhooks"
hook = {"url": "https://thetiredwindow.com/bfaccountupdate/wébhook", "event": "ACCOUNT_UPDATER_BATCH_UPDATES"}

made = call("POST", webhooks, hook)
assert made == hook | {"id": made["id"]} and made["id"].startswith("wbh_"), made
assert call("GET", webhooks + "?page=1&limit=10") == [made]
assert call("GET", f"{webhooks}/{made['id']}") == made
hook["url"] = "https://thetiredwindow.com/bfaccountupdate/new-webhook"
assert call("PATCH", f"{webhooks}/{made['id']}", hook) == hook | {"id": made["id"]}
assert call("DELETE", f"{webhooks}/{made['id']}") is None
assert call("GET", f"{webhooks}/{made['id']}")["errorCode"] == 40005
assert call("GET", webhooks, skew=-600)["errorCode"] == 40002
