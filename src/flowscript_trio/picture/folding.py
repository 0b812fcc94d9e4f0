"""Owns what of a large picture is drawn: of a block with many branches, some stand for all. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from .model import Box, Group, Picture

MOST = 8
"""How many bodies of one block are drawn."""


def folded(picture: Picture, wanted: Collection[int] = ()) -> Picture:
    """A picture in which each block has at most ``MOST`` bodies, and a line that says how many more there are.

    Args:
        picture: the whole one.
        wanted: the numbers of boxes for whose sake people look; the bodies that they are in come first.
    """
    groups = tuple(_group(group, wanted) for group in picture.groups)
    left = {number for group in groups for number in _numbers(group)}
    links = tuple(link for link in picture.links if {link.source, link.target} <= left)
    return replace(picture, groups=groups, links=links)


def _group(group: Group, wanted: Collection[int]) -> Group:
    waves = tuple(tuple(_box(box, wanted) for box in wave) for wave in group.waves)
    return replace(group, waves=waves)


def _box(box: Box, wanted: Collection[int]) -> Box:
    groups = [_group(group, wanted) for group in _choose(box.groups, wanted)]
    more = len(box.groups) - len(groups)
    if more:
        seen = {group.number for group in groups}
        number = next(group.number for group in box.groups if group.number not in seen)
        groups.append(Group(number, f"… {more} more", (), ()))
    return replace(box, groups=tuple(groups))


def _choose(groups: tuple[Group, ...], wanted: Collection[int]) -> list[Group]:
    """Those to draw, in their order: first those with something wanted in them, then the first of the others."""
    if len(groups) <= MOST:
        return list(groups)
    by_interest = sorted(groups, key=lambda group: _has(group, wanted), reverse=True)
    chosen = {group.number for group in by_interest[:MOST]}
    return [group for group in groups if group.number in chosen]


def _has(group: Group, wanted: Collection[int]) -> bool:
    """Whether a group has a wanted box in it."""
    return any(number in wanted for number in _numbers(group))


def _numbers(group: Group) -> list[int]:
    """The numbers of all boxes in a group."""
    found: list[int] = []
    stack = [group]
    while stack:
        for box in stack.pop().boxes:
            found.append(box.number)
            stack.extend(box.groups)
    return found
