"""What OpenRouter knows of its customer: the key, the money, and every generation by its number."""

import secrets
from collections import OrderedDict
from decimal import Decimal
from typing import Any

from deploy.sandbox.billing import Ledger, now
from deploy.sandbox.openrouter_request import Asked

LIMIT = Decimal(100)
KEPT = 1000
# Fields of a generation that have nothing to say here.
ABSENT = (
    *("upstream_id", "cache_discount", "app_id", "latency", "moderation_latency", "generation_time"),
    *("native_finish_reason", "external_user", "http_referer", "user_agent", "router", "session_id"),
    *("request_id", "service_tier", "preset_id", "provider_responses", "num_input_audio_prompt"),
    *("num_search_results", "num_fetches", "web_search_engine", "native_tokens_reasoning"),
    *("native_tokens_cached", "response_cache_source_id"),
)


class Account:
    def __init__(self, ledger: Ledger, dialect: str) -> None:
        self._ledger = ledger
        self._dialect = dialect
        self._generations: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def note(self, asked: Asked, count: int) -> str:
        """The number of a generation that is to be found again."""
        number = f"gen-{secrets.token_urlsafe(20)}"
        self._generations[number] = _generation(number, asked, count)
        while len(self._generations) > KEPT:
            self._generations.popitem(last=False)
        return number

    def generation(self, number: str) -> dict[str, Any] | None:
        return self._generations.get(number)

    def spent(self) -> Decimal:
        rows = (row for row in self._ledger.billed if row["dialect"] == self._dialect)
        return sum((Decimal(row["price"]) for row in rows), Decimal())

    def credits(self) -> dict[str, float]:
        return {"total_credits": float(LIMIT), "total_usage": float(self.spent())}

    def key(self) -> dict[str, Any]:
        used = float(self.spent())
        spans = ("", "_daily", "_weekly", "_monthly")
        return {
            "label": "sk-or-v1-san...box",
            "limit": float(LIMIT),
            "limit_remaining": float(LIMIT - self.spent()),
            "limit_reset": None,
            "include_byok_in_limit": False,
            **{f"usage{span}": used for span in spans},
            **{f"byok_usage{span}": 0.0 for span in spans},
            "is_free_tier": False,
            "is_management_key": False,
            "is_provisioning_key": False,
            "creator_user_id": "user_sandbox",
            "organization_id": None,
            "workspace_id": None,
            "allowed_data_regions": [],
            "budgets": [],
            "effective_budget": None,
            "free_model_daily_requests": {"limit": 50, "used": 0, "remaining": 50},
            "expires_at": None,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated."},
        }


def _generation(number: str, asked: Asked, count: int) -> dict[str, Any]:
    cost = float(asked.price)
    tokens = asked.model.tokens(asked.quality) * count
    return dict.fromkeys(ABSENT) | {
        "id": number,
        "api_type": "image",
        "created_at": now(),
        "model": asked.model.id,
        "provider_name": "Sandbox",
        "origin": "",
        "data_region": "global",
        "workspace_id": "sandbox",
        "streamed": asked.stream,
        "cancelled": False,
        "finish_reason": "stop",
        "is_byok": False,
        "tokens_prompt": len(asked.prompt) // 4,
        "tokens_completion": tokens,
        "native_tokens_prompt": len(asked.prompt) // 4,
        "native_tokens_completion": tokens,
        "native_tokens_completion_images": tokens,
        "num_media_prompt": len(asked.guide.pictures) if asked.guide else 0,
        "num_media_completion": count,
        "total_cost": cost,
        "usage": cost,
        "upstream_inference_cost": None,
    }
