"""The peer of durable runs: the same graph of 10 nodes in LangGraph, with its SqliteSaver.

    python langgraph.py DATABASE

The first line on the standard output has the versions. Then each line on the standard
input, `{"durability": "sync", "runs": 40, "callers": 1}`, has so many runs made by so many
callers at once, and is answered with the seconds that all of them took, on the clock and on
the cores.
"""

import json
import os
import sys

# This file has the name of the package, and must not be imported in its place.
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path = [folder for folder in sys.path if os.path.realpath(folder) != HERE]

import operator
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Annotated, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

# Nodes between the first and the last. benches/src/runs/graph.rs has as many.
SIDE_BY_SIDE = 8

# What is asked, and what every node answers: 64 bytes, as in benches/src/lib.rs.
TEXT = "sixty-four bytes of plain text, as one call carries it, no more."


class State(TypedDict):
    """What was asked, and what was answered by now."""

    input: str
    outputs: Annotated[list[str], operator.add]


def answer(state: State) -> dict[str, list[str]]:
    """The work of every node."""
    return {"outputs": [TEXT]}


def graph_with(saver: SqliteSaver):
    """One node, then eight that work side by side, then one that waits for all of them."""
    graph = StateGraph(State)
    middle = [f"side-{number}" for number in range(SIDE_BY_SIDE)]
    for name in ["first", *middle, "last"]:
        graph.add_node(name, answer)
    graph.add_edge(START, "first")
    for name in middle:
        graph.add_edge("first", name)
    graph.add_edge(middle, "last")
    graph.add_edge("last", END)
    return graph.compile(checkpointer=saver)


def measure(graph, first: int, runs: int, callers: int, durability: str) -> dict[str, float]:
    """Makes runs, each a thread of its own in the saver's words, as a new run is."""

    def run(number: int) -> None:
        config = {"configurable": {"thread_id": str(number)}}
        state = graph.invoke({"input": TEXT, "outputs": []}, config, durability=durability)
        if state["outputs"] != [TEXT] * (SIDE_BY_SIDE + 2):
            raise SystemExit(f"a run gave something else: {state}")

    wall, cpu = time.perf_counter(), time.process_time()
    numbers = range(first, first + runs)
    if callers == 1:
        for number in numbers:
            run(number)
    else:
        with ThreadPoolExecutor(callers) as threads:
            list(threads.map(run, numbers))
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def say(answer: dict) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    database = sys.argv[1]
    with SqliteSaver.from_conn_string(database) as saver:
        graph = graph_with(saver)
        say(
            {
                "python": platform.python_version(),
                "langgraph": version("langgraph"),
                "saver": version("langgraph-checkpoint-sqlite"),
            }
        )
        made = 0
        for line in sys.stdin:
            wanted = json.loads(line)
            say(measure(graph, made, wanted["runs"], wanted["callers"], wanted["durability"]))
            made += wanted["runs"]


main()
