"""OpenRouter's listings: its image models, their endpoints, and the general list."""

from typing import Any

from deploy.sandbox.openrouter_facts import MODELS, TEXT_MODELS, Model

# The general list speaks of tokens; a picture's price is divided by so many.
IMAGE_TOKENS, MEGAPIXEL_TOKENS = 4175, 4096


def image_models() -> list[dict[str, Any]]:
    return [
        {
            "id": model.id,
            "name": model.name,
            "description": f"{model.name}, drawn by the sandbox.",
            "created": model.created,
            "architecture": _architecture(model),
            "supported_parameters": model.parameters(),
            "supports_streaming": model.streams,
            "endpoints": f"/api/v1/images/models/{model.id}/endpoints",
        }
        for model in MODELS.values()
    ]


def endpoints(model: Model) -> dict[str, Any]:
    endpoint = {
        "provider_name": "Sandbox",
        "provider_slug": model.author,
        "provider_tag": model.author,
        "supported_parameters": model.parameters(),
        "allowed_passthrough_parameters": ["steps", "guidance"] if model.seeds else [],
        "supports_streaming": model.streams,
        "pricing": model.pricing(),
    }
    return {"id": model.id, "endpoints": [endpoint]}


def models(wanted: set[str]) -> list[dict[str, Any]]:
    """The general list, of models that make one of these; without any, of those that make text only."""
    every = "all" in wanted
    chosen = [_text_model(name, title) for name, title in TEXT_MODELS.items()]
    listed = chosen if every or not wanted or "text" in wanted else []
    if every or "image" in wanted:
        listed = [*listed, *(_model(model) for model in MODELS.values())]
    return listed


def _architecture(model: Model) -> dict[str, list[str]]:
    inputs = ["text", "image"] if model.references else ["text"]
    return {
        "input_modalities": inputs,
        "output_modalities": ["image", "text"] if model.chats else ["image"],
    }


def _model(model: Model) -> dict[str, Any]:
    tokens = {"token": 1, "image": IMAGE_TOKENS, "megapixel": MEGAPIXEL_TOKENS}[model.unit]
    architecture = _architecture(model)
    modality = f"{'+'.join(architecture['input_modalities'])}->{'+'.join(architecture['output_modalities'])}"
    pricing = {"prompt": "0", "completion": "0", "image_output": str(model.cost / tokens)}
    return _entry(model.id, model.name, modality, architecture, pricing) | {"created": model.created}


def _text_model(name: str, title: str) -> dict[str, Any]:
    architecture = {"input_modalities": ["text"], "output_modalities": ["text"]}
    pricing = {"prompt": "0.00000125", "completion": "0.00001"}
    return _entry(name, title, "text->text", architecture, pricing)


def _entry(
    name: str, title: str, modality: str, architecture: dict[str, Any], pricing: dict[str, str]
) -> dict[str, Any]:
    return {
        "id": name,
        "canonical_slug": name,
        "name": title,
        "created": 1_762_800_000,
        "description": title,
        "context_length": 32_768,
        "architecture": {
            "modality": modality,
            **architecture,
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": pricing,
        "top_provider": {"context_length": 32_768, "max_completion_tokens": None, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": ["seed"],
        "default_parameters": None,
        "supported_voices": None,
        "expiration_date": None,
        "links": {"details": f"/api/v1/models/{name}/endpoints"},
    }
