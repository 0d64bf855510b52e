"""The stand-in Exchange Online; ../exchange.py starts it."""
