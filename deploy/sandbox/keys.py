"""The keys the sandbox accepts. Any other is refused as the real provider would refuse it.

`KEY` opens every dialect; beside it each has one that looks like its provider's. The WebUI has no key but a
user and a password, if it was started with some.
"""

KEY = "sk-sandbox"
KEYS = {
    "openai": "sk-proj-sandbox",
    "openrouter": "sk-or-v1-sandbox",
    "fal": "sandbox-id:sandbox-secret",
    "workersai": "cf-sandbox",
}
# Workers AI has an account in its addresses beside the key.
ACCOUNTS = ("sandbox", "5a7db0c15a7db0c15a7db0c15a7db0c1")


def opens(dialect: str, key: str) -> bool:
    return key in (KEY, KEYS[dialect])
