#!/usr/bin/env python3
"""PyTorch as a benchmark peer: one process, driven over its standard streams.

It says "ready torch <version> threads <n>" once it can work. To each line

    run <name> <integer arguments>

it answers "ok <seconds a unit of work>" for one timing, or "error <text>".
The number of BLAS threads comes from OPENBLAS_NUM_THREADS and OMP_NUM_THREADS,
which must be in the environment before torch is loaded (set_num_threads alone
does not reach every build's BLAS); NG_BENCH_CLOCK is cpu or wall.

A new peer is one function below: it prepares everything and returns (step,
units), a function to be timed and the units of work one call of it does.
"""
import os
import sys
import time

import torch

TIMING_SECONDS = 0.03  # as in bench.c
CLOCK = time.process_time if os.environ.get("NG_BENCH_CLOCK") == "cpu" else time.perf_counter


def train_step(batch):
    """A whole training step of a 784-256-128-10 ReLU net with AdamW: batch by
    index, forward, cross-entropy, backward, update."""
    torch.manual_seed(1)
    samples, labels = torch.rand(8000, 784), torch.randint(0, 10, (8000,))
    net = torch.nn.Sequential(
        torch.nn.Linear(784, 256), torch.nn.ReLU(),
        torch.nn.Linear(256, 128), torch.nn.ReLU(),
        torch.nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(net.parameters())
    loss_of = torch.nn.CrossEntropyLoss()
    order, steps = torch.randperm(8000), 8000 // batch

    def epoch():
        for k in range(steps):
            index = order[k * batch:(k + 1) * batch]
            optimizer.zero_grad(set_to_none=True)
            loss_of(net(samples[index]), labels[index]).backward()
            optimizer.step()

    return epoch, steps


def muon_ns5(rows, cols):
    """Newton-Schulz as Jordan's Muon has it, in float32."""
    torch.manual_seed(1)
    gradient = torch.randn(rows, cols)

    @torch.no_grad()
    def step():
        a, b, c = 3.4445, -4.7750, 2.0315
        x = gradient.T if rows > cols else gradient
        x = x / (x.norm() + 1e-7)
        for _ in range(5):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
        return x.T if rows > cols else x

    return step, 1


def svd_polar(rows, cols):
    """The polar factor by the singular value decomposition."""
    torch.manual_seed(1)
    gradient = torch.randn(rows, cols)

    @torch.no_grad()
    def step():
        u, _, vh = torch.linalg.svd(gradient, full_matrices=False)
        return u @ vh

    return step, 1


def adamw(count):
    """torch.optim.AdamW on one tensor."""
    torch.manual_seed(1)
    weight = torch.randn(count).requires_grad_()
    weight.grad = 0.01 * torch.randn(count)
    return torch.optim.AdamW([weight]).step, 1


PEERS = {f.__name__: f for f in (train_step, muon_ns5, svd_polar, adamw)}


class Job:
    """One request, kept from timing to timing so that only work is timed."""

    def __init__(self, words):
        self.words = words
        self.step, self.units = PEERS[words[0]](*map(int, words[1:]))
        self.time(1)  # warm-up
        once = self.time(1)
        self.repeats = max(1, int(TIMING_SECONDS / max(once, 1e-7)) + 1)
        if once >= TIMING_SECONDS:
            self.repeats = 1

    def time(self, repeats):
        start = CLOCK()
        for _ in range(repeats):
            self.step()
        return CLOCK() - start

    def seconds(self):
        return self.time(self.repeats) / (self.repeats * self.units)


def answer(job, words):
    """(the job to keep, the line to say)"""
    try:
        if job is None or job.words != words:
            job = None  # the old one's memory goes before the new one's comes
            job = Job(words)
        return job, "ok %.9g" % job.seconds()
    except Exception as error:  # whatever it was, the pipe needs a line
        return None, "error " + " ".join(str(error).split())


def main():
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    torch.set_num_threads(threads)
    print("ready torch", torch.__version__, "threads", torch.get_num_threads(), flush=True)
    job = None
    for line in sys.stdin:
        words = line.split()
        if words[:1] == ["run"] and len(words) > 1 and words[1] in PEERS:
            job, text = answer(job, words[1:])
        else:
            text = "error unknown request " + line.strip()
        print(text, flush=True)


if __name__ == "__main__":
    main()
