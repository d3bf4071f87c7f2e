"""Rules, one file each, found by the file's name: ``rule: near-miss`` is ``near_miss.py``."""

from __future__ import annotations

from headrace import discovery
from headrace.analytics.rules._base import Rule, RuleSettings
from headrace.errors import ConfigError

__all__ = ["Rule", "RuleSettings", "rule_class", "rules"]


def rules() -> tuple[str, ...]:
    """Names of the rules there are.

    Example:
        >>> "dwell" in rules()
        True
    """
    return discovery.available(__name__)


def rule_class(name: str) -> type[Rule]:
    """The class of a rule.

    Raises:
        ConfigError: There is no such rule; names the nearest.
    """
    found: type[Rule] = discovery.load(__name__, name, "rule", ConfigError).RULE
    return found
