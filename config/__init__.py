"""What the program is told: the explanation of every key, examples, and the demo's configuration (package data)."""
