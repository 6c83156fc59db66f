"""Keeps pictures: the library, their bytes and their renditions."""

import os

# Decoders are forked beside gRPC's threads, and gRPC's own fork handlers now and then end the child before it
# has become a decoder. It is replaced by another program at once and needs none. Read when grpc is imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
