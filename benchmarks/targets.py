"""The workloads in the order of the tables, and the figures they are held to."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    name: str  # as in the programs
    title: str
    must: float | None = None  # xgrad / limit, or nanoseconds an operation
    ambition: float | None = None
    per_operation: bool = False  # the targets are nanoseconds for each of 1000 operations
    threaded: bool = False  # measured with two threads, too

    @property
    def formula(self):
        """What the other programs call it: they know one way to compute it."""
        return self.name.replace("W5ops/", "W5/")

    def figures(self, threads):
        """Must and ambition. With two threads the limit runs with two, too."""
        return (self.must, self.ambition) if threads == 1 else (1.08, 1.03)


def _chain(size, must, ambition):
    return [Row(f"W4/{op}/{size}", f"W4 chain of 1000 {op}s, {size} element{'s' if size > 1 else ''}", must, ambition,
                per_operation=True) for op in ("add", "mul")]


ROWS = [
    Row("W1a", "W1a logistic regression, X (12288, 209)", 1.15, 1.05),
    Row("W1b", "W1b logistic regression, X (60000, 784)", 1.10, 0.70),
    Row("W2/64", "W2 784-256-128-10, batch 64", 1.08, 1.03, threaded=True),
    Row("W2/512", "W2 784-256-128-10, batch 512", 1.05, 1.02, threaded=True),
    Row("W3", "W3 12288-20-7-5-1, 209 examples", 1.03, 0.80, threaded=True),
    *_chain(1, 100, 40),
    *_chain(16, 100, 40),
    *_chain(1024, 300, 200),
    Row("W5/1000000", "W5 one `fuse_sum`, 10^6", 1.15, 1.0),
    Row("W5/10000000", "W5 one `fuse_sum`, 10^7", 1.15, 1.0),
    Row("W5ops/1000000", "W5 operation by operation, 10^6", 2.3, 1.9),
    Row("W5ops/10000000", "W5 operation by operation, 10^7", 2.3, 1.9),
    Row("W6/broadcast", "W6 (1000, 1000) + (1000, 1) and back", 1.2, 1.05),
    Row("W6/sum0", "W6 sum over axis 0", 1.15, 1.05),
    Row("W6/sum0_grad", "W6 sum over axis 0 and back", 1.15, 1.05),
    Row("W6/sum1", "W6 sum over axis 1", 1.15, 1.05),
    Row("W6/sum1_grad", "W6 sum over axis 1 and back", 1.15, 1.05),
    Row("latency/4-16-16-1", "one example through 4-16-16-1"),
    Row("latency/W2", "one example through W2"),
]
