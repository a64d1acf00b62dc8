"""What was said and seen into figures. Times within a machine are those of its own clock."""
import collections
import json
from dataclasses import dataclass, field
from datetime import datetime

from machine import Machine
from watcher import Watcher

SILENCE_MAX_S, RECORDER_GAP_MAX_S, ALARM_MAX_S, LOST_FRAMES_MAX_S = 5.0, 3.0, 8.0, 3.0
CONTROL_FROZEN_MIN_S = 20.0
FROZEN_S = 2.0  # a silence that is longer counts as frozen
TAKEN = (200, 201)


def line_of(it: dict) -> str:
    return json.dumps(it, ensure_ascii=False)


def longest_gap(times: list[float], begin: float, end: float) -> float:
    inside = [begin, *sorted(at for at in times if begin <= at <= end), end]
    return max(after - before for before, after in zip(inside, inside[1:]))


def frozen_s(times: list[float], begin: float, end: float) -> float:
    inside = [begin, *sorted(at for at in times if begin <= at <= end), end]
    return sum(gap for before, after in zip(inside, inside[1:]) if (gap := after - before) > FROZEN_S)


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def phases(machine: Machine) -> dict[str, float]:
    return {it["name"]: it["t"] for it in machine.all("phase")}


def levels(lines: list[str]) -> list[tuple[float, int]]:
    """When admission came to which level, from the server's log."""
    found = []
    for line in lines:
        try:
            it = json.loads(line)
        except ValueError:
            continue
        if it.get("event") == "admission.level":
            found.append((datetime.strptime(it["time"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp(), it["level"]))
    return found


def during_level(at: float, changes: list[tuple[float, int]], least: int) -> bool:
    return next((level for when, level in reversed(changes) if when <= at), 0) >= least


def explained(incident: dict) -> tuple[str, bool]:
    """The first cause and who is named for it, and whether that is what the lab did: memory, by the hog outside."""
    causes = incident.get("causes", [])
    first = causes[0] if causes else {}
    return f"{first.get('cause')} by {first.get('offender') or '?'}", first.get("cause") == "memory_thrash" and "hog" in str(first.get("offender"))


@dataclass
class Freeze:
    server: str
    silence_s: dict[str, float] = field(default_factory=dict)  # by phase
    frozen_s: float = 0
    loaded_s: float = 0
    asked: int = 0
    answered: int = 0
    calm_p99_s: float = 0
    slowest_s: float = 0
    plateau: bool = False
    p50_s: float = 0
    p99_s: float = 0
    handed_in: int = 0
    accepted: int = 0
    refused: int = 0
    unanswered: int = 0
    lost: int = 0
    shed_receipts: int = 0
    shed_receipts_2: int = 0
    shed_s: float = 0
    monitor_gap_s: float = 0
    recorder_gap_s: float | None = None
    oom_kills: int = 0
    why: str = ""
    why_right: bool = False
    why_then: str = ""
    why_then_right: bool = False
    alarm_s: float | None = None
    false_alarms: int = 0
    told: str = "—"  # the server's own message, after the hog outside began
    starved_s: float = 0  # the longest that the machine itself was not let run
    blocked: str = "none"

    def longest_s(self) -> float:
        return max(self.silence_s["inside"], self.silence_s["outside"])

    def rows(self) -> list[tuple[str, str]]:
        return [("longest time without an answer: hog in a job, outside", " · ".join(f"{self.silence_s[name]:.1f} s" for name in ("inside", "outside"))),
                ("frozen (silences of over 2 s)", f"{self.frozen_s:.1f} of {self.loaded_s:.0f} s"),
                ("pages answered / asked", f"{self.answered}/{self.asked}"),
                ("page under load p50 / p99 / slowest (calm p99)", f"{self.p50_s:.2f} / {self.p99_s:.2f} / {self.slowest_s:.2f} s ({self.calm_p99_s:.2f} s)"),
                ("the hog outside came down to its floor of cache", "yes" if self.plateau else "no"),
                ("uploads: accepted, refused at once, no answer", f"{self.accepted}, {self.refused}, {self.unanswered} of {self.handed_in}"),
                ("accepted and lost", str(self.lost)),
                ("receipts while it shed (level 1 and up, 2 and up)", f"{self.shed_receipts}, {self.shed_receipts_2} in {self.shed_s:.0f} s" if self.server == "assay" else "—"),
                ("largest gap: recorder, usual monitor", f"{'—' if self.recorder_gap_s is None else f'{self.recorder_gap_s:.1f} s'}, {self.monitor_gap_s:.1f} s"),
                ("kernel OOM kills", str(self.oom_kills)),
                ("assay why --last, --at the hog's time", f"{self.why}; {self.why_then}" if self.why else "—"),
                ("sentinel's alarm after total silence; false alarms before", "—" if self.server != "assay" else f"{'none' if self.alarm_s is None else f'{self.alarm_s:.1f} s'}; {self.false_alarms}"),
                ("the server's own message after the hog began", self.told),
                ("the server's threads seen waiting for the disk, five looks a second", self.blocked),
                ("machine itself not let run, at most", f"{self.starved_s:.1f} s")]

    def text(self) -> str:
        return "\n".join([f"  {self.server}", *(f"    {name}: {value}" for name, value in self.rows())])

    def missed(self) -> list[str]:
        if self.server != "assay":
            frozen = self.longest_s() >= CONTROL_FROZEN_MIN_S
            return [] if frozen else [f"the control did not freeze (silence {self.longest_s():.1f} s): the load was none"]
        found = [(self.longest_s() <= SILENCE_MAX_S, f"no answer for {self.longest_s():.1f} s"), (self.lost == 0, f"{self.lost} accepted submissions are lost"),
                 (self.recorder_gap_s is not None and self.recorder_gap_s <= RECORDER_GAP_MAX_S, f"the recorder has a gap of {self.recorder_gap_s} s"),
                 (self.why_right, f"why --last is not right: {self.why}"), (self.why_then_right, f"why --at is not right: {self.why_then}"), (self.alarm_s is not None and self.alarm_s <= ALARM_MAX_S, f"the alarm took {self.alarm_s} s"),
                 (self.shed_s > 0 and self.shed_receipts > 0, "no receipt was given while it shed")]
        return [f"assay: {why}" for held, why in found if not held]


def freeze(server: str, machine: Machine, watcher: Watcher, frozen: float) -> Freeze:
    at, it = phases(machine), Freeze(server)
    pages = machine.all("page")
    good = [one["t"] for one in pages if one["status"] == 200]
    it.silence_s = {name: longest_gap(good, at[name], at[after]) for name, after in (("calm", "inside"), ("inside", "outside"), ("outside", "after"))}
    it.loaded_s = at["after"] - at["inside"]
    it.frozen_s = frozen_s(good, at["inside"], at["after"])
    it.asked, it.answered = len(pages), len(good)
    it.calm_p99_s = quantile([one["t"] - one["sent"] for one in pages if one["sent"] < at["inside"]], 0.99)
    loaded = [one["t"] - one["sent"] for one in pages if at["inside"] <= one["sent"] < at["after"]]
    it.p50_s, it.p99_s, it.slowest_s = quantile(loaded, 0.5), quantile(loaded, 0.99), max(loaded, default=0.0)
    it.plateau = bool(machine.all("plateau"))
    uploads = machine.all("upload") + machine.all("hog_upload")
    it.handed_in = len(uploads)
    taken = [one for one in uploads if one["status"] in TAKEN and one["id"]]
    it.accepted, it.unanswered = len(taken), sum(one["status"] == 0 for one in uploads)
    it.refused = len(uploads) - it.accepted - it.unanswered
    it.lost = len({one["id"] for one in taken} - set(machine.all("kept")[-1]["ids"]))  # The same bytes again are the same submission.
    changes = levels(next((one["lines"] for one in machine.all("log") if one["name"] == "server.log"), []))
    it.shed_receipts, it.shed_receipts_2 = (sum(during_level(one["t"], changes, least) for one in taken) for least in (1, 2))
    ends = [when for when, _ in changes[1:]] + [at["ended"]]
    it.shed_s = sum(end - begin for (begin, level), end in zip(changes, ends) if level > 0)
    it.monitor_gap_s = longest_gap(machine.all("monitor")[-1]["times"], at["calm"], at["after"])
    if frames := machine.all("frames"):
        it.recorder_gap_s = longest_gap(frames[-1]["times"], at["calm"], at["after"])
    it.oom_kills = machine.all("oom")[-1]["kills"]
    it.starved_s = max((one["late_ms"] / 1000 for one in machine.all("starved") if at["calm"] <= one["t"] <= at["after"]), default=0.0)
    blocked = collections.Counter(one["thread"].split(" ", 1)[1] for one in machine.all("blocked") if at["inside"] <= one["t"] <= at["after"])
    it.blocked = ", ".join(f"{name} {count}" for name, count in blocked.most_common(3)) or "none"
    if why := machine.all("why"):
        it.why, it.why_right = explained(why[-1]["json"])
        it.why_then, it.why_then_right = explained((machine.all("why_then") or [{"json": {}}])[-1]["json"])
    if server == "assay":
        alarms = watcher.of("/watcher", frozen)
        it.alarm_s = alarms[0][1] - frozen if alarms else None
        it.false_alarms = len(watcher.of("/watcher", 0, frozen))
        told = [one for one in watcher.of("/server", at["outside"] + machine.offset_s) if one[2] == "firing"]
        it.told = f"{told[0][1] - machine.offset_s - at['outside']:.1f} s: {told[0][3]}" if told else "none"
    return it


@dataclass
class Cut:
    kind: str
    server: str = "assay"
    accepted: int = 0
    lost: int = 0
    lost_frames_s: float = 0
    alarm_s: float | None = None

    def rows(self) -> list[tuple[str, str]]:
        return [("power was cut", "while memory was nearly gone" if self.kind == "cut" else "in a calm moment"), ("accepted before, lost", f"{self.accepted}, {self.lost}"),
                ("last frame on the disk before the cut", f"{self.lost_frames_s:.1f} s"), ("sentinel's alarm", "—" if self.alarm_s is None else f"{self.alarm_s:.1f} s")]

    def text(self) -> str:
        return "\n".join(f"    {name}: {value}" for name, value in self.rows())

    def missed(self) -> list[str]:
        found = [(self.accepted > 0, "nothing was accepted before the cut"), (self.lost == 0, f"{self.lost} accepted submissions are lost"),
                 (self.lost_frames_s <= LOST_FRAMES_MAX_S, f"{self.lost_frames_s:.1f} s of frames are lost"),
                 (self.alarm_s is not None and self.alarm_s <= ALARM_MAX_S, f"the alarm took {self.alarm_s} s")]
        return [f"{self.kind}: {why}" for held, why in found if not held]


def power_cut(kind: str, machine: Machine, again: Machine, watcher: Watcher, cut: float) -> Cut:
    it = Cut(kind)
    accepted = {one["id"] for one in machine.all("upload") if one["id"]}
    it.accepted, it.lost = len(accepted), len(accepted - set(again.all("kept")[-1]["ids"]))
    cut_inside = cut - machine.last_offset_s
    before = [at for at in again.all("frames")[-1]["times"] if at <= cut_inside + 1]
    it.lost_frames_s = max(0.0, cut_inside - max(before, default=0.0))
    alarms = watcher.of("/watcher", cut)
    it.alarm_s = alarms[0][1] - cut if alarms else None
    return it


def table(seen: list[Freeze] | list[Cut]) -> str:
    """A line for each figure, a column for each round."""
    columns = [dict(it.rows()) for it in seen]
    heads = [it.server for it in seen]
    lines = ["| | " + " | ".join(heads) + " |", "| --- |" + " --- |" * len(heads)]
    return "\n".join(lines + [f"| {name} | " + " | ".join(column[name] for column in columns) + " |" for name, _ in seen[0].rows()])
