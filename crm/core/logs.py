"""Log lines: one JSON object each, line breaks escaped, so that no value can forge a second line."""

import json
import logging


class JsonFormatter(logging.Formatter):
    """Format a record as JSON with time, level, logger, message and exception text (never local variables).

    What was logged with `extra={"fields": {…}}` is added under its own names.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a single line."""
        line = dict(getattr(record, "fields", {}))
        line |= {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
