"""The stand-in for Microsoft's v2.0 token endpoint (see ../entra.py)."""
