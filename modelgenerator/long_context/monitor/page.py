# SPDX-License-Identifier: Apache-2.0
"""The page itself. Streamlit runs this file for every viewer; the fragments refresh themselves.

What is drawn refreshes, what is set does not: an option that is replaced between the press and the
release of a mouse button never hears of the click. The list of runs is the exception; its boxes
stay the same ones, by their keys.

Text that comes from run files is only ever shown as text or data, escaped for Plotly and HTML, or
through `literal`: Markdown could load pictures from elsewhere.
"""

import html
import re
import time
from dataclasses import asdict, replace
from pathlib import Path

import streamlit as st

from modelgenerator.long_context.monitor import context as server
from modelgenerator.long_context.monitor.alerts import alerts, duration
from modelgenerator.long_context.monitor.figures import (
    CURVES,
    available_panels,
    colours,
    config_difference,
    curve_figure,
    metric_figure,
    wanted_panels,
)
from modelgenerator.long_context.monitor.files import CONTROL, write_json
from modelgenerator.long_context.monitor.runs import OpenRun, Run
from modelgenerator.long_context.monitor.settings import Alerts, Logged, logged_from

REFRESH_SECONDS = 2.0
LISTED = 30
MARKS = {"running": "green", "stalled": "orange", "failed": "red", "finished": "gray"}
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=/@\"'])")

# While an expander opens, focus inside scrolls it, and a list of choices closes on any scrolling.
STYLE = "<style>[data-testid=stExpander] details {overflow: clip !important}</style>"

CONTEXT = server.CURRENT
assert CONTEXT is not None, "the page is started by mgen-lc monitor"
RUNS = CONTEXT.runs
PLOT = st.components.v2.component(
    "mgen_lc.figure",
    html='<div class="mgen-figure"></div>',
    js=(Path(__file__).parent / "plot.js").read_text(),
    isolate_styles=False,
)


def literal(text: str) -> str:
    """Text as Markdown that shows it as it is."""
    return SPECIAL.sub(r"\\\1", text[:200])


def listed() -> list[Run]:
    """All runs; what counts as stalled is a setting that the runs themselves bring along."""
    runs = RUNS.listing(float("inf"))
    settings, _ = server.shown(RUNS, runs)
    return RUNS.listing(60 * settings.alerts.stalled_minutes)


def signed_in() -> bool:
    """Whether this viewer has given the password."""
    return bool(st.session_state.get("signed_in"))


def sign_in() -> None:
    """The form for the password."""
    if CONTEXT.password is None:
        st.caption("Nobody can sign in: the server was started without a password.")
        return
    if signed_in():
        if st.button("Sign out"):
            st.session_state.signed_in = False
            st.rerun()
        return
    with st.form("sign_in", clear_on_submit=True, border=False):
        given = st.text_input("Password", type="password", autocomplete="current-password")
        if st.form_submit_button("Sign in"):
            wait = CONTEXT.password.seconds_to_wait()
            if CONTEXT.password.matches(given):
                st.session_state.signed_in = True
                st.rerun()
            elif wait:
                st.error(f"Too many wrong tries. Wait {wait:.1f} s.")
            else:
                st.error("Wrong password.")


def select_runs() -> None:
    """The side list, with what is selected kept in the session."""
    runs = listed()
    if not runs:  # nothing is chosen yet, so that the first run to come will be
        return
    if "selected" not in st.session_state:
        settings, _ = server.shown(RUNS, runs)
        names = [run.name for run in runs]
        first = names[:2] if settings.runs is None else wanted_panels(settings.runs, names)
        st.session_state.selected = first[:6]
    pattern = st.text_input("Find a run", key="find", placeholder="part of its name").lower()
    matching = [run for run in runs if pattern in run.name.lower()]
    chosen = set(st.session_state.selected)
    # With all selected ones, or one that is older could not be deselected.
    shown = [run for i, run in enumerate(matching) if i < LISTED or run.name in chosen]
    before = list(st.session_state.selected)
    for run in shown:
        label = f":{MARKS[run.state]}[●] {literal(run.name)} · {run.state}"
        ticked = st.checkbox(label, value=run.name in chosen, key=f"run {run.name}")
        if ticked and run.name not in chosen:
            st.session_state.selected.append(run.name)
        elif not ticked and run.name in chosen:
            st.session_state.selected.remove(run.name)
    if len(matching) > len(shown):
        st.caption(f"and {len(matching) - len(shown):,} more; give a part of the name to find one")
    if before != st.session_state.selected:
        st.rerun()  # the whole page, not this list alone


