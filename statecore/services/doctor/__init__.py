"""What must hold for issues, processes, locks, label requests and namespaces; mending it."""

from __future__ import annotations

from statecore.services.doctor.catalogue import LISTINGS, RULES
from statecore.services.doctor.issues import IssueExaminer
from statecore.services.doctor.keys import KeyExaminer
from statecore.services.doctor.labels import LabelExaminer
from statecore.services.doctor.locks import LockExaminer
from statecore.services.doctor.namespaces import NamespaceExaminer
from statecore.services.doctor.processes import ProcessExaminer
from statecore.services.doctor.symptoms import SYMPTOMS
from statecore.store.findings import Side

__all__ = ["SIDE", "KeyExaminer"]

SIDE = Side(
    examiners=(
        NamespaceExaminer(),
        IssueExaminer(),
        ProcessExaminer(),
        LockExaminer(),
        LabelExaminer(),
    ),
    rules=RULES,
    listings=lambda store: LISTINGS,
    symptoms=SYMPTOMS,
)
"""The side of issues and state."""
