"""Celery with the same jobs: `python celery_app.py N` enqueues them one by one, and
`celery --app celery_app worker --pool gevent --concurrency 64` posts each to the sink. Everything else is Celery's
default: without a result backend, so finished jobs are not kept."""

import os
import sys

from celery import Celery

app = Celery("bench", broker=os.environ["SONGDA_REDIS_URL"])
session = None


@app.task(name="push")
def push(body):
    global session
    if session is None:
        import requests
        from requests.adapters import HTTPAdapter

        session = requests.Session()
        session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=64))
    session.post(os.environ["SINK_URL"], data=body).raise_for_status()


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        push.delay(f"PhoneNumbers={13000000000 + number}&{os.environ['MESSAGE']}")
