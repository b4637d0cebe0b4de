"""What runs when, and why that often. Every job is safe to run twice: two beats do no harm."""

from celery.schedules import crontab

BEAT_SCHEDULE = {
    # A ring may be lost with Redis; nobody should wait longer than this for a mail.
    "deliver-outbox": {"task": "crm.core.tasks.deliver_outbox", "schedule": 5.0, "options": {"expires": 5}},
    # Each write adds a row to a counter; a few thousand still sum in a millisecond.
    "compact-counters": {"task": "crm.core.tasks.compact_counters", "schedule": 30.0, "options": {"expires": 30}},
    "sweep": {"task": "crm.core.tasks.sweep", "schedule": 3600.0, "options": {"expires": 3600}},
    "sweep-accounts": {"task": "accounts.tasks.sweep", "schedule": 3600.0, "options": {"expires": 3600}},
    # Time zones stand whole quarters of an hour apart, so every quarter it is 8:00 somewhere; the polls between them
    # are for people who moved and for what a restart missed.
    "send-reminders": {
        "task": "sales.tasks.send_reminders",
        "schedule": crontab(minute="*/5"),
        "options": {"expires": 240},
    },
    "sweep-sales": {"task": "sales.tasks.sweep", "schedule": 3600.0, "options": {"expires": 3600}},
}
