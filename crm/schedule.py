"""What runs when, and why that often. Every job is safe to run twice: two beats do no harm."""

BEAT_SCHEDULE = {
    # A ring may be lost with Redis; nobody should wait longer than this for a mail.
    "deliver-outbox": {"task": "crm.core.tasks.deliver_outbox", "schedule": 5.0, "options": {"expires": 5}},
    # Each write adds a row to a tally; a few thousand still sum in a millisecond.
    "fold-tallies": {"task": "crm.core.tasks.fold_tallies", "schedule": 30.0, "options": {"expires": 30}},
    "sweep": {"task": "crm.core.tasks.sweep", "schedule": 3600.0, "options": {"expires": 3600}},
    "sweep-accounts": {"task": "accounts.tasks.sweep", "schedule": 3600.0, "options": {"expires": 3600}},
}
