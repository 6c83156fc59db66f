"""Structured logs: one JSON object a line, events named `noun.past_participle`.

Prompts, keys, tokens and bodies are content and are never given to a logger.
"""

import logging
import sys
from typing import Any

import orjson
import structlog


def configure(service: str, level: str) -> None:
    """Send the process's logs to standard error. Tracebacks show no local variables: they may be secrets."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.ExceptionRenderer(tracebacks),
            structlog.processors.JSONRenderer(_dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    # Libraries may warn. Their messages can hold addresses and headers, so only that much of them is heard.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s %(levelname)s")


def _dumps(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=repr)
