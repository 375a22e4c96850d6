"""Scenarios: the real agent on an ordinary configuration, the embedded POHODA, a shop on a real socket, bad days."""
