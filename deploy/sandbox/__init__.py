"""A stand-in for the providers' APIs: speaks their protocols, draws by itself, and marks what it draws.

No account, no network, no model: whoever tries the application without a key gets pictures from here, and
every test buys here. What it would have charged is in a log of its own.
"""
