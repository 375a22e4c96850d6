"""Work beside the rails: comparing both sides, and keeping house (Údržba). One function or two per file."""
