"""What Dagster loads: the graph by SMART step, and its checks."""

from __future__ import annotations

from smartdb.pipelines.definitions import defs
from smartdb.pipelines.turn import STEPS

GRAPH = {
    "media": set(),
    "media_location": set(),
    "auto_label": {"embedding", "task_queue"},
    "embedding": {"media"},
    "neighbour": {"embedding"},
    "duplicate_group": {"neighbour"},
    "media_graph": {"neighbour"},
    "label": {"media"},
    "task_queue": {"label"},
    "gold_score": {"label"},
    "region_embedding": {"label", "embedding"},
    "label_issue": {"label", "duplicate_group"},
    "review_queue": {"label_issue"},
    "review_plan": {"label"},
    "consensus": {"label_issue"},
    "dataset_version": {"label", "duplicate_group", "consensus"},
    "augmentation": {"dataset_version"},
    "export": set(),
    "training_run": {"dataset_version", "embedding"},
    "error": {"training_run"},
    "batch_item": {"training_run"},
}


def test_the_graph_is_the_loop() -> None:
    graph = defs.resolve_asset_graph()
    found = {
        key.to_user_string(): {up.to_user_string() for up in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert found == GRAPH


def test_every_asset_is_in_a_smart_step_and_says_what_it_is() -> None:
    graph = defs.resolve_asset_graph()
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    assert {node.group_name for node in nodes} == set(STEPS)
    assert all(node.description for node in nodes)


def test_the_gates_are_there() -> None:
    keys = {
        f"{k.asset_key.to_user_string()}:{k.name}"
        for k in defs.resolve_asset_graph().asset_check_keys
    }
    assert keys == {
        "media:few_refused",
        "media:no_drift",
        "embedding:no_gap",
        "label:enough_labels",
        "consensus:enough_agreement",
        "dataset_version:no_leak",
        "dataset_version:little_repetition",
        "dataset_version:no_version_drift",
    }