def choose_panels(names: list[str]) -> list[str]:
    """The panels to draw, in order.

    Until a viewer chooses, they are the default ones, of which a young run may log some only later.
    """
    settings, said = server.shown(RUNS, listed())
    default = wanted_panels(settings.panels, names)
    own = st.session_state.get("own_panels")
    # Set only where it differs: what is set goes before what a viewer is choosing just now.
    if not own and st.session_state.get("panels") != default:
        st.session_state.panels = default
    # A run may have stopped logging a metric that is chosen; the choice is kept.
    names = names + [n for n in st.session_state.panels if n not in names]
    with st.expander("Panels", expanded=False):
        chosen = st.multiselect(
            "Panels, in order",
            names,
            key="panels",
            on_change=lambda: st.session_state.update(own_panels=True),
        )
        st.caption(f"At first: {said}.")
        if signed_in() and st.button("Save these panels and runs for all viewers"):
            runs = list(st.session_state.selected)
            try:
                server.save(RUNS, replace(settings, panels=chosen, runs=runs))
            except OSError as error:
                st.error(f"Could not be saved: {literal(str(error))}")
            else:
                st.success("Saved.")
    return chosen


def options() -> tuple[str, float, bool]:
    """How the curves are drawn."""
    left, middle, right = st.columns(3)
    axis = left.segmented_control(
        "Horizontal axis", ["step", "tokens", "time"], default="step", key="axis"
    )
    smoothing = middle.slider("Smoothing", 0.0, 0.99, 0.0, 0.01, key="smoothing")
    log_scale = right.toggle("Logarithmic", key="log_scale")
    return axis or "step", smoothing, log_scale


def opened(selected: list[str]) -> dict[str, OpenRun]:
    """What the selected runs logged, of those that are still there."""
    there = {run.name for run in listed()}
    return {name: RUNS.open(name) for name in selected if name in there}


@st.fragment(run_every=REFRESH_SECONDS)
def states(selected: list[str]) -> None:
    """How the selected runs are doing, and what is wrong with them."""
    listing = listed()
    runs = {run.name: run for run in listing}
    settings, _ = server.shown(RUNS, listing)
    for name, run in opened(selected).items():
        state(runs[name], run.lines.by_name, settings.alerts, st.session_state.colours[name])
        if run.behind > 2**20:
            st.caption(f"Still reading: {run.behind / 2**20:,.0f} MiB of metrics to go.")
        if run.skipped:
            st.caption(f"{run.skipped:,} lines could not be read and are left out.")


@st.fragment(run_every=REFRESH_SECONDS)
def figures(
    selected: list[str], names: list[str], panels: list[str], drawn: tuple[str, float, bool]
) -> None:
    """The panels, of the selected runs.

    Args:
        selected: Names of the runs.
        names: Every panel there was when the page was made.
        panels: Those to draw.
        drawn: How, from `options`.
    """
    runs = opened(selected)
    if available_panels(list(runs.values())) != names:
        st.rerun()  # the whole page: there is something new to choose from
    axis, smoothing, log_scale = drawn
    palette = st.session_state.colours
    for index, panel in enumerate(panels):
        if index % 2 == 0:  # a row at a time, so that one column on a phone keeps the order
            columns = st.columns(2)
        if panel in CURVES:
            figure = curve_figure(panel, runs, palette, log_scale)
        else:
            figure = metric_figure(panel, runs, palette, axis, smoothing, log_scale)
        with columns[index % 2], st.container(key=f"panel {panel}"):
            PLOT(data=figure, key=f"figure {panel}")
    st.caption(f"Refreshed at {time.strftime('%H:%M:%S')}, every {REFRESH_SECONDS:g} s.")


def watch(selected: list[str]) -> None:
    """States, alerts and figures of the selected runs."""
    runs = opened(selected)
    if not runs:
        st.info("Select a run in the list at the side.")
        return
    st.session_state.colours = colours(st.session_state.get("colours", {}), selected)
    states(selected)
    drawn = options()
    names = available_panels(list(runs.values()))
    figures(selected, names, choose_panels(names), drawn)


