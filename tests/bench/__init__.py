"""The benchmarks: the program beside the raw floor, on the same work, in the same run.

python -m tests.bench outbox|detect|drain|latency|idle|recovery [--quick] [--json]

Each prints a table and then, as its last line, figures as key=value. A ratio is time ours / floor where the table has
an x, else rate ours / floor. `aa` is the floor measured against itself: outside 0.9 to 1.1 the machine was too noisy,
and the run is repeated, at most three times.
"""
