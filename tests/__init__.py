"""Tests mirror the tree; `end_to_end` and `browser` run the whole of it."""

import os

# gRPC's handlers for forks crash programs that are started while its threads work; here they serve nobody.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
