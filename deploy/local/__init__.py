"""The one-command stack: the whole system on this machine, in one folder."""

import os

# gRPC's handlers for forks crash programs that are started while its threads work; here they serve nobody.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
