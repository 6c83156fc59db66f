"""Pictures drawn by ourselves."""
