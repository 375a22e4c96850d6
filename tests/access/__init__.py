"""Claims about POHODA's base edition: its Access file, copied, checked and read."""