def state(run: Run, lines: dict, settings: Alerts, colour: str) -> None:
    """One line on how a run is doing, and what is wrong with it."""
    parts = [f"{run.name}: {run.state}"]
    for metric, form in (
        ("train_loss", "loss {:.4f}"),
        ("tokens_per_s", "{:,.0f} tokens/s"),
        ("minutes_left", "{:,.1f} min left"),
    ):
        if metric in lines and (metric != "minutes_left" or run.state == "running"):
            parts.append(form.format(lines[metric].last))
    steps = [line.table()[-1, 0] for line in lines.values()]
    if steps:
        parts.insert(1, f"step {max(steps):,.0f}")
    parts.append(f"last word {duration(run.silent)} ago")
    said = html.escape(" · ".join(parts))
    st.html(f'<b style="color:{colour}">■</b> {said}')
    for warning in alerts(run, lines, RUNS.record(run.name), settings):
        st.warning(literal(f"{run.name}: {warning}"))


def compare_configs(selected: list[str]) -> None:
    """Settings in which the selected runs differ."""
    configs = {name: RUNS.record(name).get("config") or {} for name in selected}
    with st.expander("Configuration: what differs"):
        if len(selected) < 2:
            st.caption("Select two runs or more.")
            return
        rows = config_difference(configs)
        if rows:
            st.dataframe(rows, hide_index=True, width="stretch")
        else:
            st.caption("These runs have the same configuration, or none was recorded.")
    with st.expander("About the runs"):
        for name in selected:
            record = RUNS.record(name)
            st.text(name)
            st.json({k: v for k, v in record.items() if k != "config"}, expanded=1)


def change_logging(selected: list[str]) -> None:
    """What a run logs from now on, for those who signed in."""
    going = [run.name for run in listed() if run.name in selected and run.state == "running"]
    with st.expander("What is logged"):
        if not signed_in():
            st.caption("Sign in to change what a run logs while it goes on.")
            return
        if not going:
            st.caption("None of the selected runs is running.")
            return
        name = st.selectbox("Run", going, key="control run")
        try:
            now = logged_from(RUNS.record(name).get("logged"))
        except ValueError:
            now = Logged()
        with st.form(f"control {name}", border=False):
            metrics = st.text_input("Metrics, separated by spaces", " ".join(now.metrics))
            every = st.number_input("Every so many steps", 1, None, now.every_n_steps)
            measure = st.number_input(
                "Measure by length every so many steps (0: never)", 0, None, now.eval_every_n_steps
            )
            lengths = st.text_input(
                "Lengths, nt, separated by spaces (empty: those of the data)",
                " ".join(map(str, now.eval_lengths or [])),
            )
            windows = st.number_input("Windows of the longest length", 1, None, now.eval_windows)
            entropy = st.checkbox("Entropy of attention", now.attention_entropy)
            if not st.form_submit_button("Apply"):
                return
        try:
            new = Logged(
                metrics=metrics.split(),
                every_n_steps=int(every),
                eval_every_n_steps=int(measure),
                eval_lengths=[int(x) for x in lengths.split()] or None,
                eval_windows=int(windows),
                attention_entropy=entropy,
            )
            write_json(RUNS.root, name, CONTROL, asdict(new))
        except (ValueError, OSError) as error:
            st.error(literal(str(error)))
        else:
            st.success("Written. The run takes it up at its next logged step.")


def main() -> None:
    """The whole page."""
    st.set_page_config(page_title="Training runs", page_icon="🧬", layout="wide")
    st.html(STYLE)
    with st.sidebar:
        st.subheader("Runs")
        if not CONTEXT.private or signed_in():
            st.fragment(select_runs, run_every=REFRESH_SECONDS)()
        sign_in()
    if CONTEXT.private and not signed_in():
        st.info("Sign in, in the side bar, to see the runs.")
        return
    if not listed():
        st.subheader("No runs yet")
        st.text(f"Nothing has been recorded in {RUNS.root} so far. A run shows up here by itself:")
        st.code("mgen fit --config configs/yarn_16x.yaml --config configs/monitor.yaml", None)
        st.fragment(await_runs, run_every=REFRESH_SECONDS)()
        return
    selected = [name for name in st.session_state.get("selected", [])]
    watch(selected)
    compare_configs(selected)
    change_logging(selected)


def await_runs() -> None:
    """Show the whole page once there is a run."""
    if listed():
        st.rerun()


main()
